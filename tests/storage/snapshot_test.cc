// Start-up: what a store gives back is what the live ledger had.

#include "storage/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/leg_codec.h"
#include "tests/core/ledger_world.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/reseal.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

using core::Describe;
using core::PaymentState;
using ::testing::HasSubstr;

const std::string kLedgerRow = "z";

pb::LedgerRecord LedgerRowOf(const MemoryCommitLog& store) {
  pb::LedgerRecord record;
  EXPECT_TRUE(record.ParseFromString(**store.Get(Table::kSnapshot, kLedgerRow)));
  return record;
}

void SetLedgerRow(MemoryCommitLog& store, const pb::LedgerRecord& record) {
  const std::string value = record.SerializeAsString();
  store.Tamper(Table::kSnapshot, kLedgerRow, &value);
}

struct Restart {
  explicit Restart(const MemoryCommitLog& store) : recovered(Recover(store, store, &ledger)) {}
  core::Ledger ledger{ShopDate()};
  absl::StatusOr<Recovered> recovered;
};

void ExpectRefused(const MemoryCommitLog& store, const std::string& fault) {
  const Restart restart(store);
  ASSERT_TRUE(absl::IsDataLoss(restart.recovered.status())) << restart.recovered.status();
  EXPECT_THAT(std::string(restart.recovered.status().message()), HasSubstr(fault));
}

// Random business in two runs: the first ends with a snapshot, the second with a crash in its middle.
class RecoveryTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  RecoveryTest() : workload_(GetParam()) {
    RunningLedger first(&store_, &clock_);
    first.Start();
    workload_.Run(first, clock_, 150);
    first.Stop();
  }

  ManualClock clock_;
  MemoryCommitLog store_;
  Workload workload_;
};

TEST_P(RecoveryTest, SnapshotAndTailAndJournalAloneEqualLive) {
  RunningLedger second(&store_, &clock_);
  const uint64_t snapshot = second.recovered().position.last_sequence;
  EXPECT_EQ(second.recovered().snapshot_sequence, snapshot);
  EXPECT_EQ(second.recovered().legs_replayed, 0u);
  second.Start();
  workload_.Run(second, clock_, 100);
  const std::unique_ptr<MemoryCommitLog> crashed = CopyOf(store_);
  second.Stop();

  const Restart restart(*crashed);
  ASSERT_TRUE(restart.recovered.ok()) << restart.recovered.status();
  EXPECT_EQ(restart.recovered->snapshot_sequence, snapshot);
  EXPECT_GT(restart.recovered->legs_replayed, 50u);
  EXPECT_EQ(Describe(restart.ledger), Describe(second.ledger()));

  DropTable(*crashed, Table::kSnapshot);
  const Restart whole(*crashed);
  ASSERT_TRUE(whole.recovered.ok()) << whole.recovered.status();
  EXPECT_EQ(whole.recovered->snapshot_sequence, 0u);
  EXPECT_EQ(Describe(whole.ledger), Describe(second.ledger()));

  const Restart clean(store_);
  ASSERT_TRUE(clean.recovered.ok()) << clean.recovered.status();
  EXPECT_EQ(clean.recovered->legs_replayed, 0u);
  EXPECT_EQ(Describe(clean.ledger), Describe(second.ledger()));
}

TEST_P(RecoveryTest, ASnapshotWithEveryBlockEqualsLive) {
  RunningLedger second(&store_, &clock_, {.snapshot_interval = std::chrono::milliseconds(0)});
  second.Start();
  workload_.Run(second, clock_, 100);
  const std::unique_ptr<MemoryCommitLog> crashed = CopyOf(store_);
  second.Stop();
  const Restart restart(*crashed);
  ASSERT_TRUE(restart.recovered.ok()) << restart.recovered.status();
  EXPECT_EQ(restart.recovered->legs_replayed, 0u);
  EXPECT_EQ(Describe(restart.ledger), Describe(second.ledger()));
}

