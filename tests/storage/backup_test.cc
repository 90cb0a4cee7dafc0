// A backup of a ledger that is being written to, and what is restored from it.

#include "storage/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "storage/high_water.h"
#include "storage/memory_commit_log.h"
#include "storage/restored_marker.h"
#include "switch/core/check.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

// Appends to the store in memory that the sequencer's index reads, and to the one on disk that is backed up. The
// test's blocks are small, so that the disk has each before the sequencer hears of it.
class BothLogs final : public CommitLog {
 public:
  BothLogs(CommitLog* memory, CommitLog* disk) : memory_(memory), disk_(disk) {}
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    EXPECT_EQ(AppendAndWait(*disk_, block, rows).outcome, CommitOutcome::kDurable);
    memory_->Append(block, rows, std::move(done));
  }
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override {
    return memory_->ReadBlocks(from_sequence, visit);
  }

 private:
  CommitLog* const memory_;
  CommitLog* const disk_;
};

// A ledger on disk with its sequencer, which draws its business from a seed.
struct Business {
  explicit Business(const std::string& path, uint64_t seed) : workload(seed) {
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> opened = RocksCommitLog::Open(path);
    WS_CHECK(opened.ok(), std::string(opened.status().message()));
    disk = *std::move(opened);
    both = std::make_unique<BothLogs>(&memory, disk.get());
    RunningLedger::Options options;
    options.log = both.get();
    options.snapshot_interval = std::chrono::milliseconds(1);
    running = std::make_unique<RunningLedger>(&memory, &clock, options);
    running->Start();
  }
  ~Business() { running->Stop(); }

  void Run(int batches) { workload.Run(*running, clock, batches); }
  uint64_t LastSequence() const { return running->sequencer().durable_sequence(); }

  Workload workload;
  ManualClock clock;
  MemoryCommitLog memory;
  std::unique_ptr<RocksCommitLog> disk;
  std::unique_ptr<BothLogs> both;
  std::unique_ptr<RunningLedger> running;
};

class BackupTest : public ::testing::Test {
 protected:
  absl::StatusOr<Backup> Make(uint32_t keep = 10) {
    return BackupMaker(backups_, keep).Make(*business_.disk, business_.LastSequence());
  }

  std::vector<uint32_t> Ids() {
    std::vector<uint32_t> ids;
    const absl::StatusOr<std::vector<Backup>> backups = ListBackups(backups_);
    EXPECT_TRUE(backups.ok()) << backups.status();
    if (!backups.ok()) return ids;
    for (const Backup& backup : *backups) ids.push_back(backup.id);
    return ids;
  }

  TemporaryFolder folder_;
  const std::string backups_ = folder_.Under("backups");
  const std::string data_ = folder_.Under("restored");
  Business business_{folder_.Under("ledger"), 1};
};

TEST_F(BackupTest, EachRestoresToWhereTheLedgerStoodThen) {
  std::vector<Backup> made;
  for (int i = 0; i < 3; ++i) {
    business_.Run(30);
    const absl::StatusOr<Backup> backup = Make();
    ASSERT_TRUE(backup.ok()) << backup.status();
    EXPECT_EQ(backup->last_sequence, business_.LastSequence());
    made.push_back(*backup);
  }
  business_.Run(10);
  EXPECT_THAT(Ids(), ElementsAre(1U, 2U, 3U));
  for (const Backup& backup : made) {
    const std::string data = fmt::format("{}-{}", data_, backup.id);
    const absl::StatusOr<RestoredLedger> restored = RestoreBackup(backups_, backup.id, data);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_TRUE(restored->verified.clean()) << restored->verified.faults.front();
    EXPECT_EQ(restored->verified.last_sequence, backup.last_sequence);
    const absl::StatusOr<std::optional<RestoredMarker>> marker = ReadRestoredMarker(data);
    ASSERT_TRUE(marker.ok() && marker->has_value()) << marker.status();
    EXPECT_TRUE((*marker)->complete);
    EXPECT_EQ((*marker)->backup_id, backup.id);
    EXPECT_EQ((*marker)->last_sequence, backup.last_sequence);
    EXPECT_EQ((*marker)->backup_time, backup.time);
    const absl::StatusOr<std::optional<HighWaterMark>> mark = HighWaterFile(data + "/high_water").Read();
    ASSERT_TRUE(mark.ok() && mark->has_value()) << mark.status();
    EXPECT_EQ((*mark)->position.last_sequence, backup.last_sequence);
  }
  const absl::StatusOr<RestoredLedger> newest = RestoreBackup(backups_, 0, data_);
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ(newest->backup.id, 3U);
}

TEST_F(BackupTest, OfALedgerThatIsBeingWrittenToIsAPrefixOfItsJournal) {
  business_.Run(20);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) business_.Run(1);
  });
  for (uint32_t id = 1; id <= 5; ++id) {
    const absl::StatusOr<Backup> backup = Make();
    ASSERT_TRUE(backup.ok()) << backup.status();
    EXPECT_EQ(backup->id, id);
  }
  done = true;
  writer.join();
  for (uint32_t id = 1; id <= 5; ++id) {
    const absl::StatusOr<RestoredLedger> restored = RestoreBackup(backups_, id, fmt::format("{}-{}", data_, id));
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_TRUE(restored->verified.clean()) << restored->verified.faults.front();
    EXPECT_GE(restored->verified.last_sequence, restored->backup.last_sequence);
    EXPECT_LE(restored->verified.last_sequence, business_.LastSequence());
  }
}

TEST_F(BackupTest, OnlyTheNewestAreKept) {
  business_.Run(5);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Make(2).ok());
  EXPECT_THAT(Ids(), ElementsAre(3U, 4U));
}

