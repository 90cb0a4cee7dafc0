#include "storage/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"

namespace waystation::storage {
namespace {

using core::PaymentEvent;
using core::PaymentId;
using core::PaymentState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

core::BusinessDate Day(int later) {
  return core::BusinessDate::FromDays(ShopDate().days() + std::chrono::days(later));
}

// The shop over some days. Legs 1 to 5 open it; each payment is followed at once by its outcome.
class IndexTest : public ::testing::Test {
 protected:
  IndexTest() : running_(&store_, &clock_) {
    running_.Start();
    OpenShop(running_);
  }

  PaymentId Accept(const std::string& request) { return running_.Pay(ShopPayment(request)).id; }

  PaymentId Succeed(const std::string& request) {
    const PaymentId id = Accept(request);
    Record(id, PaymentEvent::kApproved);
    return id;
  }

  void Record(PaymentId id, PaymentEvent event) {
    const core::Reply reply = running_.Do(ShopOutcome(id, event));
    ASSERT_TRUE(reply.status.ok()) << reply.status;
  }

  void StartCancel(PaymentId id) {
    const core::Reply reply = running_.Do(core::StartCancel{ShopStation(), "0000000001", id, std::nullopt});
    ASSERT_TRUE(reply.status.ok()) << reply.status;
    ASSERT_FALSE(reply.decline.has_value());
  }

  void CloseDay(int day) { ASSERT_TRUE(running_.Do(core::CloseDay{Day(day), Day(day + 1)}).status.ok()); }

  std::vector<uint64_t> Accepted(int from, int to, std::optional<Index::Place> before = std::nullopt,
                                 size_t most = 100) {
    std::vector<uint64_t> ids;
    const absl::Status status =
        running_.index().ForEachAccepted(ShopStation(), Day(from), Day(to), before, [&](const core::Payment& payment) {
          ids.push_back(payment.id.number());
          return ids.size() < most;
        });
    EXPECT_TRUE(status.ok()) << status;
    return ids;
  }

  std::vector<uint64_t> Changed(int day, size_t most = 100) {
    std::vector<uint64_t> ids;
    const absl::Status status =
        running_.index().ForEachChanged(ShopStation(), Day(day), [&](const core::Payment& payment) {
          ids.push_back(payment.id.number());
          return ids.size() < most;
        });
    EXPECT_TRUE(status.ok()) << status;
    return ids;
  }

  std::optional<core::Payment> Find(PaymentId id) {
    const absl::StatusOr<std::optional<core::Payment>> payment = running_.index().FindPayment(id);
    EXPECT_TRUE(payment.ok()) << payment.status();
    return *payment;
  }

  std::optional<core::BusinessDate> Next(int day) {
    const auto date = running_.index().NextDate(ShopStation(), Day(day));
    EXPECT_TRUE(date.ok()) << date.status();
    return *date;
  }