TEST_P(RecoveryTest, TheWorkloadReachesEveryState) {
  RunningLedger second(&store_, &clock_);
  second.Start();
  workload_.Run(second, clock_, 1'500);
  for (PaymentState state : core::kAllPaymentStates) EXPECT_TRUE(workload_.SawState(state)) << core::Name(state);
  EXPECT_GT(second.ledger().business_day().date, ShopDate());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecoveryTest, ::testing::Range<uint64_t>(1, 6));

// --- small stores, and what is wrong with them ---
class DamagedStoreTest : public ::testing::Test {
 protected:
  // Five blocks that open the shop, one with a payment, and a snapshot after them.
  DamagedStoreTest() {
    RunningLedger running(&store_, &clock_);
    running.Start();
    OpenShop(running);
    running.Pay(ShopPayment("R1"));
  }

  std::string BlockAt(uint64_t first_sequence) {
    std::string block;
    EXPECT_TRUE(store_
                    .ReadBlocks(first_sequence,
                                [&](uint64_t, std::string_view bytes) {
                                  block = bytes;
                                  return false;
                                })
                    .ok());
    return block;
  }

  ManualClock clock_;
  MemoryCommitLog store_;
};

TEST(EmptyStoreTest, StartsOnTheFirstDate) {
  MemoryCommitLog store;
  const Restart restart(store);
  ASSERT_TRUE(restart.recovered.ok()) << restart.recovered.status();
  EXPECT_EQ(restart.recovered->position.last_sequence, 0u);
  EXPECT_EQ(restart.recovered->snapshot_sequence, 0u);
  EXPECT_EQ(restart.ledger.business_day().date, ShopDate());
}

TEST_F(DamagedStoreTest, ANewLedgerTakesTheDateOfItsFirstBlock) {
  DropTable(store_, Table::kSnapshot);
  core::Ledger ledger(core::BusinessDate::FromDays(ShopDate().days() + std::chrono::days(9)));
  const absl::StatusOr<Recovered> recovered = Recover(store_, store_, &ledger);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(ledger.business_day().date, ShopDate());
}

TEST_F(DamagedStoreTest, ASnapshotNewerThanTheJournalIsRefused) {
  store_.TamperBlock(6, nullptr);
  ExpectRefused(store_, "the snapshot is newer than the journal: it is of leg 6, the journal ends at 5");
  for (uint64_t i = 1; i <= 5; ++i) store_.TamperBlock(i, nullptr);
  ExpectRefused(store_, "the snapshot is newer than the journal");
}

TEST_F(DamagedStoreTest, ASnapshotOfAnotherJournalIsRefused) {
  pb::LedgerRecord row = LedgerRowOf(store_);
  row.set_block_sha256(std::string(32, 'x'));
  SetLedgerRow(store_, row);
  ExpectRefused(store_, "the snapshot at leg 6 was made of another block than the journal has");

  // The same when blocks follow: the next one is not chained to it.
  DropTable(store_, Table::kSnapshot);
  RunningLedger running(&store_, &clock_);
  running.Start();
  running.Pay(ShopPayment("R2"));
  const std::unique_ptr<MemoryCommitLog> crashed = CopyOf(store_);
  SetLedgerRow(*crashed, row);
  const Restart restart(*crashed);
  EXPECT_TRUE(absl::IsDataLoss(restart.recovered.status())) << restart.recovered.status();
}

TEST_F(DamagedStoreTest, ASnapshotInTheMiddleOfABlockIsRefused) {
  MemoryCommitLog store;
  {
    RunningLedger running(&store, &clock_);
    for (const core::Command& command : ShopOpening()) running.Submit(command);
    running.Start();
  }
  ASSERT_EQ(BlocksOf(store).size(), 1u);
  pb::LedgerRecord row = LedgerRowOf(store);
  row.set_sequence(3);
  SetLedgerRow(store, row);
  ExpectRefused(store, "the snapshot at leg 3 was made of another block than the journal has");
}

TEST_F(DamagedStoreTest, ADamagedBlockIsRefused) {
  DropTable(store_, Table::kSnapshot);
  const std::string sound = BlockAt(3);
  for (size_t at : {size_t{0}, sound.size() / 2, sound.size() - 1}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    store_.TamperBlock(3, &damaged);
    ExpectRefused(store_, "after leg 2");
  }
  store_.TamperBlock(3, nullptr);
  ExpectRefused(store_, "block at sequence 4: follows leg 2");
}

TEST_F(DamagedStoreTest, ALegThatContradictsTheLedgerIsRefused) {
  DropTable(store_, Table::kSnapshot);
  const std::string forged = Reseal(BlockAt(6), [](pb::Block* block) {
    block->mutable_legs(0)->mutable_payment_accepted()->mutable_after()->set_reserved_fen(1);
  });
  store_.TamperBlock(6, &forged);
  ExpectRefused(store_, "leg 6: the account would stand at");
}

TEST_F(DamagedStoreTest, DamagedSnapshotRowsAreRefused) {
  const std::string garbage = "\xff";
  for (const std::string& key : KeysOf(store_, Table::kSnapshot)) {
    const std::unique_ptr<MemoryCommitLog> damaged = CopyOf(store_);
    damaged->Tamper(Table::kSnapshot, key, &garbage);
    ExpectRefused(*damaged, "does not parse");
  }
  pb::LedgerRecord row = LedgerRowOf(store_);
  row.clear_business_date();
  SetLedgerRow(store_, row);
  ExpectRefused(store_, "the snapshot's ledger row has no business date or no hash");
}

TEST_F(DamagedStoreTest, ANewerFormatIsRefusedWithAdvice) {
  pb::LedgerRecord row = LedgerRowOf(store_);
  row.set_format_version(kJournalFormatVersion + 1);
  SetLedgerRow(store_, row);
  const Restart snapshot(store_);
  ASSERT_TRUE(absl::IsUnimplemented(snapshot.recovered.status())) << snapshot.recovered.status();
  EXPECT_EQ(std::string(snapshot.recovered.status().message()),
            "the snapshot is of format 4; this program reads up to 3, use a newer one");

  DropTable(store_, Table::kSnapshot);
  const std::string newer = Reseal(BlockAt(6), [](pb::Block* b) { b->mutable_header()->set_format_version(7); });
  store_.TamperBlock(6, &newer);
  const Restart block(store_);
  EXPECT_TRUE(absl::IsUnimplemented(block.recovered.status())) << block.recovered.status();
}

TEST_F(DamagedStoreTest, AnOpenPaymentLeavesTheSnapshotWhenItComesToRest) {
  const auto open_rows = [&] {
    size_t rows = 0;
    for (const std::string& key : KeysOf(store_, Table::kSnapshot)) rows += key.starts_with('o') ? 1 : 0;
    return rows;
  };
  EXPECT_EQ(open_rows(), 1u);
  const auto run = [&](const core::Command& command) {
    RunningLedger running(&store_, &clock_);
    running.Start();
    const core::Reply reply = running.Do(command);
    EXPECT_TRUE(reply.status.ok()) << reply.status;
  };
  const core::PaymentId id = core::PaymentId::FromNumber(6);
  run(ShopOutcome(id, core::PaymentEvent::kApproved));
  EXPECT_EQ(open_rows(), 0u);
  run(core::StartCancel{ShopStation(), "0000000001", id, std::nullopt});
  EXPECT_EQ(open_rows(), 1u);
  run(ShopOutcome(id, core::PaymentEvent::kCancelConfirmed));
  EXPECT_EQ(open_rows(), 0u);
}

}  // namespace
}  // namespace waystation::storage
