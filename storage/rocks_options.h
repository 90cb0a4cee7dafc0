#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <cstddef>
#include <vector>

#include "storage/rows.h"

// How RocksDB is set for a ledger, and why; DESIGN.md has the table.
namespace waystation::storage {

// Where a column family stands among them; the tables begin at kFirstTable, in the order of Table.
inline constexpr int kJournal = 1;
inline constexpr int kFirstTable = 2;
inline constexpr int kFamilies = kFirstTable + kTables;

rocksdb::DBOptions DatabaseOptions();

// The first `count` of them, with a block cache that they share: kFamilies is all, kFirstTable the journal alone.
std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(int count, size_t journal_memtable_bytes);

}  // namespace waystation::storage
