#pragma once

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "storage/store_figures.h"

namespace waystation::storage {

// What RocksDB tells of itself. `families`: those of rocks_options.h, in their order; `folder`: where the files lie.
// Any thread; takes RocksDB's mutex for moments.
StoreFigures ReadFigures(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                         const std::string& folder);

}  // namespace waystation::storage
