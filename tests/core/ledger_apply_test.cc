// A leg that contradicts the ledger is refused as lost data, says why, and is not counted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::HasSubstr;

const StationId kShop = StationId::FromNumber(440'106'000'001);
const StationId kOther = StationId::FromNumber(440'106'000'002);
const StationId kNobody = StationId::FromNumber(440'106'000'009);

AccountAfter After(int64_t balance, int64_t reserved, int64_t forwarded) {
  return {Money::Fen(balance), Money::Fen(reserved), Money::Fen(forwarded)};
}

AcceptPayment Pay(std::string request_id, int64_t fen) {
  return {.station = kShop,
          .operator_id = "0000000001",
          .request_id = std::move(request_id),
          .biller_id = "mobile",
          .customer_number = "13800000001",
          .customer_name = {},
          .amount = Money::Fen(fen),
          .presented = {}};
}

RecordOutcome Outcome(PaymentId id, PaymentEvent event) {
  return {.payment_id = id,
          .event = event,
          .decline = {},
          .biller_reference = {},
          .voucher = {},
          .customer_name = {},
          .unknown_cause = {}};
}

PaymentAccepted Accepted(std::string request_id, int64_t fen, AccountAfter after) {
  return {.station = kShop,
          .operator_id = "0000000001",
          .request_id = std::move(request_id),
          .biller_id = "mobile",
          .customer_number = "13800000001",
          .customer_name = {},
          .amount = Money::Fen(fen),
          .decline = {},
          .after = after};
}

PaymentMoved MovedTo(PaymentId id, PaymentEvent event, PaymentState state, AccountAfter after) {
  return {.payment_id = id,
          .station = kShop,
          .event = event,
          .state = state,
          .decline = {},
          .biller_reference = {},
          .voucher = {},
          .customer_name = {},
          .unknown_cause = {},
          .operator_id = {},
          .after = after,
          .reopened = {},
          .resolution = {}};
}

// The shop has put in 600.00; 100.00 is held for one payment, and another of 50.00 has succeeded: it stands at
// balance 550.00, reserved 100.00.
class LedgerApplyTest : public testing::Test {
 protected:
  LedgerApplyTest() {
    world_.Do(RegisterBiller{"mobile"});
    for (StationId station : {kShop, kOther}) {
      world_.Do(RegisterStation{station, "a shop", {}});
      world_.Do(SetStationStatus{station, StationStatus::kApproved, ""});
      world_.Do(SetStationStatus{station, StationStatus::kActive, ""});
    }
    world_.Do(RecordCounterPurchase{kShop, "R1", Money::Fen(60'000), "C1"});
    held_ = std::get<Payment>(world_.Do(Pay("Q1", 10'000)).reply.value).id;
    succeeded_ = std::get<Payment>(world_.Do(Pay("Q2", 5'000)).reply.value).id;
    world_.Do(Outcome(succeeded_, PaymentEvent::kApproved));
  }

  uint64_t last() const { return world_.ledger().last_sequence(); }

  // A new ledger that stands where the world's does. A ledger that has refused a leg is not to be used again.
  std::unique_ptr<Ledger> Copy() const { return *Replay(world_.journal()); }

  void ExpectRefused(const Fact& fact, std::string_view why) const { ExpectRefusedBy(*Copy(), fact, why); }

  void ExpectRefusedBy(Ledger& ledger, const Fact& fact, std::string_view why) const {
    const uint64_t next = last() + 1;
    const absl::Status status = ledger.Apply({next, fact}, StampOf(next, FirstDate()));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << why;
    EXPECT_THAT(std::string(status.message()), HasSubstr(fmt::format("leg {}: {}", next, why)));
    EXPECT_EQ(ledger.last_sequence(), last()) << why;
  }

  LedgerWorld world_;
  PaymentId held_;
  PaymentId succeeded_;
};

TEST_F(LedgerApplyTest, OutOfSequence) {
  for (uint64_t wrong : {uint64_t{0}, last(), last() + 2}) {
    const std::unique_ptr<Ledger> ledger = Copy();
    const absl::Status status = ledger->Apply({wrong, BillerRegistered{"gas"}}, StampOf(wrong, FirstDate()));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(status.message(), fmt::format("leg {}: follows leg {}; expected {}", wrong, last(), last() + 1));
    EXPECT_EQ(ledger->last_sequence(), last());
  }
}

TEST_F(LedgerApplyTest, OfAnotherBusinessDate) {
  const std::unique_ptr<Ledger> ledger = Copy();
  const uint64_t next = last() + 1;
  const absl::Status status = ledger->Apply({next, BillerRegistered{"gas"}}, StampOf(next, FirstDate().NextDay()));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), fmt::format("leg {}: is of business date 2026-11-22, but 2026-11-21 is open", next));
  EXPECT_EQ(ledger->last_sequence(), last());
}

TEST_F(LedgerApplyTest, DayCuts) {
  const BusinessDate today = FirstDate();
  ExpectRefused(DayCut{today.NextDay(), today.NextDay().NextDay()}, "closes a date that is not open");
  ExpectRefused(DayCut{today, today}, "opens a date that is not later");
}

TEST_F(LedgerApplyTest, OnlyALegThatResumesTheJournalMayPassOverNumbers) {
  const std::unique_ptr<Ledger> ledger = Copy();
  const uint64_t at = last() + 1'000;
  for (uint64_t wrong : {uint64_t{0}, last()}) {
    EXPECT_FALSE(ledger->Apply({wrong, JournalResumed{"8000000001", "unplugged"}}, StampOf(at, FirstDate())).ok());
  }
  ASSERT_TRUE(ledger->Apply({at, JournalResumed{"8000000001", "unplugged"}}, StampOf(at, FirstDate())).ok());
  EXPECT_EQ(ledger->last_sequence(), at);
  EXPECT_FALSE(ledger->Apply({last() + 1, BillerRegistered{"gas"}}, StampOf(at, FirstDate())).ok());
  EXPECT_TRUE(ledger->Apply({at + 1, BillerRegistered{"gas"}}, StampOf(at, FirstDate())).ok());
}

TEST_F(LedgerApplyTest, AJournalIsNotResumedAtANumberThatWasGiven) {
  const std::unique_ptr<Ledger> ledger = Copy();
  const Decision refused = ledger->Decide(ResumeJournal{last(), "8000000001", "unplugged"}, Prior());
  EXPECT_FALSE(refused.leg.has_value());
  EXPECT_EQ(refused.reply.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(
      std::string(refused.reply.status.message())
          .starts_with(fmt::format("the journal can't go on at leg {0}, which this machine's clock gives: it is "
                                   "at {0} already",
                                   last())))
      << refused.reply.status;
  const Decision taken = ledger->Decide(ResumeJournal{last() + 1, "8000000001", "unplugged"}, Prior());
  EXPECT_EQ(taken.leg.value().sequence, last() + 1);
}

TEST_F(LedgerApplyTest, NamesThatAreTakenOrUnknown) {
  ExpectRefused(StationRegistered{kShop, "a shop", {}}, "registers a station that exists");
  ExpectRefused(BillerRegistered{"mobile"}, "registers a biller that exists");
  ExpectRefused(BillerStatusSet{"steam", false, ""}, "names a biller that does not exist");
  ExpectRefused(StationStatusSet{kNobody, StationStatus::kActive, ""}, "names a station that does not exist");
  ExpectRefused(CreditGranted{kNobody, Money::Fen(1), "", {}}, "names a station that does not exist");
  ExpectRefused(CounterPurchased{kNobody, "R9", Money::Fen(1), "C1", After(1, 0, 0)},
                "names a station that does not exist");
  PaymentAccepted accepted = Accepted("Q9", 100, After(55'000, 10'100, 0));
  accepted.biller_id = "steam";
  ExpectRefused(accepted, "names a biller that does not exist");
  accepted.station = kNobody;
  ExpectRefused(accepted, "names a station that does not exist");
}

TEST_F(LedgerApplyTest, AStepThatAStationsLifeLacks) {
  ExpectRefused(StationStatusSet{kShop, StationStatus::kApproved, ""}, "takes a step that the station's life lacks");
  ExpectRefused(StationStatusSet{kShop, StationStatus::kActive, ""}, "takes a step that the station's life lacks");
}

TEST_F(LedgerApplyTest, CreditThatDoesNotFitTheAccount) {
  ExpectRefused(CreditGranted{kShop, Money::Fen(100), "", After(55'001, 10'000, 0)},
                "the account would stand at balance 55000, reserved 10000, forwarded 0; "
                "the leg says balance 55001, reserved 10000, forwarded 0");
  ExpectRefused(CreditGranted{kShop, Money::Fen(-45'001), "", After(55'000, 10'000, 0)},
                "leaves the available balance below zero");
}

TEST_F(LedgerApplyTest, Purchases) {
  ExpectRefused(CounterPurchased{kShop, "R2", Money::Fen(100), "C1", After(55'000, 10'000, 0)},
                "the account would stand at balance 55100, reserved 10000, forwarded 0; "
                "the leg says balance 55000, reserved 10000, forwarded 0");
  ExpectRefused(CounterPurchased{kShop, "R1", Money::Fen(100), "C1", After(55'100, 10'000, 0)},
                "records a request a second time");
  ExpectRefused(CounterPurchased{kShop, "Q1", Money::Fen(100), "C1", After(55'100, 10'000, 0)},
                "records a request a second time");
  ExpectRefused(CounterPurchased{kShop, "R2", Money::Fen(0), "C1", After(55'000, 10'000, 0)},
                "purchases an amount that is not positive");
  ExpectRefused(CounterPurchased{kShop, "R2", Money::Fen(-100), "C1", After(54'900, 10'000, 0)},
                "purchases an amount that is not positive");
}

TEST_F(LedgerApplyTest, Acceptances) {
  ExpectRefused(Accepted("Q3", 0, After(55'000, 10'000, 0)), "pays an amount that is not positive");
  ExpectRefused(Accepted("Q3", -1, After(55'000, 9'999, 0)), "pays an amount that is not positive");
  ExpectRefused(Accepted("Q1", 100, After(55'000, 10'100, 0)), "accepts a request a second time");
  ExpectRefused(Accepted("R1", 100, After(55'000, 10'100, 0)), "accepts a request a second time");
  ExpectRefused(Accepted("Q3", 45'001, After(55'000, 55'001, 0)), "leaves the available balance below zero");

  constexpr std::string_view kWouldStand =
      "the account would stand at balance 55000, reserved 10100, forwarded 0; the leg says ";
  const std::pair<AccountAfter, std::string_view> wrong[] = {
      {After(55'001, 10'100, 0), "balance 55001, reserved 10100, forwarded 0"},
      {After(55'000, 10'099, 0), "balance 55000, reserved 10099, forwarded 0"},
      {After(55'000, 10'100, 1), "balance 55000, reserved 10100, forwarded 1"}};
  for (const auto& [after, text] : wrong) {
    ExpectRefused(Accepted("Q3", 100, after), std::string(kWouldStand) + std::string(text));
  }

  PaymentAccepted declined = Accepted("Q3", 100, After(55'000, 10'100, 0));
  declined.decline = Decline{DeclineReason::kBillerDisabled, "", ""};
  ExpectRefused(declined, "the account would stand at balance 55000, reserved 10000, forwarded 0");
}

TEST_F(LedgerApplyTest, MovesThatThePaymentCanNotMake) {
  const PaymentEvent approved = PaymentEvent::kApproved;
  ExpectRefused(MovedTo(PaymentId::FromNumber(1), approved, PaymentState::kSucceeded, After(54'000, 0, 0)),
                "moves a payment that is not open");
  ExpectRefused(MovedTo(succeeded_, approved, PaymentState::kSucceeded, After(55'000, 10'000, 0)),
                "moves a payment from SUCCEEDED by \"approved\" to SUCCEEDED");
  ExpectRefused(MovedTo(held_, approved, PaymentState::kDeclined, After(55'000, 0, 0)),
                "moves a payment from HELD by \"approved\" to DECLINED");
  ExpectRefused(MovedTo(held_, approved, PaymentState::kSucceeded, After(55'000, 0, 0)),
                "the account would stand at balance 45000, reserved 0, forwarded 0; "
                "the leg says balance 55000, reserved 0, forwarded 0");
  PaymentMoved of_other = MovedTo(held_, approved, PaymentState::kSucceeded, After(45'000, 0, 0));
  of_other.station = kOther;
  ExpectRefused(of_other, "moves a payment of another station");
}

TEST_F(LedgerApplyTest, APaymentReopened) {
  const Payment before = *world_.Find(succeeded_);
  PaymentMoved moved =
      MovedTo(succeeded_, PaymentEvent::kCancelStarted, PaymentState::kCancelling, After(55'000, 10'000, 0));
  moved.reopened = before;
  moved.reopened->amount += Money::Fen(1);
  ExpectRefused(moved, "reopens another payment");

  moved.reopened = before;
  moved.reopened->id = PaymentId::FromNumber(1);
  ExpectRefused(moved, "reopens another payment");

  const std::unique_ptr<Ledger> forgetful = Copy();
  forgetful->ForgetAtRest(last());
  ExpectRefusedBy(*forgetful, moved, "reopens another payment");

  const auto refused_once_forgotten = [&](const Payment& reopened, std::string_view why) {
    const std::unique_ptr<Ledger> ledger = Copy();
    ledger->ForgetAtRest(last());
    moved.reopened = reopened;
    ExpectRefusedBy(*ledger, moved, why);
  };
  Payment reopened = before;
  reopened.state = PaymentState::kHeld;
  refused_once_forgotten(reopened, "reopens a payment that is not at rest");
  reopened = before;
  reopened.request_id = "Q1";
  refused_once_forgotten(reopened, "reopens a payment whose request is another's");
  reopened = before;
  reopened.biller_id = "steam";
  refused_once_forgotten(reopened, "moves a payment of no account");
  reopened = before;
  reopened.station = kOther;
  refused_once_forgotten(reopened, "moves a payment of another station");
}

TEST_F(LedgerApplyTest, HeldMoneyThatTheAccountDoesNotHave) {
  // A snapshot whose accounts are older than its open payments.
  Ledger ledger(FirstDate());
  world_.ledger().ForEachAccount([&](const Account& account) {
    Account older = account;
    older.reserved = Money();
    ASSERT_TRUE(ledger.RestoreAccount(older).ok());
  });
  ASSERT_TRUE(ledger.RestoreOpenPayment(*world_.Find(held_)).ok());
  ledger.RestorePosition(last(), world_.ledger().business_day());
  ExpectRefusedBy(ledger, MovedTo(held_, PaymentEvent::kNotSent, PaymentState::kDeclined, After(55'000, -10'000, 0)),
                  "leaves less than nothing held");
}

TEST_F(LedgerApplyTest, WhatContradictsNothingIsTaken) {
  const std::unique_ptr<Ledger> ledger = Copy();
  const uint64_t next = last() + 1;
  const PaymentMoved moved = MovedTo(held_, PaymentEvent::kApproved, PaymentState::kSucceeded, After(45'000, 0, 0));
  EXPECT_TRUE(ledger->Apply({next, moved}, StampOf(next, FirstDate())).ok());
  EXPECT_EQ(ledger->last_sequence(), next);
}

}  // namespace
}  // namespace waystation::core
