// Stores of every format that was released: each opens, replays, verifies, and goes on. One that is newer than this
// program is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "fmt/format.h"
#include "storage/leg_codec.h"
#include "storage/rebuild.h"
#include "storage/rocks_commit_log.h"
#include "storage/verify.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/reseal.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/store_text.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FormatTest : public ::testing::TestWithParam<const char*> {
 protected:
  FormatTest() {
    std::ifstream file(fmt::format("{}/formats/{}", WS_TESTS_STORAGE_FOLDER, GetParam()));
    std::ostringstream text;
    text << file.rdbuf();
    ReadStoreText(text.str(), &store_);
    blocks_ = BlocksOf(store_);
  }

  MemoryCommitLog store_;
  std::vector<OpenedBlock> blocks_;
};

TEST_P(FormatTest, IsWhatACrashLeft) {
  ASSERT_GT(blocks_.size(), 20u);
  for (const OpenedBlock& block : blocks_) {
    EXPECT_EQ(fmt::format("v{}.store", block.header.format_version()), GetParam());
  }
  core::Ledger ledger(ShopDate());
  const absl::StatusOr<Recovered> recovered = Recover(store_, store_, &ledger);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_GT(recovered->snapshot_sequence, 0u);
  EXPECT_GT(recovered->legs_replayed, 0u);
  EXPECT_EQ(recovered->position.last_sequence, blocks_.back().legs.back().sequence);
  EXPECT_EQ(ledger.SumOfBalances(), core::Money());
  EXPECT_GT(ledger.payments_in_memory(), 0u);
}

TEST_P(FormatTest, Verifies) {
  const absl::StatusOr<VerifyReport> report = Verify(store_, store_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->faults, IsEmpty());
  EXPECT_GT(report->payments_at_rest, 0u);
  EXPECT_GT(report->payments_open, 0u);
}

// And what it goes on to from its snapshot is what a replay of everything gives, to the byte.
TEST_P(FormatTest, GoesOn) {
  ManualClock clock;
  clock.Advance(std::chrono::hours(24 * 365));  // later than anything in the store
  RunningLedger running(&store_, &clock);
  running.Start();
  OpenShop(running);
  const core::Payment paid = running.Pay(ShopPayment("R1"));
  EXPECT_GT(paid.id.number(), blocks_.back().legs.back().sequence);
  EXPECT_TRUE(running.Do(ShopOutcome(paid.id, core::PaymentEvent::kApproved)).status.ok());
  running.Stop();
  const absl::StatusOr<VerifyReport> report = Verify(store_, store_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->faults, IsEmpty());
  MemoryCommitLog rebuilt;
  ASSERT_TRUE(CopyWithNewRows(store_, &rebuilt).ok());
  EXPECT_EQ(StoreAsText(rebuilt), StoreAsText(store_));
}

TEST_P(FormatTest, OpensOnDisk) {
  TemporaryFolder folder;
  absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folder.Under("ledger"));
  ASSERT_TRUE(log.ok()) << log.status();
  CopyStore(store_, log->get());
  log->reset();
  log = RocksCommitLog::Open(folder.Under("ledger"));
  ASSERT_TRUE(log.ok()) << log.status();
  core::Ledger ledger(ShopDate());
  ASSERT_TRUE(Recover(**log, **log, &ledger).ok());
  const absl::StatusOr<VerifyReport> report = Verify(**log, **log);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->faults, IsEmpty());
}

TEST_P(FormatTest, ABlockOfANewerFormatIsRefused) {
  const uint64_t last = blocks_.back().header.first_sequence();
  std::string block;
  ASSERT_TRUE(store_
                  .ReadBlocks(last,
                              [&](uint64_t, std::string_view bytes) {
                                block = bytes;
                                return false;
                              })
                  .ok());
  const std::string newer =
      Reseal(block, [](pb::Block* b) { b->mutable_header()->set_format_version(kJournalFormatVersion + 1); });
  store_.TamperBlock(last, &newer);
  core::Ledger ledger(ShopDate());
  const absl::Status refused = Recover(store_, store_, &ledger).status();
  EXPECT_TRUE(absl::IsUnimplemented(refused)) << refused;
  EXPECT_THAT(
      std::string(refused.message()),
      AllOf(HasSubstr(fmt::format("block at sequence {}: is of journal format {}", last, kJournalFormatVersion + 1)),
            HasSubstr("use a newer one")));
  MemoryCommitLog rebuilt;
  EXPECT_TRUE(absl::IsUnimplemented(CopyWithNewRows(store_, &rebuilt).status()));
}

TEST_P(FormatTest, ASnapshotOfANewerFormatIsRefused) {
  pb::LedgerRecord record;
  ASSERT_TRUE(record.ParseFromString(**store_.Get(Table::kSnapshot, "z")));
  record.set_format_version(kJournalFormatVersion + 1);
  const std::string newer = record.SerializeAsString();
  store_.Tamper(Table::kSnapshot, "z", &newer);
  core::Ledger ledger(ShopDate());
  const absl::Status refused = Recover(store_, store_, &ledger).status();
  EXPECT_TRUE(absl::IsUnimplemented(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("use a newer one"));
}

INSTANTIATE_TEST_SUITE_P(Released, FormatTest, ::testing::Values("v1.store", "v2.store", "v3.store"),
                         [](const auto& released) { return std::string(released.param).substr(0, 2); });

}  // namespace
}  // namespace waystation::storage
