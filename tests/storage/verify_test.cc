#include "storage/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "fmt/format.h"
#include "storage/key.h"
#include "storage/leg_codec.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/reseal.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

using core::PaymentEvent;
using core::PaymentId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

VerifyReport VerifyStore(const MemoryCommitLog& store) {
  absl::StatusOr<VerifyReport> report = Verify(store, store);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

class CleanStoreTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(CleanStoreTest, RandomBusinessIsClean) {
  ManualClock clock;
  MemoryCommitLog store;
  Workload workload(GetParam());
  for (int run = 0; run < 3; ++run) {
    RunningLedger running(&store, &clock, {.snapshot_interval = std::chrono::milliseconds(run == 1 ? 0 : 100'000)});
    running.Start();
    workload.Run(running, clock, 120);
    // In the middle of the day, and after it.
    EXPECT_THAT(VerifyStore(*CopyOf(store)).faults, IsEmpty());
    running.Stop();
    const VerifyReport report = VerifyStore(store);
    EXPECT_THAT(report.faults, IsEmpty());
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.snapshot_sequence, report.last_sequence);
    size_t legs = 0;
    for (const OpenedBlock& block : BlocksOf(store)) legs += block.legs.size();
    EXPECT_EQ(report.legs, legs);
    EXPECT_EQ(report.blocks, BlocksOf(store).size());
    EXPECT_EQ(report.accounts, 4u + 2u + 3u);
    EXPECT_EQ(report.payments_open, running.ledger().payments_in_memory());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CleanStoreTest, ::testing::Range<uint64_t>(11, 16));

TEST(EmptyStoreVerifyTest, IsClean) {
  const VerifyReport report = VerifyStore(MemoryCommitLog());
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.legs, 0u);
}

// Legs 1 to 5 open the shop (5: the purchase "opening"); 6, 7: payment 6, captured, request R1; 8: payment 8, held,
// request R2; 9: payment 9, unknown at 10; 11: day cut; 12: payment 9 captured on the later date, request R3; 13:
// payment 13, held, R4. A snapshot at 13.
class DamageTest : public ::testing::Test {
 protected:
  DamageTest() {
    RunningLedger running(&store_, &clock_);
    running.Start();
    OpenShop(running);
    const auto record = [&](uint64_t id, PaymentEvent event) {
      EXPECT_TRUE(running.Do(ShopOutcome(PaymentId::FromNumber(id), event)).status.ok());
      clock_.Advance(std::chrono::seconds(1));
    };
    running.Pay(ShopPayment("R1"));
    record(6, PaymentEvent::kApproved);
    running.Pay(ShopPayment("R2"));
    running.Pay(ShopPayment("R3"));
    record(9, PaymentEvent::kOutcomeUnknown);
    EXPECT_TRUE(running.Do(core::CloseDay{ShopDate(), ShopDate().NextDay()}).status.ok());
    record(9, PaymentEvent::kApproved);
    running.Pay(ShopPayment("R4"));
    running.Stop();
    EXPECT_THAT(VerifyStore(store_).faults, IsEmpty());
    EXPECT_EQ(running.ledger().last_sequence(), 13u);
  }

  std::string BlockAt(uint64_t first_sequence) {
    std::string block;
    const absl::Status status = store_.ReadBlocks(first_sequence, [&](uint64_t, std::string_view bytes) {
      block = bytes;
      return false;
    });
    EXPECT_TRUE(status.ok()) << status;
    return block;
  }

  std::string RowAt(Table table, const std::string& key) {
    const auto row = store_.Get(table, key);
    EXPECT_TRUE(row.ok() && row->has_value());
    return **row;
  }

  void Put(Table table, const std::string& key, const std::string& value) { store_.Tamper(table, key, &value); }

  // The only row of kPayments or kSnapshot whose key begins and ends so.
  std::string KeyOf(Table table, const std::string& prefix, uint64_t id) {
    std::string suffix;
    AppendNumber(&suffix, id);
    std::string found;
    for (const std::string& key : KeysOf(store_, table)) {
      if (key.starts_with(prefix) && key.ends_with(suffix)) found = key;
    }
    EXPECT_NE(found, "");
    return found;
  }

  static std::string RequestKeyOf(const std::string& request) { return core::RequestKey(ShopStation(), request); }

  // Parses the row, changes it, puts it back.
  template <typename Record>
  void Change(Table table, const std::string& key, const std::function<void(Record&)>& change) {
    Record record;
    ASSERT_TRUE(record.ParseFromString(RowAt(table, key)));
    change(record);
    Put(table, key, record.SerializeAsString());
  }

  void ExpectFault(const std::string& fault) {
    const VerifyReport report = VerifyStore(store_);
    EXPECT_FALSE(report.clean());
    EXPECT_THAT(report.faults, Contains(HasSubstr(fault)));
  }

  ManualClock clock_;
  MemoryCommitLog store_;
};

// --- the journal ---

TEST_F(DamageTest, ATamperedBlockEndsTheWalk) {
  std::string block = BlockAt(6);
  block.back() = static_cast<char>(block.back() ^ 1);
  store_.TamperBlock(6, &block);
  const VerifyReport report = VerifyStore(store_);
  EXPECT_THAT(report.faults, ElementsAre(HasSubstr("after leg 5: a stored block")));
  EXPECT_EQ(report.last_sequence, 5u);
}

TEST_F(DamageTest, AResealedBlockBreaksTheChainBehindIt) {
  const std::string forged = Reseal(BlockAt(5), [](pb::Block* block) {
    block->mutable_legs(0)->mutable_counter_purchased()->set_clerk_id("somebody else");
  });
  store_.TamperBlock(5, &forged);
  ExpectFault("block at sequence 6: is not chained to the block before it");
}

TEST_F(DamageTest, AForgedLastBlockDisagreesWithTheSnapshot) {
  const std::string forged = Reseal(BlockAt(13), [](pb::Block* block) { block->mutable_header()->set_epoch(1); });
  store_.TamperBlock(13, &forged);
  ExpectFault("snapshot at leg 13: was made of another block than the journal has");
}

TEST_F(DamageTest, ALegThatContradictsTheLedgerIsNamed) {
  const std::string forged = Reseal(
      BlockAt(13), [](pb::Block* block) { block->mutable_legs(0)->mutable_payment_accepted()->set_amount_fen(4'999); });
  store_.TamperBlock(13, &forged);
  ExpectFault("leg 13: the account would stand at");
}

TEST_F(DamageTest, AMissingBlockIsNamed) {
  store_.TamperBlock(8, nullptr);
  ExpectFault("block at sequence 9: follows leg 7; legs between them are missing");
}

TEST_F(DamageTest, AMissingLastBlockIsNamed) {
  store_.TamperBlock(13, nullptr);
  ExpectFault("the snapshot is of leg 13, and no block ends there; the journal ends at 12");
}

TEST_F(DamageTest, ABlockUnderAnotherKeyIsNamed) {
  const std::string block = BlockAt(13);
  store_.TamperBlock(13, nullptr);
  store_.TamperBlock(14, &block);
  ExpectFault("block at sequence 13: is stored under 14");
}

// --- rows of payments ---

TEST_F(DamageTest, AMissingPaymentRowIsNamed) {
  store_.Tamper(Table::kPayments, KeyOf(Table::kPayments, "p", 6), nullptr);
  ExpectFault("payment 6: its index row is missing");
  ExpectFault("1 payment rows are stored; the journal gives 2");
}

TEST_F(DamageTest, AChangedPaymentRowIsNamed) {
  Change<pb::PaymentRecord>(Table::kPayments, KeyOf(Table::kPayments, "p", 6),
                            [](pb::PaymentRecord& record) { record.set_amount_fen(1); });
  ExpectFault("payment 6: its index row differs from the journal at leg 7");
}

TEST_F(DamageTest, APaymentRowThatDoesNotDecodeIsNamed) {
  Change<pb::PaymentRecord>(Table::kPayments, KeyOf(Table::kPayments, "p", 9),
                            [](pb::PaymentRecord& record) { record.set_state(0); });
  ExpectFault("payment 9: its index row is damaged: payment.state: 0 is no state");
}

TEST_F(DamageTest, APaymentRowFromTheFutureIsNamed) {
  Change<pb::PaymentRecord>(Table::kPayments, KeyOf(Table::kPayments, "p", 6),
                            [](pb::PaymentRecord& record) { record.mutable_history(1)->set_sequence(99); });
  ExpectFault("payment 6: its index row is of leg 99, at which the journal does not have it");
}

TEST_F(DamageTest, APaymentRowTooManyIsNamed) {
  const std::string row = KeyOf(Table::kPayments, "p", 6);
  std::string other = row;
  other.back() = 77;
  Put(Table::kPayments, other, RowAt(Table::kPayments, row));
  ExpectFault("3 payment rows are stored; the journal gives 2");
}

TEST_F(DamageTest, RowsOfLaterChangesAreCompared) {
  const std::string row = KeyOf(Table::kPayments, "l", 9);
  const std::string sound = RowAt(Table::kPayments, row);
  store_.Tamper(Table::kPayments, row, nullptr);
  ExpectFault("payment 9: its row of a change on a later date is missing");
  // Another in its place.
  std::string other = row;
  other.back() = 6;
  Put(Table::kPayments, other, sound);
  ExpectFault("payment 9: its row of a change on a later date is missing");
  Put(Table::kPayments, row, sound);
  ExpectFault("2 rows of later changes are stored; the journal gives 1");
}

// --- rows of requests ---

TEST_F(DamageTest, AMissingRequestRowIsNamed) {
  store_.Tamper(Table::kRequests, RequestKeyOf("R1"), nullptr);
  ExpectFault("leg 7: payment 6: its request row is missing");
  ExpectFault("2 request rows are stored; the journal gives 3");
}

TEST_F(DamageTest, AMissingRequestRowOfAPurchaseIsNamed) {
  store_.Tamper(Table::kRequests, RequestKeyOf("opening"), nullptr);
  ExpectFault("leg 5: its request row is missing");
}

TEST_F(DamageTest, ARequestRowThatLeadsElsewhereIsNamed) {
  Put(Table::kRequests, RequestKeyOf("R1"), RowAt(Table::kRequests, RequestKeyOf("R3")));
  ExpectFault("leg 7: payment 6: its request row differs from the journal");
  Put(Table::kRequests, RequestKeyOf("R1"), RowAt(Table::kRequests, RequestKeyOf("opening")));
  ExpectFault("leg 7: payment 6: its request row differs from the journal");
  Put(Table::kRequests, RequestKeyOf("R1"), "\xff");
  ExpectFault("leg 7: payment 6: its request row differs from the journal");
}

TEST_F(DamageTest, ARequestRowTooManyIsNamed) {
  Put(Table::kRequests, RequestKeyOf("R9"), RowAt(Table::kRequests, RequestKeyOf("R1")));
  ExpectFault("4 request rows are stored; the journal gives 3");
}

// --- the snapshot ---

std::string StationRow() {
  std::string key{'a', static_cast<char>(core::AccountKind::kStation)};
  AppendNumber(&key, ShopStation().number());
  return key;
}

TEST_F(DamageTest, AChangedAccountIsNamed) {
  Change<pb::AccountRecord>(Table::kSnapshot, StationRow(),
                            [](pb::AccountRecord& record) { record.set_balance_fen(record.balance_fen() + 1); });
  ExpectFault("snapshot at leg 13: account station 440106000017 differs from the journal");
}

TEST_F(DamageTest, AMissingAccountIsNamed) {
  store_.Tamper(Table::kSnapshot, StationRow(), nullptr);
  ExpectFault("snapshot at leg 13: account station 440106000017 is missing");
}

TEST_F(DamageTest, AnAccountTooManyIsNamed) {
  pb::AccountRecord record;
  ASSERT_TRUE(record.ParseFromString(RowAt(Table::kSnapshot, StationRow())));
  record.set_station(1);
  Put(Table::kSnapshot, "a9", record.SerializeAsString());
  ExpectFault("snapshot at leg 13: an unknown kind (key 6139) is not in the journal");
}

TEST_F(DamageTest, AChangedOpenPaymentIsNamed) {
  Change<pb::PaymentRecord>(Table::kSnapshot, KeyOf(Table::kSnapshot, "o", 8),
                            [](pb::PaymentRecord& record) { record.set_customer_number("13900000000"); });
  ExpectFault("snapshot at leg 13: open payment 8 differs from the journal");
}

TEST_F(DamageTest, AMissingOpenPaymentIsNamed) {
  store_.Tamper(Table::kSnapshot, KeyOf(Table::kSnapshot, "o", 13), nullptr);
  ExpectFault("snapshot at leg 13: open payment 13 is missing");
}

TEST_F(DamageTest, AnOpenPaymentTooManyIsNamed) {
  pb::PaymentRecord record;
  ASSERT_TRUE(record.ParseFromString(RowAt(Table::kSnapshot, KeyOf(Table::kSnapshot, "o", 8))));
  record.set_payment_id(1);
  record.set_request_id("R9");
  Put(Table::kSnapshot, "o9", record.SerializeAsString());
  ExpectFault("snapshot at leg 13: an unknown kind (key 6f39) is not in the journal");
}

TEST_F(DamageTest, ASnapshotRowThatDoesNotDecodeIsNamed) {
  Change<pb::AccountRecord>(Table::kSnapshot, StationRow(), [](pb::AccountRecord& record) { record.set_status(0); });
  ExpectFault("snapshot at leg 13: account station 440106000017 differs from the journal");
  Put(Table::kSnapshot, "z", "\xff");
  ExpectFault("the snapshot's ledger row does not parse");
}

TEST_F(DamageTest, ASnapshotPastTheJournalIsNamed) {
  Change<pb::LedgerRecord>(Table::kSnapshot, "z", [](pb::LedgerRecord& record) { record.set_sequence(99); });
  ExpectFault("the snapshot is of leg 99, and no block ends there; the journal ends at 13");
}

TEST_F(DamageTest, ASnapshotOfAnotherDayIsNamed) {
  Change<pb::LedgerRecord>(Table::kSnapshot, "z", [](pb::LedgerRecord& record) { record.set_day_opened_sequence(3); });
  ExpectFault("snapshot at leg 13: the ledger's position differs from the journal");
  Change<pb::LedgerRecord>(Table::kSnapshot, "z", [](pb::LedgerRecord& record) { record.set_business_date(20261121); });
  ExpectFault("snapshot at leg 13: the ledger's position differs from the journal");
}

TEST_F(DamageTest, FaultsAreCountedBeyondTheirList) {
  for (int i = 0; i < 150; ++i) {
    pb::AccountRecord record;
    ASSERT_TRUE(record.ParseFromString(RowAt(Table::kSnapshot, StationRow())));
    record.set_station(static_cast<uint64_t>(i + 1));
    Put(Table::kSnapshot, fmt::format("a9{}", i), record.SerializeAsString());
  }
  const VerifyReport report = VerifyStore(store_);
  EXPECT_EQ(report.fault_count, 150u);
  EXPECT_EQ(report.faults.size(), 100u);
}

}  // namespace
}  // namespace waystation::storage
