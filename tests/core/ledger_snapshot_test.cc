// What the next snapshot must write, and what is made of one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const StationId kShop = StationId::FromNumber(440'106'000'001);

// A ledger alone, so that the test sees what TakeChanges says.
class LedgerSnapshotTest : public testing::Test {
 protected:
  LedgerSnapshotTest() : ledger_(FirstDate()) {
    Do(RegisterBiller{"mobile"});
    Do(RegisterStation{kShop, "a shop", {}});
    Do(SetStationStatus{kShop, StationStatus::kApproved, ""});
    Do(SetStationStatus{kShop, StationStatus::kActive, ""});
    Do(RecordCounterPurchase{kShop, "R1", Money::Fen(60'000), "C1"});
  }

  uint64_t Do(const Command& command) {
    const Decision decision = ledger_.Decide(command, {});
    EXPECT_TRUE(decision.leg.has_value()) << decision.reply.status;
    const uint64_t sequence = decision.leg->sequence;
    EXPECT_TRUE(ledger_.Apply(*decision.leg, StampOf(sequence, FirstDate())).ok());
    return sequence;
  }

  PaymentId Pay() {
    return PaymentId::FromNumber(Do(AcceptPayment{.station = kShop,
                                                  .operator_id = "0000000001",
                                                  .request_id = "Q1",
                                                  .biller_id = "mobile",
                                                  .customer_number = "13800000001",
                                                  .customer_name = {},
                                                  .amount = Money::Fen(10'000),
                                                  .presented = {}}));
  }

  void Record(PaymentId id, PaymentEvent event) {
    Do(RecordOutcome{.payment_id = id,
                     .event = event,
                     .decline = {},
                     .biller_reference = {},
                     .voucher = {},
                     .customer_name = {},
                     .unknown_cause = {}});
  }

  void Cancel(PaymentId id) { Do(StartCancel{kShop, "0000000001", id, {}}); }

  // The changes, by what they name.
  struct Names {
    std::vector<std::string> accounts;
    std::vector<PaymentId> open;
    std::vector<PaymentId> no_longer_open;
  };
  Names Take() {
    const Ledger::Changes changes = ledger_.TakeChanges();
    Names names;
    for (const Account* account : changes.accounts) names.accounts.emplace_back(Name(account->kind));
    for (const Payment* payment : changes.open) names.open.push_back(payment->id);
    names.no_longer_open = changes.no_longer_open;
    return names;
  }

  Ledger ledger_;
};

TEST_F(LedgerSnapshotTest, AccountsThatChangedStandOnceInTheNext) {
  EXPECT_THAT(Take().accounts, UnorderedElementsAre("station", "biller payable", "counter clearing"));
  EXPECT_THAT(Take().accounts, IsEmpty());
  const PaymentId id = Pay();
  EXPECT_THAT(Take().accounts, ElementsAre("station"));
  Record(id, PaymentEvent::kApproved);
  EXPECT_THAT(Take().accounts, UnorderedElementsAre("station", "biller payable"));
}

TEST_F(LedgerSnapshotTest, AnOpenPaymentIsWrittenWhenItChangesAndDroppedWhenItEnds) {
  const PaymentId id = Pay();
  Names names = Take();
  EXPECT_THAT(names.open, ElementsAre(id));
  EXPECT_THAT(names.no_longer_open, IsEmpty());
  EXPECT_THAT(Take().open, IsEmpty());
  Record(id, PaymentEvent::kOutcomeUnknown);
  EXPECT_THAT(Take().open, ElementsAre(id));
  Record(id, PaymentEvent::kApproved);
  names = Take();
  EXPECT_THAT(names.open, IsEmpty());
  EXPECT_THAT(names.no_longer_open, ElementsAre(id));
  EXPECT_THAT(Take().no_longer_open, IsEmpty());
}

TEST_F(LedgerSnapshotTest, APaymentThatComesAndGoesBetweenTwoSnapshotsIsInNeither) {
  Take();
  Record(Pay(), PaymentEvent::kApproved);
  const Names names = Take();
  EXPECT_THAT(names.open, IsEmpty());
  EXPECT_THAT(names.no_longer_open, IsEmpty());
}

TEST_F(LedgerSnapshotTest, APaymentThatEndsAndIsOpenedAgainBetweenTwoSnapshotsIsOpen) {
  const PaymentId id = Pay();
  Take();
  Record(id, PaymentEvent::kApproved);
  Cancel(id);
  Names names = Take();
  EXPECT_THAT(names.open, ElementsAre(id));
  EXPECT_THAT(names.no_longer_open, IsEmpty());
  Record(id, PaymentEvent::kCancelConfirmed);
  names = Take();
  EXPECT_THAT(names.open, IsEmpty());
  EXPECT_THAT(names.no_longer_open, ElementsAre(id));
}

TEST_F(LedgerSnapshotTest, APaymentThatIsOpenedAgainAndEndsAgainIsDroppedOnce) {
  const PaymentId id = Pay();
  Take();
  Record(id, PaymentEvent::kApproved);
  Cancel(id);
  Record(id, PaymentEvent::kCancelConfirmed);
  const Names names = Take();
  EXPECT_THAT(names.open, IsEmpty());
  EXPECT_THAT(names.no_longer_open, ElementsAre(id));
}

TEST_F(LedgerSnapshotTest, WhatWasRestoredHasItsRow) {
  const PaymentId id = Pay();
  SnapshotRows rows;
  ASSERT_THAT(UpdateSnapshot(ledger_, rows), IsEmpty());
  const absl::StatusOr<std::unique_ptr<Ledger>> restored = Recover(rows, {});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Describe(**restored), Describe(ledger_));
  const Ledger::Changes changes = (*restored)->TakeChanges();
  EXPECT_THAT(changes.accounts, IsEmpty());
  EXPECT_THAT(changes.open, IsEmpty());
  EXPECT_TRUE((*restored)->HasRequest({kShop, "Q1"}));
  EXPECT_EQ((*restored)->FindPayment(id)->state, PaymentState::kHeld);
}

TEST_F(LedgerSnapshotTest, ASnapshotThatContradictsItselfIsRefused) {
  const PaymentId id = Pay();
  Ledger restored(FirstDate());
  ledger_.ForEachAccount([&](const Account& account) { ASSERT_TRUE(restored.RestoreAccount(account).ok()); });
  ledger_.ForEachAccount([&](const Account& account) {
    if (account.kind != AccountKind::kStation && account.kind != AccountKind::kBillerPayable) return;
    EXPECT_EQ(restored.RestoreAccount(account).message(), account.kind == AccountKind::kStation
                                                              ? "a station stands twice in the snapshot"
                                                              : "a biller stands twice in the snapshot");
  });
  ASSERT_TRUE(restored.RestoreOpenPayment(*ledger_.FindPayment(id)).ok());
  const absl::Status twice = restored.RestoreOpenPayment(*ledger_.FindPayment(id));
  EXPECT_EQ(twice.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(twice.message(), "payment " + id.ToString() + " in the snapshot is not open, or stands twice");

  Record(id, PaymentEvent::kApproved);
  Ledger fresh(FirstDate());
  EXPECT_EQ(fresh.RestoreOpenPayment(*ledger_.FindPayment(id)).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace waystation::core
