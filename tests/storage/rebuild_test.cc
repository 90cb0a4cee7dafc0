#include "storage/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "storage/folder_lock.h"
#include "storage/restored_marker.h"
#include "storage/rocks_commit_log.h"
#include "storage/verify.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/store_text.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

// Three stations' business, on disk, with the high-water mark at its end.
class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() {
    ManualClock clock;
    Workload workload(7);
    RunningLedger running(&store_, &clock, {.on_durable = [this](const ChainPosition& end) { end_ = end; }});
    running.Start();
    workload.Run(running, clock, 60);
    running.Stop();
    fs::create_directories(folders_.data);
    fs::create_directories(folders_.scratch);
    CopyStore(store_, Open().get());
    EXPECT_TRUE(HighWaterFile(folders_.data + "/high_water").Write(end_).ok());
  }

  std::unique_ptr<RocksCommitLog> Open() const {
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folders_.ledger);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  void Change(const std::function<void(RowBatch&)>& change) const {
    RowBatch rows;
    change(rows);
    ASSERT_EQ(AppendAndWait(*Open(), nullptr, rows).outcome, CommitOutcome::kDurable);
  }

  VerifyReport VerifyOnDisk() const {
    const std::unique_ptr<RocksCommitLog> log = Open();
    absl::StatusOr<VerifyReport> report = Verify(*log, *log, HighWaterFile(folders_.data + "/high_water").Read());
    EXPECT_TRUE(report.ok()) << report.status();
    return *std::move(report);
  }

  // All that a commit log holds, as text.
  static std::string Contents(const RocksCommitLog& log) {
    MemoryCommitLog copy;
    EXPECT_TRUE(log.ReadBlocks(0,
                               [&](uint64_t first, std::string_view bytes) {
                                 const std::string block(bytes);
                                 copy.TamperBlock(first, &block);
                                 return true;
                               })
                    .ok());
    for (int table = 0; table < kTables; ++table) {
      for (const std::string& key : KeysOf(log, static_cast<Table>(table))) {
        const std::string value = **log.Get(static_cast<Table>(table), key);
        copy.Tamper(static_cast<Table>(table), key, &value);
      }
    }
    return StoreAsText(copy);
  }

  std::map<std::string, uintmax_t> Listing() const {
    std::map<std::string, uintmax_t> files;
    for (const auto& entry : fs::recursive_directory_iterator(folders_.data)) {
      if (entry.is_regular_file()) files[entry.path()] = entry.file_size();
    }
    files.erase(folders_.data + "/switchd.lock");
    return files;
  }

  TemporaryFolder folder_;
  const LedgerFolders folders_{folder_.Under("data"), folder_.Under("data/ledger"), folder_.Under("scratch")};
  MemoryCommitLog store_;
  ChainPosition end_;
};

TEST_F(RebuildTest, DamagedRowsAreMadeAnewAndTheJournalStays) {
  const std::string sound = StoreAsText(store_);
  Change([&](RowBatch& rows) {
    for (const Table table : {Table::kRequests, Table::kPayments, Table::kSnapshot}) {
      const std::vector<std::string> keys = KeysOf(store_, table);
      rows.Put(table, keys[0], "nonsense");
      rows.Delete(table, keys[1]);
      rows.Put(table, keys[2] + "x", **store_.Get(table, keys[2]));
    }
  });
  const VerifyReport damaged = VerifyOnDisk();
  EXPECT_FALSE(damaged.clean());
  EXPECT_FALSE(damaged.journal_damaged);
  const absl::StatusOr<RebuiltLedger> result = RebuildLedger(folders_);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rebuilt.end.last_sequence, end_.last_sequence);
  EXPECT_THAT(VerifyOnDisk().faults, IsEmpty());
  EXPECT_EQ(Contents(*Open()), sound);
  EXPECT_FALSE(fs::exists(folders_.ledger + ".building"));
  // The damaged one is kept as it was.
  absl::StatusOr<std::unique_ptr<RocksCommitLog>> before = RocksCommitLog::Open(result->replaced);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ((*Verify(**before, **before)).fault_count, damaged.fault_count);
}

TEST_F(RebuildTest, ASoundLedgerIsTheSameAfterwards) {
  const std::string sound = Contents(*Open());
  for (int time = 1; time <= 2; ++time) {
    const absl::StatusOr<RebuiltLedger> result = RebuildLedger(folders_);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->replaced, folders_.ledger + ".before-rebuild-" + std::to_string(time));
    EXPECT_EQ(Contents(*Open()), sound);
  }
}

