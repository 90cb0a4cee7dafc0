// The backup commands over a folder of backups that a test made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "storage/backup.h"
#include "storage/block.h"
#include "storage/restored_marker.h"
#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class BackupCommandsTest : public testing::Test {
 protected:
  BackupCommandsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ctl-backup-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    auto log = storage::RocksCommitLog::Open(Under("ledger"));
    EXPECT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  ~BackupCommandsTest() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Under(const char* name) const { return (folder_ / name).string(); }

  void AddLeg(bool damaged = false) {
    storage::BlockBuilder builder;
    builder.Start(position_, {core::TimePoint(std::chrono::milliseconds(1'795'248'306'123)),
                              core::BusinessDate::FromNumber(20261121).value()});
    const uint64_t sequence = position_.last_sequence + 1;
    builder.Add({sequence, core::BillerRegistered{"biller-" + std::to_string(sequence)}});
    storage::SealedBlock sealed;
    builder.Seal(&position_, &sealed);
    if (damaged) sealed.bytes[sealed.bytes.size() / 2] ^= 1;
    log_->Append(&sealed, storage::RowBatch(), [](storage::CommitResult result) {
      ASSERT_EQ(result.outcome, storage::CommitOutcome::kDurable) << result.cause;
    });
  }

  void MakeBackup() {
    const auto backup = storage::BackupMaker(Under("backups"), 10).Make(*log_, position_.last_sequence);
    ASSERT_TRUE(backup.ok()) << backup.status();
  }

  Ran Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "backup");
    arguments.insert(arguments.end(), {"--backup", Under("backups")});
    return RunWith(arguments);
  }

  std::filesystem::path folder_;
  std::unique_ptr<storage::RocksCommitLog> log_;
  storage::ChainPosition position_;
};

TEST_F(BackupCommandsTest, ListShowsWhatEachHolds) {
  AddLeg();
  MakeBackup();
  AddLeg();
  AddLeg();
  MakeBackup();
  const Ran list = Run({"list"});
  EXPECT_EQ(list.exit, 0) << list.err;
  EXPECT_THAT(list.out,
              testing::ContainsRegex("ID +MADE \\(UTC\\+8\\) +LAST SEQUENCE +MB\n +1 .* 1 +[0-9.]+\n +2 .* 3 +"));
  const Ran json = Run({"list", "--json"});
  EXPECT_THAT(json.out, AllOf(HasSubstr("{\"id\":1,\"timeMs\":\""), HasSubstr("\"lastSequence\":\"3\"}\n")));
}

TEST_F(BackupCommandsTest, VerifyRestoresItToSeeThatItIsClean) {
  AddLeg();
  AddLeg();
  MakeBackup();
  AddLeg();
  MakeBackup();
  const std::string scratch = Under("scratch");
  std::filesystem::create_directory(scratch);
  const Ran newest = Run({"verify", "--scratch", scratch});
  EXPECT_EQ(newest.exit, 0) << newest.err;
  EXPECT_THAT(newest.out, AllOf(testing::ContainsRegex("backup +2\n"), testing::ContainsRegex("last sequence +3\n"),
                                testing::ContainsRegex("result +clean\n")));
  const Ran first = Run({"verify", "--id", "1", "--scratch", scratch, "--json"});
  EXPECT_EQ(first.exit, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("{\"id\":1,"), HasSubstr("\"verified\":{\"clean\":true,")));
  EXPECT_EQ(std::count(first.out.begin(), first.out.end(), '\n'), 1) << "one line";
  EXPECT_TRUE(std::filesystem::is_empty(scratch)) << "nothing is left behind";
}

TEST_F(BackupCommandsTest, RestoreGivesALedgerThatVerifiesAndIsMarked) {
  AddLeg();
  AddLeg();
  MakeBackup();
  const Ran restored = Run({"restore", "--data", Under("data")});
  EXPECT_EQ(restored.exit, 0) << restored.err;
  EXPECT_THAT(restored.err, AllOf(HasSubstr("restored to leg 2"), HasSubstr("confirm-old-switch-dead")));
  EXPECT_TRUE((*storage::ReadRestoredMarker(Under("data")))->complete);
  const Ran verify = RunWith({"journal", "verify", "--data", Under("data")});
  EXPECT_EQ(verify.exit, 0) << verify.err;

  const Ran again = Run({"restore", "--data", Under("data")});
  EXPECT_EQ(again.exit, 2);
  EXPECT_THAT(again.err, HasSubstr("is not empty"));
}

TEST_F(BackupCommandsTest, ADamagedLedgerIsDamagedInItsBackupToo) {
  AddLeg();
  AddLeg(/*damaged=*/true);
  MakeBackup();
  const Ran verify = Run({"verify"});
  EXPECT_EQ(verify.exit, 1);
  EXPECT_THAT(verify.err, HasSubstr("backup 1 holds a damaged ledger"));
  const Ran restored = Run({"restore", "--data", Under("data")});
  EXPECT_EQ(restored.exit, 1);
  EXPECT_FALSE((*storage::ReadRestoredMarker(Under("data")))->complete) << "switchd does not start on it";
}

TEST_F(BackupCommandsTest, WhatIsNotThereIsSaid) {
  const Ran none = Run({"list"});
  EXPECT_EQ(none.exit, 2);
  EXPECT_THAT(none.out, IsEmpty());
  EXPECT_THAT(none.err, AllOf(HasSubstr("backups"), HasSubstr("is not a folder"), HasSubstr("storage.backup_dir")));
  AddLeg();
  MakeBackup();
  EXPECT_EQ(Run({"verify", "--id", "9"}).exit, 2);
  EXPECT_EQ(Run({"verify", "--id", "0"}).exit, 2);
}

}  // namespace
}  // namespace waystation::ctl
