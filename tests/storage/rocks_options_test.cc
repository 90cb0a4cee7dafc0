// What RocksDB is told, seen in what it does: a lookup in a table of a million rows reads little of it, and no filter
// or index stands in memory beside the cache.

#include "storage/rocks_options.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

// So many that a filter of them all is larger than a shard of the cache, which is 1 MB.
constexpr int kRows = 1'200'000;
constexpr int kLookups = 500;

class RocksOptionsTest : public ::testing::TestWithParam<Table> {
 protected:
  void SetUp() override {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(DatabaseOptions(), folder_.Under("ledger"),
                                                     FamilyDescriptors(kFamilies, 1 << 20), &families_, &opened);
    ASSERT_TRUE(status.ok()) << status.ToString();
    db_.reset(opened);
    family_ = families_[static_cast<size_t>(kFirstTable + static_cast<int>(GetParam()))];
  }
  void TearDown() override {
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  }

  // Rows with even numbers, in one file below the first level.
  void Fill() {
    rocksdb::WriteOptions no_log;
    no_log.disableWAL = true;
    for (int row = 0; row < kRows;) {
      rocksdb::WriteBatch batch;
      for (const int end = row + 1'000; row < end; ++row) batch.Put(family_, Key(2 * row), "12345678");
      ASSERT_TRUE(db_->Write(no_log, &batch).ok());
    }
    ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions(), family_).ok());
    // Written anew: a file that is only moved down keeps what it has pinned.
    rocksdb::CompactRangeOptions anew;
    anew.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(db_->CompactRange(anew, family_, nullptr, nullptr).ok());
  }

  // How many bytes of blocks are read from files by lookups of some rows, all over the table.
  uint64_t BytesReadByLookups(bool of_those_there) {
    rocksdb::SetPerfLevel(rocksdb::kEnableCount);
    rocksdb::get_perf_context()->Reset();
    for (int i = 0; i < kLookups; ++i) {
      const int row = 2 * (i * (kRows / kLookups)) + (of_those_there ? 0 : 1);
      std::string value;
      EXPECT_EQ(db_->Get(rocksdb::ReadOptions(), family_, Key(row), &value).ok(), of_those_there);
    }
    rocksdb::SetPerfLevel(rocksdb::kDisable);
    return rocksdb::get_perf_context()->block_read_byte;
  }

  uint64_t Figure(const std::string& name) {
    uint64_t value = 0;
    EXPECT_TRUE(db_->GetIntProperty(family_, name, &value));
    return value;
  }

  static std::string Key(int number) { return fmt::format("station {:012}", number); }

  TemporaryFolder folder_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* family_ = nullptr;
};

TEST_P(RocksOptionsTest, OfALargeTableOnlyPiecesAreRead) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  std::string files;
  ASSERT_TRUE(db_->GetProperty(family_, "rocksdb.num-files-at-level0", &files));
  ASSERT_EQ(files, "0");
  // On average, since a piece of the filter or of the index is read once and kept.
  constexpr uint64_t kPieces = 3 * (8 << 10);
  EXPECT_LE(BytesReadByLookups(/*of_those_there=*/true), kLookups * kPieces);
  BytesReadByLookups(/*of_those_there=*/false);
  // What was read is kept, but for a row that is not there and that the filter takes for one that is.
  EXPECT_LE(BytesReadByLookups(/*of_those_there=*/false), kLookups / 20 * kPieces);
  // Beside the cache, no index and no filter.
  EXPECT_LE(Figure("rocksdb.estimate-table-readers-mem"), 64U << 10);
}

INSTANTIATE_TEST_SUITE_P(Tables, RocksOptionsTest, ::testing::Values(Table::kRequests, Table::kPayments),
                         [](const auto& table) { return table.param == Table::kRequests ? "Requests" : "Payments"; });

}  // namespace
}  // namespace waystation::storage