TEST_F(BackupTest, AFolderHoldsOneLedgersBackups) {
  business_.Run(5);
  ASSERT_TRUE(Make().ok());
  Business other(folder_.Under("other"), 2);
  other.clock.Advance(std::chrono::seconds(1));  // no two ledgers begin with the same block at the same time
  other.Run(5);
  const absl::StatusOr<Backup> refused = BackupMaker(backups_, 10).Make(*other.disk, other.LastSequence());
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("another ledger"));
  EXPECT_THAT(Ids(), ElementsAre(1U));
}

TEST_F(BackupTest, AFolderThatCantBeMadeIsNamed) {
  business_.Run(1);
  const absl::StatusOr<Backup> refused = BackupMaker("/proc/backups", 10).Make(*business_.disk, 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("/proc/backups"));
}

TEST_F(BackupTest, OneThatIsStoppedLeavesNothingBehind) {
  business_.Run(5);
  ASSERT_TRUE(Make().ok());
  BackupMaker maker(backups_, 10);
  maker.Stop();
  EXPECT_TRUE(absl::IsCancelled(maker.Make(*business_.disk, business_.LastSequence()).status()));
  EXPECT_THAT(Ids(), ElementsAre(1U));
  EXPECT_TRUE(Make().ok());
}

TEST_F(BackupTest, WhereThereIsNoneThatIsSaid) {
  EXPECT_TRUE(absl::IsNotFound(ListBackups(backups_).status()));
  EXPECT_FALSE(fs::exists(backups_)) << "looking for backups makes no folder";
  fs::create_directory(backups_);
  EXPECT_TRUE(absl::IsNotFound(ListBackups(backups_).status()));
  business_.Run(5);
  ASSERT_TRUE(Make().ok());
  const absl::StatusOr<RestoredLedger> restored = RestoreBackup(backups_, 7, data_);
  EXPECT_TRUE(absl::IsNotFound(restored.status())) << restored.status();
  EXPECT_THAT(std::string(restored.status().message()), HasSubstr("no complete backup 7"));
  EXPECT_FALSE(fs::exists(data_));
}

TEST_F(BackupTest, NothingIsRestoredOverWhatIsThere) {
  business_.Run(5);
  ASSERT_TRUE(Make().ok());
  fs::create_directory(data_);
  std::ofstream(data_ + "/a file") << "kept";
  const absl::StatusOr<RestoredLedger> restored = RestoreBackup(backups_, 0, data_);
  EXPECT_TRUE(absl::IsFailedPrecondition(restored.status())) << restored.status();
  EXPECT_EQ(std::distance(fs::directory_iterator(data_), fs::directory_iterator()), 1);
}

// A byte flipped in each file of a backup, one after the other: never restored as if nothing were wrong.
TEST_F(BackupTest, ADamagedFileIsFound) {
  business_.Run(30);
  ASSERT_TRUE(Make().ok());
  std::vector<std::string> files;
  for (const char* part : {"shared_checksum", "private"}) {
    if (!fs::exists(backups_ + "/" + part)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(backups_ + "/" + part)) {
      if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path().string());
    }
  }
  ASSERT_GE(files.size(), 3U);
  for (size_t i = 0; i < files.size(); ++i) {
    const auto middle = static_cast<std::streamoff>(fs::file_size(files[i]) / 2);
    const auto flip = [&] {
      std::fstream file(files[i], std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(middle);
      const char byte = static_cast<char>(file.get() ^ 0x10);
      file.seekp(middle);
      file.put(byte);
    };
    flip();
    const std::string data = fmt::format("{}-{}", data_, i);
    const absl::StatusOr<RestoredLedger> restored = RestoreBackup(backups_, 0, data);
    EXPECT_TRUE(absl::IsDataLoss(restored.status())) << files[i] << ": " << restored.status();
    const absl::StatusOr<std::optional<RestoredMarker>> marker = ReadRestoredMarker(data);
    ASSERT_TRUE(marker.ok() && marker->has_value());
    EXPECT_FALSE((*marker)->complete);
    flip();
  }
  EXPECT_TRUE(RestoreBackup(backups_, 0, data_).ok());
}

TEST(RestoredMarkerTest, StandsUntilItIsConfirmed) {
  TemporaryFolder folder;
  EXPECT_FALSE(ReadRestoredMarker(folder.path())->has_value());
  RestoredMarker marker{.complete = false,
                        .backup_id = 12,
                        .backup_time = core::TimePoint(std::chrono::milliseconds(1'795'219'200'000)),
                        .last_sequence = 0};
  ASSERT_TRUE(WriteRestoredMarker(folder.path(), marker).ok());
  EXPECT_FALSE((*ReadRestoredMarker(folder.path()))->complete);
  marker.complete = true;
  marker.last_sequence = 4'711;
  ASSERT_TRUE(WriteRestoredMarker(folder.path(), marker).ok());
  const std::optional<RestoredMarker> read = *ReadRestoredMarker(folder.path());
  EXPECT_TRUE(read->complete);
  EXPECT_EQ(read->backup_id, 12U);
  EXPECT_EQ(read->backup_time, marker.backup_time);
  EXPECT_EQ(read->last_sequence, 4'711U);

  ASSERT_TRUE(RemoveRestoredMarker(folder.path()).ok());
  EXPECT_FALSE(ReadRestoredMarker(folder.path())->has_value());
}

TEST(RestoredMarkerTest, WhatCantBeReadIsNoConfirmation) {
  TemporaryFolder folder;
  for (const char* text : {"", "no fields", "waystation_restored: 2\ncomplete: 1\nbackup_id: 1\n"}) {
    std::ofstream(folder.Under("restored")) << text;
    EXPECT_TRUE(absl::IsDataLoss(ReadRestoredMarker(folder.path()).status())) << text;
  }
}

}  // namespace
}  // namespace waystation::storage