TEST_F(RebuildTest, WhatACrashLeftIsBuiltAnew) {
  fs::create_directories(folders_.ledger + ".building");
  std::ofstream(folders_.ledger + ".building/CURRENT") << "half";
  ASSERT_TRUE(RebuildLedger(folders_).ok());
  EXPECT_THAT(VerifyOnDisk().faults, IsEmpty());
}

TEST_F(RebuildTest, ADamagedJournalIsNotMended) {
  uint64_t first = 0;
  std::string block;
  ASSERT_TRUE(store_
                  .ReadBlocks(end_.last_sequence / 2,
                              [&](uint64_t key, std::string_view bytes) {
                                first = key;
                                block = bytes;
                                return false;
                              })
                  .ok());
  block[block.size() / 2] = static_cast<char>(block[block.size() / 2] ^ 4);
  const SealedBlock damaged{first, first, block};
  ASSERT_EQ(AppendAndWait(*Open(), &damaged, RowBatch()).outcome, CommitOutcome::kDurable);
  EXPECT_TRUE(VerifyOnDisk().journal_damaged);
  const auto before = Listing();
  const absl::Status refused = RebuildLedger(folders_).status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("block at sequence " + std::to_string(first)));
  EXPECT_EQ(Listing(), before);
}

TEST_F(RebuildTest, AShortJournalIsNotRebuiltUntilItsEndIsAccepted) {
  ChainPosition lost = end_;
  lost.last_sequence += 3;
  ASSERT_TRUE(HighWaterFile(folders_.data + "/high_water").Write(lost).ok());
  EXPECT_TRUE(VerifyOnDisk().journal_damaged);
  EXPECT_THAT(std::string(RebuildLedger(folders_).status().message()),
              HasSubstr(fmt::format("what came after {} is missing", end_.last_sequence)));

  // Whoever accepts it must have seen it.
  EXPECT_TRUE(absl::IsInvalidArgument(AcceptEnd(folders_, end_.last_sequence + 3).status()));
  EXPECT_TRUE(VerifyOnDisk().journal_damaged);
  const absl::StatusOr<AcceptedEnd> accepted = AcceptEnd(folders_, end_.last_sequence);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->given_up->last_sequence, lost.last_sequence);
  EXPECT_EQ((*HighWaterFile(accepted->kept_mark).Read())->position.last_sequence, lost.last_sequence);
  EXPECT_THAT(VerifyOnDisk().faults, IsEmpty());
  // Nothing is sent before somebody confirms that no other switch works on these accounts.
  const std::optional<RestoredMarker> marker = *ReadRestoredMarker(folders_.data);
  ASSERT_TRUE(marker.has_value());
  EXPECT_TRUE(marker->complete);
  EXPECT_EQ(marker->backup_id, 0u);
  EXPECT_EQ(marker->last_sequence, end_.last_sequence);
  EXPECT_TRUE(RebuildLedger(folders_).ok());
  // There is nothing more to accept.
  EXPECT_TRUE(absl::IsFailedPrecondition(AcceptEnd(folders_, end_.last_sequence).status()));
}

TEST_F(RebuildTest, AMarkThatCannotBeReadMayBeGivenUpToo) {
  std::ofstream(folders_.data + "/high_water", std::ios::trunc) << "nonsense";
  EXPECT_TRUE(absl::IsDataLoss(RebuildLedger(folders_).status()));
  const absl::StatusOr<AcceptedEnd> accepted = AcceptEnd(folders_, end_.last_sequence);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_FALSE(accepted->given_up.has_value());
  EXPECT_THAT(VerifyOnDisk().faults, IsEmpty());
}

TEST_F(RebuildTest, AFolderInUseIsLeftAlone) {
  const absl::StatusOr<FolderLock> lock = FolderLock::Take(folders_.data);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const auto before = Listing();
  EXPECT_TRUE(absl::IsFailedPrecondition(RebuildLedger(folders_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(AcceptEnd(folders_, end_.last_sequence).status()));
  EXPECT_EQ(Listing(), before);
}

TEST(RebuildOfNothingTest, AnEmptyJournalGivesAnEmptyStore) {
  MemoryCommitLog empty;
  MemoryCommitLog rebuilt;
  const absl::StatusOr<Rebuilt> result = CopyWithNewRows(empty, &rebuilt);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(StoreAsText(rebuilt), "");
}

}  // namespace
}  // namespace waystation::storage
