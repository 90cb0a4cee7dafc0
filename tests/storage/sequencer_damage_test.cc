// Damaged rows under a switch at work: the request that needs them is refused and not taken, the others go on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

#include "storage/leg_codec.h"
#include "storage/rebuild.h"
#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"

namespace waystation::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Payment 6, captured, request R1: at rest, and out of memory.
class SequencerDamageTest : public ::testing::Test {
 protected:
  SequencerDamageTest() {
    running_.Start();
    OpenShop(running_);
    running_.Pay(ShopPayment("R1"));
    EXPECT_TRUE(running_.Do(Approval(6)).status.ok());
    running_.Do(core::ReadAccount{ShopStation()});
  }

  static core::RecordOutcome Approval(uint64_t id) {
    return ShopOutcome(core::PaymentId::FromNumber(id), core::PaymentEvent::kApproved);
  }

  static std::string RequestRow(const std::string& request) { return core::RequestKey(ShopStation(), request); }
  std::string PaymentRow() const { return KeysOf(store_, Table::kPayments).front(); }
  void Put(Table table, const std::string& key, const std::string& value) { store_.Tamper(table, key, &value); }

  // Nothing of it is recorded, and another payment goes through.
  void ExpectRefused(core::Command command, const std::string& cause) {
    const size_t blocks = BlocksOf(store_).size();
    const core::Reply reply = running_.Do(std::move(command));
    EXPECT_TRUE(absl::IsDataLoss(reply.status)) << reply.status;
    EXPECT_THAT(std::string(reply.status.message()),
                AllOf(HasSubstr("was not taken"), HasSubstr(cause), HasSubstr("switchctl journal rebuild-index")));
    EXPECT_EQ(BlocksOf(store_).size(), blocks);
    EXPECT_EQ(running_.Pay(ShopPayment("other " + cause)).state, core::PaymentState::kHeld);
  }

  ManualClock clock_;
  MemoryCommitLog store_;
  RunningLedger running_{&store_, &clock_};
};

TEST_F(SequencerDamageTest, ARequestRowThatDoesNotParse) {
  Put(Table::kRequests, RequestRow("R1"), "\xff");
  ExpectRefused(ShopPayment("R1"), "a request row does not parse");
}

TEST_F(SequencerDamageTest, APaymentRowThatDoesNotParse) {
  Put(Table::kPayments, PaymentRow(), "\xff");
  ExpectRefused(ShopPayment("R1"), "a payment row does not parse");
  ExpectRefused(core::StartCancel{ShopStation(), "", core::PaymentId::FromNumber(6), std::nullopt},
                "a payment row does not parse");
}

TEST_F(SequencerDamageTest, APaymentRowThatIsMissing) {
  store_.Tamper(Table::kPayments, PaymentRow(), nullptr);
  ExpectRefused(ShopPayment("R1"), "payment 6 has a request row and no payment row");
}

TEST_F(SequencerDamageTest, ARequestRowOfAnotherRequest) {
  EXPECT_EQ(running_.Pay(ShopPayment("R2")).id.number(), 8u);
  EXPECT_TRUE(running_.Do(Approval(8)).status.ok());
  running_.Do(core::ReadAccount{ShopStation()});
  Put(Table::kRequests, RequestRow("R1"), **store_.Get(Table::kRequests, RequestRow("R2")));
  ExpectRefused(ShopPayment("R1"), "a request row leads to payment 8 of another request");
  Put(Table::kRequests, RequestRow("R1"), **store_.Get(Table::kRequests, RequestRow("opening")));
  ExpectRefused(ShopPayment("R1"), "a request row has the purchase of another request");
}

TEST_F(SequencerDamageTest, AfterARebuildItIsTheFirstPaymentAgain) {
  Put(Table::kPayments, PaymentRow(), "\xff");
  ExpectRefused(ShopPayment("R1"), "a payment row does not parse");
  running_.Stop();
  MemoryCommitLog rebuilt;
  ASSERT_TRUE(CopyWithNewRows(store_, &rebuilt).ok());
  RunningLedger again(&rebuilt, &clock_);
  again.Start();
  const core::Reply reply = again.Do(ShopPayment("R1"));
  ASSERT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_TRUE(reply.repeated);
  EXPECT_EQ(std::get<core::Payment>(reply.value).id.number(), 6u);
}

// A snapshot that goes alone, when no block comes, is a write like any other.
TEST(SequencerSnapshotFailureTest, AFailedSnapshotIsFatal) {
  ManualClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.log = &log});
  running.Start();
  OpenShop(running);
  log.Hold();
  std::thread stop([&running] { running.Stop(); });
  log.WaitForHeld(1);
  log.Answer({CommitOutcome::kUnknown, "the disk is gone"});
  stop.join();
  EXPECT_THAT(running.WaitForFatal(), HasSubstr("a commit failed: the disk is gone"));
}

}  // namespace
}  // namespace waystation::storage
