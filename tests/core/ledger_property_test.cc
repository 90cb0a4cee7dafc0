// The ledger's invariants over random sequences of commands. Where one does not hold, rapidcheck prints the shortest
// sequence it found and the RC_PARAMS that repeat it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/core/ledger_steps.h"
#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// From the whole range at once; rapidcheck would begin with small numbers only.
template <typename T>
rc::Gen<T> Below(T end) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(0, end));
}

rc::Gen<Step> AnyStep() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::deed, rc::gen::weightedElement<Deed>({{30, Deed::kPay},
                                                                {34, Deed::kOutcome},
                                                                {4, Deed::kAnyEvent},
                                                                {9, Deed::kCancel},
                                                                {4, Deed::kResolve},
                                                                {8, Deed::kPurchase},
                                                                {2, Deed::kGrantCredit},
                                                                {3, Deed::kStationStatus},
                                                                {3, Deed::kBillerStatus},
                                                                {1, Deed::kCloseDay},
                                                                {3, Deed::kForget},
                                                                {3, Deed::kSnapshot}})),
      rc::gen::set(&Step::station, Below<uint32_t>(3)), rc::gen::set(&Step::biller, Below<uint32_t>(3)),
      rc::gen::set(&Step::request, Below<uint32_t>(200)), rc::gen::set(&Step::which, Below<uint32_t>(1'000)),
      rc::gen::set(&Step::fen, Below<int64_t>(30'000)));
}

// Up to 2,000 steps.
rc::Gen<std::vector<Step>> AnySteps() {
  return rc::gen::scale(20.0, rc::gen::container<std::vector<Step>>(AnyStep()));
}

void TakeAll(const std::vector<Step>& steps, StepTaker& taker) {
  for (const Step& step : steps) RC_ASSERT(taker.Take(step) == std::vector<std::string>{});
}

std::vector<JournalEntry> JournalOf(const std::vector<Step>& steps) {
  StepTaker taker;
  TakeAll(steps, taker);
  return taker.world().journal();
}

RC_GTEST_PROP(LedgerPropertyTest, BooksBalanceAndRequestsAreAnsweredOnce, ()) {
  const auto steps = *AnySteps();
  StepTaker taker;
  TakeAll(steps, taker);
  RC_ASSERT(FaultsOfHolds(taker.world().journal()) == std::vector<std::string>{});
}

RC_GTEST_PROP(LedgerPropertyTest, ReplayEqualsLive, ()) {
  const auto steps = *AnySteps();
  StepTaker taker;
  TakeAll(steps, taker);
  const auto replayed = Replay(taker.world().journal());
  RC_ASSERT(replayed.status() == absl::OkStatus());
  RC_ASSERT(Describe(**replayed) == Describe(taker.world().ledger()));
}

RC_GTEST_PROP(LedgerPropertyTest, SnapshotAndTailEqualLive, ()) {
  const auto steps = *AnySteps();
  StepTaker taker;
  TakeAll(steps, taker);
  SnapshotRows rows = taker.world().snapshot();
  const auto recovered = Recover(rows, taker.world().journal());
  RC_ASSERT(recovered.status() == absl::OkStatus());
  RC_ASSERT(Describe(**recovered) == Describe(taker.world().ledger()));

  // And the recovered ledger keeps the snapshot up to date as well as the one that began it.
  RC_ASSERT(UpdateSnapshot(**recovered, rows) == std::vector<std::string>{});
  const auto again = Recover(rows, taker.world().journal());
  RC_ASSERT(again.status() == absl::OkStatus());
  RC_ASSERT(Describe(**again) == Describe(taker.world().ledger()));
}

RC_GTEST_PROP(LedgerPropertyTest, AWrongFigureInAnyLegIsFoundAtThatLeg, ()) {
  std::vector<JournalEntry> journal = JournalOf(*AnySteps());
  std::vector<size_t> with_figures;
  for (size_t i = 0; i < journal.size(); ++i) {
    if (AfterOf(journal[i].leg) != nullptr) with_figures.push_back(i);
  }
  RC_PRE(!with_figures.empty());
  Leg& leg = journal[with_figures[*Below(with_figures.size())]].leg;
  AccountAfter& after = *AfterOf(leg);
  Money* const figures[] = {&after.balance, &after.reserved, &after.forwarded};
  *figures[*Below(3)] += Money::Fen(*rc::gen::element<int64_t>(-1, 1));

  const absl::Status status = Replay(journal).status();
  RC_ASSERT(status.code() == absl::StatusCode::kDataLoss);
  RC_ASSERT(std::string(status.message()).starts_with("leg " + std::to_string(leg.sequence) + ": "));
}

RC_GTEST_PROP(LedgerPropertyTest, ALegTwiceOrMissingOrOutOfOrderIsFound, ()) {
  std::vector<JournalEntry> journal = JournalOf(*AnySteps());
  // Not the last: that one's absence is not the ledger's to see.
  const size_t i = *Below(journal.size() - 1);
  const auto at = journal.begin() + static_cast<std::ptrdiff_t>(i);
  switch (*Below(3)) {
    case 0: journal.insert(at, JournalEntry(journal[i])); break;
    case 1: journal.erase(at); break;
    default: std::swap(journal[i], journal[i + 1]); break;
  }
  RC_ASSERT(Replay(journal).status().code() == absl::StatusCode::kDataLoss);
}

RC_GTEST_PROP(LedgerPropertyTest, ARequestRecordedASecondTimeIsFound, ()) {
  const std::vector<JournalEntry> journal = JournalOf(*AnySteps());
  std::vector<Leg> requests;
  for (const JournalEntry& entry : journal) {
    const bool is_payment = std::holds_alternative<PaymentAccepted>(entry.leg.fact);
    if (is_payment || std::holds_alternative<CounterPurchased>(entry.leg.fact)) requests.push_back(entry.leg);
  }
  RC_PRE(!requests.empty());
  const auto ledger = Replay(journal);
  RC_ASSERT(ledger.status() == absl::OkStatus());

  // In sequence and with the right figures, so that only its request gives it away.
  Leg second = requests[*Below(requests.size())];
  second.sequence = (*ledger)->last_sequence() + 1;
  const auto figures_of = [&](StationId id) {
    const Account& station = *(*ledger)->FindStation(id);
    return AccountAfter{station.balance, station.reserved, station.forwarded};
  };
  if (auto* payment = std::get_if<PaymentAccepted>(&second.fact)) {
    payment->after = figures_of(payment->station);
    if (!payment->decline.has_value()) payment->after.reserved += payment->amount;
  } else {
    auto& purchase = std::get<CounterPurchased>(second.fact);
    purchase.after = figures_of(purchase.station);
    purchase.after.balance += purchase.amount;
  }
  const absl::Status status = (*ledger)->Apply(second, StampOf(second.sequence, (*ledger)->business_day().date));
  RC_ASSERT(status.code() == absl::StatusCode::kDataLoss);
  RC_ASSERT(std::string(status.message()).ends_with(" a request a second time"));
}

// That the checks of the steps above would notice: each on a ledger, or a journal, with a fault planted in it.
class PlantedFaultTest : public testing::Test {
 protected:
  PlantedFaultTest() {
    const Step purchase{.deed = Deed::kPurchase, .which = 1};
    const Step pay{.deed = Deed::kPay, .request = 1, .which = 1, .fen = 9'999};
    const Step unknown{.deed = Deed::kOutcome, .request = 3};
    const Step never_received{.deed = Deed::kOutcome, .request = 2};
    for (const Step& step : {purchase, pay, unknown, never_received}) EXPECT_THAT(taker_.Take(step), IsEmpty());
    EXPECT_THAT(FaultsOfHolds(journal()), IsEmpty());
  }

  const std::vector<JournalEntry>& journal() const { return taker_.world().journal(); }

  // What FaultsOfBooks says of the ledger with `change` made to each account of the first station.
  template <typename Change>
  std::vector<std::string> FaultsAfter(Change change) const {
    Ledger ledger(FirstDate());
    taker_.world().ledger().ForEachAccount([&](const Account& account) {
      Account changed = account;
      if (account.station == StationId::FromNumber(440'106'000'001)) change(changed);
      EXPECT_TRUE(ledger.RestoreAccount(changed).ok());
    });
    return FaultsOfBooks(ledger);
  }

  StepTaker taker_;
};

TEST_F(PlantedFaultTest, InAnAccount) {
  EXPECT_THAT(FaultsAfter([](Account&) {}), IsEmpty());
  EXPECT_THAT(FaultsAfter([](Account& a) { a.balance += Money::Fen(1); }),
              Contains("the sum over all accounts is 0.01"));
  EXPECT_THAT(FaultsAfter([](Account& a) { a.reserved += Money::Fen(1); }),
              Contains("station 440106000001: reserved differs from its payments by 0.01"));
  EXPECT_THAT(FaultsAfter([](Account& a) { a.forwarded -= Money::Fen(1); }),
              Contains("station 440106000001: forwarded is -0.01"));
  EXPECT_THAT(FaultsAfter([](Account& a) { a.credit_limit = Money::Fen(-50'002); }),
              Contains("station 440106000001: available is -0.01"));
}

TEST_F(PlantedFaultTest, InTheHoldsOfAJournal) {
  std::vector<JournalEntry> ends_twice = journal();
  ends_twice.push_back(ends_twice.back());
  AfterOf(ends_twice.back().leg)->reserved = Money::Fen(-10'000);
  EXPECT_THAT(FaultsOfHolds(ends_twice), Contains(HasSubstr("ends a hold that had ended, or never was")));

  std::vector<JournalEntry> ends_in_part = journal();
  AfterOf(ends_in_part.back().leg)->forwarded = Money::Fen(1);
  EXPECT_THAT(FaultsOfHolds(ends_in_part), Contains(HasSubstr("holds more, or ends a part of a hold")));

  std::vector<JournalEntry> holds_less = journal();
  AfterOf(holds_less[holds_less.size() - 3].leg)->reserved = Money::Fen(9'999);
  EXPECT_THAT(FaultsOfHolds(holds_less), Contains(HasSubstr("holds another amount than it accepts")));

  std::vector<JournalEntry> purchase_holds = journal();
  AfterOf(purchase_holds[purchase_holds.size() - 4].leg)->reserved = Money::Fen(1);
  EXPECT_THAT(FaultsOfHolds(purchase_holds), Contains(HasSubstr("changes what is held, but is no payment's")));
}

TEST_F(PlantedFaultTest, InTheRowsOfASnapshot) {
  ASSERT_THAT(taker_.Take({.deed = Deed::kPay, .request = 2, .which = 1, .fen = 99}), IsEmpty());
  ASSERT_THAT(taker_.Take({.deed = Deed::kSnapshot}), IsEmpty());
  SnapshotRows rows = taker_.world().snapshot();
  ASSERT_EQ(rows.open.size(), 1u);
  rows.open.begin()->second.voucher = "not from any biller";
  const auto recovered = Recover(rows, journal());
  ASSERT_TRUE(recovered.ok());
  EXPECT_NE(Describe(**recovered), Describe(taker_.world().ledger()));

  std::unique_ptr<Ledger> live = *Replay(journal());
  rows.open.clear();
  rows.open[PaymentId::FromNumber(1)] = {};
  live->TakeChanges();
  const std::vector<std::string> faults = UpdateSnapshot(*live, rows);
  EXPECT_THAT(faults, Contains(HasSubstr("the snapshot lacks payment")));
}

}  // namespace
}  // namespace waystation::core
