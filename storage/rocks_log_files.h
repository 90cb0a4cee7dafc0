#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace waystation::storage {

// Files for RocksDB's write-ahead log that are longer than what is written to them: zeros are appended ahead, and what
// RocksDB appends is written over them. A sync of a file that has grown makes the file system commit its own journal,
// and wait there for whatever else is being written to the disk (a memtable's flush, say); a sync of one that was
// written over writes data alone. ext4, 50 KB at a time: 0.12 ms instead of 0.28 to 0.35.
//
// Who reads a log through this sees it end where its records end, as if it had only been appended to: RocksDB's reader
// of a log that still grows would otherwise skip zeros for good that are records a moment later. RocksDB without this
// reads such a log too (zeros are what a preallocated log ends in after a crash, which its reader passes over).
//
// Everything but logs (names that end in ".log") goes to `base`, or for null to the operating system's files.
std::shared_ptr<rocksdb::FileSystem> FilesWithLogsWrittenAhead(std::shared_ptr<rocksdb::FileSystem> base);

}  // namespace waystation::storage
