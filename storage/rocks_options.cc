#include "storage/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

constexpr std::array kNames = {"default", "journal", "requests", "payments", "snapshot"};
static_assert(kNames.size() == kFamilies);

constexpr int64_t kTableBytesPerSecond = 64 << 20;
constexpr std::chrono::microseconds kTablePace{10'000};

rocksdb::ColumnFamilyOptions FamilyOptions(int family, size_t journal_memtable_bytes,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kLZ4Compression;
  // Flushed seldom, since flushing and compacting take from the cores that serve; kMaxMemtableBytes bounds all
  // together.
  options.write_buffer_size = 64 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  // Filters and indexes are read in pieces, and live in the cache. Whole ones grow with the ledger: beside the cache
  // they would take memory without bound, and in it one that is larger than a shard is never kept, so that each lookup
  // reads a megabyte from its file.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  // Of a filter, the keys of some 50,000 rows. With 4 KB, finding the piece costs more than looking into it.
  table.metadata_block_size = 64 << 10;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Rows of no order overlap all of the first level, which is written anew with each merge into it: so many files at a
  // time, since with four, RocksDB's default, merging took a core from those who pay. Until then a lookup asks the
  // filter of each.
  options.level0_file_num_compaction_trigger = 12;
  options.level0_slowdown_writes_trigger = 32;
  options.level0_stop_writes_trigger = 48;
  switch (family) {
    case kJournal:
      options.write_buffer_size = journal_memtable_bytes;
      // Keys only grow, and are read by seeking: large blocks, no filter.
      table.block_size = 64 << 10;
      table.filter_policy = nullptr;
      break;
    case kFirstTable + static_cast<int>(Table::kRequests):
      // Nearly every lookup is for a request id that is new.
      options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(8));
      options.memtable_prefix_bloom_size_ratio = 0.05;
      options.memtable_whole_key_filtering = true;
      break;
    case kFirstTable + static_cast<int>(Table::kPayments):
      options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(9));
      break;
    default: break;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // It can end a replay early on a damaged tail, but never replays past a gap.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Recycled logs are unsafe with that mode; the others have no use for one writer and known faults in 7.8.
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = false;
  options.two_write_queues = false;
  options.enable_pipelined_write = false;
  options.track_and_verify_wals_in_manifest = false;
  options.atomic_flush = false;
  options.max_total_wal_size = core::kMaxWalBytes;
  options.db_write_buffer_size = core::kMaxMemtableBytes;
  options.max_background_jobs = 2;
  // A memtable is written out in a tenth of a second when nothing holds it back, and takes a core and the disk from the
  // commits meanwhile. So tables, merged ones too, are written at a steady pace, in small steps that are sent to the
  // disk as they come. After 20 million payments each has left 133 to 146 bytes there: at 100,000 a second, 15 MB.
  options.writable_file_max_buffer_size = 256 << 10;
  options.bytes_per_sync = 256 << 10;
  options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(kTableBytesPerSecond, kTablePace.count()));
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4 << 20;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(int count, size_t journal_memtable_bytes) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(core::kMaxBlockCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    descriptors.emplace_back(kNames[static_cast<size_t>(i)], FamilyOptions(i, journal_memtable_bytes, cache));
  }
  return descriptors;
}

}  // namespace waystation::storage