  ManualClock clock_;
  MemoryCommitLog store_;
  RunningLedger running_;
};

TEST_F(IndexTest, FindsAPaymentOnceItIsAtRest) {
  const PaymentId id = Accept("R1");
  EXPECT_EQ(Find(id), std::nullopt);
  Record(id, PaymentEvent::kOutcomeUnknown);
  EXPECT_EQ(Find(id), std::nullopt);
  Record(id, PaymentEvent::kApproved);
  const std::optional<core::Payment> payment = Find(id);
  ASSERT_TRUE(payment.has_value());
  EXPECT_EQ(payment->state, PaymentState::kSucceeded);
  EXPECT_EQ(payment->request_id, "R1");
  EXPECT_EQ(payment->history.size(), 3u);
}

TEST_F(IndexTest, FindsNoPaymentAtOtherLegs) {
  const PaymentId id = Succeed("R1");
  for (uint64_t leg : {0ull, 1ull, 5ull, 7ull, 8ull, 1'000ull, ~0ull}) {
    ASSERT_NE(leg, id.number());
    EXPECT_EQ(Find(PaymentId::FromNumber(leg)), std::nullopt) << leg;
  }
}

TEST_F(IndexTest, FindsAPaymentInTheMiddleOfABlock) {
  MemoryCommitLog store;
  RunningLedger running(&store, &clock_);
  for (const core::Command& command : ShopOpening()) running.Submit(command);
  core::AcceptPayment too_much = ShopPayment("R1");
  too_much.amount = core::Money::Fen(10'000'000);
  running.Submit(too_much);
  running.Submit(core::GrantCredit{ShopStation(), core::Money::Fen(1), ""});
  running.Start();
  running.Stop();
  ASSERT_EQ(BlocksOf(store).size(), 1u);
  const auto payment = running.index().FindPayment(PaymentId::FromNumber(6));
  ASSERT_TRUE(payment.ok() && payment->has_value());
  EXPECT_EQ((*payment)->state, PaymentState::kDeclined);
}

TEST_F(IndexTest, FindsWhatARequestBecame) {
  const PaymentId id = Succeed("R1");
  Accept("R2");
  const auto prior = [&](const std::string& request) {
    return *running_.index().FindRequest(core::RequestKey(ShopStation(), request));
  };
  ASSERT_TRUE(std::holds_alternative<core::Payment>(prior("R1")));
  EXPECT_EQ(std::get<core::Payment>(prior("R1")), *Find(id));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(prior("R2"))) << "it is not at rest";
  EXPECT_TRUE(std::holds_alternative<std::monostate>(prior("R")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(prior("")));
  ASSERT_TRUE(std::holds_alternative<core::Purchase>(prior("opening")));
  EXPECT_EQ(std::get<core::Purchase>(prior("opening")).amount, core::Money::Fen(100'000));
}

TEST_F(IndexTest, ListsWhatWasAcceptedNewestFirst) {
  const uint64_t a = Succeed("A").number();
  const uint64_t b = Succeed("B").number();
  CloseDay(0);
  const uint64_t c = Succeed("C").number();
  CloseDay(1);
  CloseDay(2);
  const uint64_t d = Succeed("D").number();
  EXPECT_THAT(Accepted(0, 3), ElementsAre(d, c, b, a));
  EXPECT_THAT(Accepted(0, 0), ElementsAre(b, a));
  EXPECT_THAT(Accepted(1, 2), ElementsAre(c));
  EXPECT_THAT(Accepted(2, 2), IsEmpty());
  EXPECT_THAT(Accepted(-30, -1), IsEmpty());
  EXPECT_THAT(Accepted(0, 3, std::nullopt, 2), ElementsAre(d, c));
}

TEST_F(IndexTest, APageGoesOnBehindTheOneBefore) {
  const PaymentId a = Succeed("A");
  const PaymentId b = Succeed("B");
  CloseDay(0);
  const PaymentId c = Succeed("C");
  EXPECT_THAT(Accepted(0, 1, Index::Place{Day(1), c}), ElementsAre(b.number(), a.number()));
  EXPECT_THAT(Accepted(0, 1, Index::Place{Day(0), b}), ElementsAre(a.number()));
  EXPECT_THAT(Accepted(0, 1, Index::Place{Day(0), a}), IsEmpty());
  // A place that no payment stands at, and places outside of the dates.
  EXPECT_THAT(Accepted(0, 1, Index::Place{Day(1), PaymentId()}), ElementsAre(b.number(), a.number()));
  EXPECT_THAT(Accepted(0, 0, Index::Place{Day(9), c}), ElementsAre(b.number(), a.number()));
  EXPECT_THAT(Accepted(1, 1, Index::Place{Day(0), b}), IsEmpty());
}

TEST_F(IndexTest, KeepsStationsApart) {
  const core::StationId neighbour = core::StationId::FromNumber(ShopStation().number() + 1);
  ASSERT_TRUE(running_.Do(core::RegisterStation{neighbour, "Next door", {}}).status.ok());
  core::AcceptPayment declined = ShopPayment("A");
  declined.station = neighbour;
  const PaymentId theirs = running_.Pay(declined).id;
  const PaymentId ours = Succeed("A");
  EXPECT_THAT(Accepted(0, 1), ElementsAre(ours.number()));
  EXPECT_THAT(Changed(0), ElementsAre(ours.number()));
  EXPECT_EQ(Find(theirs)->station, neighbour);
}

TEST_F(IndexTest, AChangeOnALaterDateIsFoundUnderBothDates) {
  const PaymentId late = Accept("late");
  Record(late, PaymentEvent::kOutcomeUnknown);
  CloseDay(0);
  CloseDay(1);
  const PaymentId today = Succeed("today");
  Record(late, PaymentEvent::kApproved);
  CloseDay(2);
  EXPECT_THAT(Accepted(0, 0), ElementsAre(late.number()));
  EXPECT_THAT(Accepted(1, 2), ElementsAre(today.number()));
  EXPECT_THAT(Changed(0), ElementsAre(late.number()));
  EXPECT_THAT(Changed(1), IsEmpty());
  EXPECT_THAT(Changed(2), UnorderedElementsAre(late.number(), today.number()));
  EXPECT_EQ(Changed(2, 1).size(), 1u) << "the visitor said stop";
  EXPECT_THAT(Changed(3), IsEmpty());
}

TEST_F(IndexTest, APaymentThatComesToRestAgainHasTheRowOfItsLastRest) {
  const PaymentId id = Succeed("R1");
  StartCancel(id);
  EXPECT_EQ(Find(id)->state, PaymentState::kSucceeded) << "the index knows payments at rest";
  CloseDay(0);
  Record(id, PaymentEvent::kCancelConfirmed);
  EXPECT_EQ(Find(id)->state, PaymentState::kCancelled);
  EXPECT_EQ(Find(id)->history.size(), 4u);
  EXPECT_THAT(Accepted(0, 9), ElementsAre(id.number()));
  EXPECT_THAT(Changed(1), ElementsAre(id.number()));
}

TEST_F(IndexTest, NextDateIsTheFirstOnWhichAnythingHappened) {
  EXPECT_EQ(Next(-400), std::nullopt);
  const PaymentId late = Accept("late");
  Record(late, PaymentEvent::kOutcomeUnknown);
  CloseDay(0);
  CloseDay(1);
  CloseDay(2);
  Record(late, PaymentEvent::kApproved);
  CloseDay(3);
  EXPECT_EQ(Next(-400), Day(0));
  EXPECT_EQ(Next(0), Day(0));
  EXPECT_EQ(Next(1), Day(3));
  EXPECT_EQ(Next(3), Day(3));
  EXPECT_EQ(Next(4), std::nullopt);
}

TEST_F(IndexTest, DateOfALeg) {
  const uint64_t first = Accept("A").number();
  CloseDay(0);
  const uint64_t second = Accept("B").number();
  const auto date_of = [&](uint64_t sequence) { return *running_.index().DateOf(sequence); };
  EXPECT_EQ(date_of(0), Day(0));
  EXPECT_EQ(date_of(1), Day(0));
  EXPECT_EQ(date_of(first), Day(0));
  EXPECT_EQ(date_of(first + 1), Day(0)) << "a day cut is a leg of the day that it closes";
  EXPECT_EQ(date_of(second), Day(1));
  EXPECT_EQ(date_of(second + 1), std::nullopt);
}

TEST_F(IndexTest, DamagedRowsAreDataLoss) {
  const PaymentId id = Succeed("R1");
  const std::string key = core::RequestKey(ShopStation(), "R1");
  const std::string row_key = PaymentRowKey(*Find(id));
  const std::string sound = **store_.Get(Table::kRequests, key);
  const std::string garbage = "\xff";
  const auto visit = [](const core::Payment&) { return true; };

  store_.Tamper(Table::kRequests, key, &garbage);
  EXPECT_TRUE(absl::IsDataLoss(running_.index().FindRequest(key).status()));
  const std::string empty;
  store_.Tamper(Table::kRequests, key, &empty);
  EXPECT_TRUE(absl::IsDataLoss(running_.index().FindRequest(key).status())) << "it leads nowhere";
  store_.Tamper(Table::kRequests, key, &sound);

  store_.Tamper(Table::kPayments, row_key, &garbage);
  EXPECT_TRUE(absl::IsDataLoss(running_.index().FindRequest(key).status()));
  EXPECT_TRUE(absl::IsDataLoss(running_.index().FindPayment(id).status()));
  EXPECT_TRUE(absl::IsDataLoss(running_.index().ForEachAccepted(ShopStation(), Day(0), Day(0), std::nullopt, visit)));
  EXPECT_TRUE(absl::IsDataLoss(running_.index().ForEachChanged(ShopStation(), Day(0), visit)));

  store_.Tamper(Table::kPayments, row_key, nullptr);
  const absl::Status missing = running_.index().FindRequest(key).status();
  ASSERT_TRUE(absl::IsDataLoss(missing));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("payment 6 has a request row and no payment row"));
}

}  // namespace
}  // namespace waystation::storage
