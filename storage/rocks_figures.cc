#include "storage/rocks_figures.h"

#include <rocksdb/version.h>

#include <charconv>
#include <map>

#include "storage/rocks_commit_log.h"

namespace waystation::storage {
namespace {

// 0 where RocksDB does not tell it.
uint64_t Sum(rocksdb::DB* db, const std::string& property) {
  uint64_t value = 0;
  db->GetAggregatedIntProperty(property, &value);
  return value;
}

// Of the database as a whole: every family tells the same.
uint64_t Whole(rocksdb::DB* db, const std::string& property) {
  uint64_t value = 0;
  db->GetIntProperty(property, &value);
  return value;
}

uint64_t StalledMicros(rocksdb::DB* db) {
  std::map<std::string, std::string> stats;
  uint64_t value = 0;
  if (!db->GetMapProperty(rocksdb::DB::Properties::kDBStats, &stats)) return value;
  const std::string& text = stats["db.user_write_stall_micros"];
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

StoreFigures ReadFigures(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                         const std::string& folder) {
  using Properties = rocksdb::DB::Properties;
  StoreFigures figures;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    uint64_t files = 0;
    uint64_t memory = 0;
    db->GetIntProperty(family, Properties::kLiveSstFilesSize, &files);
    db->GetIntProperty(family, Properties::kCurSizeAllMemTables, &memory);
    figures.tables.push_back({family->GetName(), files + memory});
  }
  figures.wal_bytes = RocksCommitLog::LogBytes(folder);
  figures.write_stopped = Whole(db, Properties::kIsWriteStopped) != 0;
  figures.delayed_write_rate = Whole(db, Properties::kActualDelayedWriteRate);
  figures.stalled_us = StalledMicros(db);
  figures.running_flushes = Whole(db, Properties::kNumRunningFlushes);
  figures.running_compactions = Whole(db, Properties::kNumRunningCompactions);
  figures.pending_compaction_bytes = Sum(db, Properties::kEstimatePendingCompactionBytes);
  figures.immutable_memtables = Sum(db, Properties::kNumImmutableMemTable);
  figures.background_errors = Sum(db, Properties::kBackgroundErrors);
  figures.version = rocksdb::GetRocksVersionAsString();
  return figures;
}

}  // namespace waystation::storage
