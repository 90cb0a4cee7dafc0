// A payment whose outcome is not known: queried, reversed, or handed to a person; never paid again.

#include "switch/flow/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "switch/core/limits.h"
#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using adapters::PayOutcome;
using adapters::QueryOutcome;
using adapters::ReverseOutcome;
using core::DeclineReason;
using core::Money;
using core::PaymentId;
using core::PaymentState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const adapters::Unknown kNoAnswer{"no answer in time"};

class ResolverTest : public ::testing::Test {
 protected:
  FlowWorld& Open(FlowOptions options = FlowOptions()) { return world_.emplace(&store_, std::move(options)); }

  // Pays, and the biller's answer is lost.
  std::future<FlowWorld::Result> PayWithoutAnswer(const std::string& request = "R1") {
    std::future<FlowWorld::Result> answer = world_->Pay(Order(request));
    ScriptedBiller::Call call = world_->mobile().Next(Operation::kPay);
    id_ = call.request.payment_id;
    call.answer(PayOutcome(kNoAnswer));
    return answer;
  }

  void QueryGives(QueryOutcome outcome) { world_->mobile().Next(Operation::kQuery).answer(std::move(outcome)); }

  void ExpectAccount(int64_t balance_fen, int64_t forwarded_fen) {
    const core::Account account = world_->account();
    EXPECT_EQ(account.balance, Money::Fen(balance_fen));
    EXPECT_EQ(account.reserved, Money());
    EXPECT_EQ(account.forwarded, Money::Fen(forwarded_fen));
  }

  void ExpectPaidOnce() { EXPECT_EQ(world_->mobile().count(Operation::kPay), 1u); }

  storage::MemoryCommitLog store_;
  std::optional<FlowWorld> world_;
  PaymentId id_;
};

TEST_F(ResolverTest, TheQueryFindsItApproved) {
  Open();
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  EXPECT_EQ(query.request.payment_id, id_);
  EXPECT_EQ(query.request.amount, Money::Fen(5'000));
  EXPECT_EQ(query.request.earlier_attempts, 0);
  ExpectAccount(100'000, 5'000);
  EXPECT_FALSE(IsThere(answer)) << "who waits is told the end";
  EXPECT_EQ(world_->states().WaitFor(id_, PaymentState::kUnknown).unknown_cause, "no answer in time");

  query.answer(QueryOutcome(adapters::Approved{"B9", "voucher", "*红"}));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(payment.biller_reference, "B9");
  EXPECT_EQ(payment.voucher, "voucher");
  EXPECT_EQ(payment.customer_name, "*红");
  ExpectAccount(95'000, 0);
  ExpectPaidOnce();
}

TEST_F(ResolverTest, TheQueryFindsItDeclined) {
  Open();
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  QueryGives(adapters::Declined{"14", "no such number"});
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kDeclined);
  EXPECT_EQ(payment.decline, (core::Decline{DeclineReason::kBillerDeclined, "14", "no such number"}));
  ExpectAccount(100'000, 0);
  ExpectPaidOnce();
}

TEST_F(ResolverTest, NeverReceivedLeadsToAReversalWhereItIsNotFinal) {
  FlowOptions options;
  options.mobile.query_denial_is_final = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  QueryGives(adapters::NeverReceived{});
  ScriptedBiller::Call reversal = world_->mobile().Next(Operation::kReverse);
  EXPECT_EQ(reversal.request.payment_id, id_);
  EXPECT_EQ(reversal.request.earlier_attempts, 0);
  ExpectAccount(100'000, 5'000);
  reversal.answer(ReverseOutcome(kNoAnswer));
  reversal = world_->mobile().Next(Operation::kReverse);
  EXPECT_EQ(reversal.request.earlier_attempts, 1) << "advice is repeated until there is an answer";
  reversal.answer(ReverseOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kReversed);
  EXPECT_THAT(world_->states().HistoryOf(id_), ElementsAre(PaymentState::kHeld, PaymentState::kUnknown,
                                                           PaymentState::kReversing, PaymentState::kReversed));
  ExpectAccount(100'000, 0);
  ExpectPaidOnce();
}

TEST_F(ResolverTest, ARefusedReversalGoesToAPerson) {
  FlowOptions options;
  options.mobile.query_denial_is_final = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  QueryGives(adapters::NeverReceived{});
  world_->mobile().Next(Operation::kReverse).answer(ReverseOutcome(adapters::Declined{"77", "settled already"}));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kReview);
  EXPECT_EQ(payment.unknown_cause, "the biller refused the reversal: 77 settled already");
  ExpectAccount(100'000, 5'000);
}

TEST_F(ResolverTest, WithoutQueriesItIsReversed) {
  FlowOptions options;
  options.mobile.can_query = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  world_->mobile().Next(Operation::kReverse).answer(ReverseOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kReversed);
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 0u);
  ExpectAccount(100'000, 0);
}

TEST_F(ResolverTest, WithNeitherItGoesToAPersonAfterTheDeadline) {
  FlowOptions options;
  options.mobile.can_query = false;
  options.mobile.can_reverse = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  world_->states().WaitFor(id_, PaymentState::kUnknown);
  world_->Flush();
  world_->clock().Advance(world_->schedule().review_after - std::chrono::milliseconds(1));
  world_->Flush();
  EXPECT_FALSE(IsThere(answer));
  world_->clock().Advance(std::chrono::milliseconds(1));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kReview);
  EXPECT_THAT(payment.unknown_cause, HasSubstr("no final answer from the biller since it became UNKNOWN"));
  EXPECT_THAT(payment.unknown_cause, HasSubstr("nothing was sent since 2026-11-21T00:00:00Z: the biller takes neither "
                                               "queries nor reversals; at first: no answer in time"));
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 0u);
  EXPECT_EQ(world_->mobile().count(Operation::kReverse), 0u);
  ExpectAccount(100'000, 5'000);
}

TEST_F(ResolverTest, WhereNeverReceivedSettlesNothingItIsAskedAgain) {
  FlowOptions options;
  options.mobile.query_denial_is_final = false;
  options.mobile.can_reverse = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  QueryGives(adapters::NeverReceived{});
  QueryGives(adapters::Approved{"B1", "", ""});
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
}

TEST_F(ResolverTest, AQueryWithoutAnswerIsRepeatedUntilTheDeadline) {
  Open();
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  for (int attempt = 0; attempt < 6; ++attempt) {
    ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
    EXPECT_EQ(query.request.earlier_attempts, attempt);
    if (attempt == 5) world_->clock().Advance(world_->schedule().review_after);
    query.answer(QueryOutcome(kNoAnswer));
  }
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kReview);
  EXPECT_THAT(payment.unknown_cause, HasSubstr("; 6 attempts since 2026-11-21T00:00:00Z, the last: no answer in time"));
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 6u);
  ExpectPaidOnce();
}

TEST_F(ResolverTest, AReversalWithoutAnswerGoesToAPersonAfterTheDeadline) {
  FlowOptions options;
  options.mobile.can_query = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  ScriptedBiller::Call reversal = world_->mobile().Next(Operation::kReverse);
  world_->clock().Advance(world_->schedule().review_after);
  reversal.answer(ReverseOutcome(kNoAnswer));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kReview);
  EXPECT_THAT(payment.unknown_cause, HasSubstr("REVERSING"));
}

TEST_F(ResolverTest, ARepeatedRequestWaitsForTheResolver) {
  Open();
  std::future<FlowWorld::Result> first = PayWithoutAnswer();
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  std::future<FlowWorld::Result> again = world_->Pay(Order("R1"));
  world_->Flush();
  EXPECT_FALSE(IsThere(again));
  query.answer(QueryOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(again)).payment, Get(std::move(first)).payment);
  ExpectPaidOnce();
}

TEST_F(ResolverTest, ACallerWhoseTimeIsUpIsToldUnknown) {
  Open();
  PayWithoutAnswer();
  world_->states().WaitFor(id_, PaymentState::kUnknown);
  PayOrder order = Order("R1");
  order.answer_by = std::chrono::steady_clock::now();
  EXPECT_EQ(Get(world_->Pay(std::move(order))).payment.state, PaymentState::kUnknown);
}

TEST_F(ResolverTest, OneStuckBillerDoesNotHoldUpAnother) {
  Open();
  constexpr size_t kStuck = core::kMaxResolvingPerBiller + 8;
  std::vector<std::future<FlowWorld::Result>> stuck;
  for (size_t i = 0; i < kStuck; ++i) {
    PayOrder order = Order("R" + std::to_string(i));
    order.amount = Money::Fen(100);
    stuck.push_back(world_->Pay(std::move(order)));
    world_->mobile().Next(Operation::kPay).answer(PayOutcome(kNoAnswer));
  }
  world_->mobile().WaitForCount(Operation::kQuery, core::kMaxResolvingPerBiller);

  std::future<FlowWorld::Result> gas = world_->Pay(OrderTo("gas", "G1"));
  world_->gas().Next(Operation::kPay).answer(PayOutcome(kNoAnswer));
  world_->gas().Next(Operation::kQuery).answer(QueryOutcome(adapters::Approved{"G", "", ""}));
  EXPECT_EQ(Get(std::move(gas)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), core::kMaxResolvingPerBiller) << "no more at one time";

  // As one is answered, the next takes its place.
  for (size_t i = 0; i < kStuck; ++i) QueryGives(adapters::Approved{"B", "", ""});
  for (auto& answer : stuck) EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
}

// --- an approval after the deadline ---
TEST_F(ResolverTest, ALateApprovalCapturesAndEndsTheQueries) {
  Open();
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  const FlowWorld::Result late = Get(world_->LateApproval(id_, {"B7", "voucher", "*红"}));
  EXPECT_TRUE(late.status.ok()) << late.status;
  EXPECT_EQ(late.payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(late.payment.biller_reference, "B7");
  EXPECT_EQ(Get(std::move(answer)).payment, late.payment) << "who waits is told";
  ExpectAccount(95'000, 0);
  // The query that was under way comes to nothing.
  query.answer(QueryOutcome(adapters::NeverReceived{}));
  world_->Flush();
  EXPECT_EQ(Get(world_->LateApproval(id_, {"B7", "", ""})).payment.state, PaymentState::kSucceeded) << "old news";
  ExpectAccount(95'000, 0);
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 1u);
}

TEST_F(ResolverTest, AnAnswerToAnEarlierLifeOfThePaymentIsNotTakenForThisOne) {
  Open();
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  Get(world_->LateApproval(id_, {"B7", "", ""}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  // The station takes it back, and the resolver has the payment a second time.
  std::future<FlowWorld::Result> cancelled = world_->Cancel(id_);
  world_->mobile().Next(Operation::kCancel).answer(adapters::CancelOutcome(kNoAnswer));
  ScriptedBiller::Call repeat = world_->mobile().Next(Operation::kCancel);
  query.answer(QueryOutcome(kNoAnswer));
  world_->Flush();
  repeat.answer(adapters::CancelOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(cancelled)).payment.state, PaymentState::kCancelled);
  ExpectAccount(100'000, 0);
  world_->Flush();
  EXPECT_EQ(world_->mobile().count(Operation::kCancel), 2u);
}

TEST_F(ResolverTest, ALateApprovalThatIsFasterThanTheFlowWaitsForIt) {
  Open();
  std::future<FlowWorld::Result> answer = world_->Pay(Order("R1"));
  ScriptedBiller::Call call = world_->mobile().Next(Operation::kPay);
  std::future<FlowWorld::Result> late = world_->LateApproval(call.request.payment_id, {"B7", "", ""});
  world_->Flush();
  EXPECT_FALSE(IsThere(late));
  call.answer(PayOutcome(kNoAnswer));
  EXPECT_EQ(Get(std::move(late)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
}

TEST_F(ResolverTest, AnApprovalAfterTheReversalGoesToAPerson) {
  FlowOptions options;
  options.mobile.can_query = false;
  Open(std::move(options));
  std::future<FlowWorld::Result> answer = PayWithoutAnswer();
  world_->mobile().Next(Operation::kReverse).answer(ReverseOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kReversed);
  const FlowWorld::Result late = Get(world_->LateApproval(id_, {"B7", "", ""}));
  EXPECT_EQ(late.payment.state, PaymentState::kReview);
  EXPECT_THAT(late.payment.unknown_cause, HasSubstr("late success"));
  ExpectAccount(100'000, 0);
}

TEST_F(ResolverTest, ALateApprovalOfNoPaymentIsRefused) {
  Open();
  EXPECT_TRUE(absl::IsNotFound(Get(world_->LateApproval(PaymentId::FromNumber(77), {"B7", "", ""})).status));
}

TEST_F(ResolverTest, ALateApprovalIsAnsweredOnceItIsDurableAndCountsAsInProgressUntilThen) {
  Open();
  PayWithoutAnswer();
  world_->mobile().Next(Operation::kQuery);
  world_->Flush();
  EXPECT_EQ(world_->flow().in_progress(), 0u);
  world_->log().Hold();
  std::vector<std::future<FlowWorld::Result>> late;
  for (size_t i = 0; i < core::kMaxLateApprovalsPerBiller; ++i) {
    late.push_back(world_->LateApproval(id_, {"B7", "", ""}));
  }
  EXPECT_EQ(world_->flow().in_progress(), core::kMaxLateApprovalsPerBiller) << "a stop waits for them";
  const FlowWorld::Result refused = Get(world_->LateApproval(id_, {"B7", "", ""}));
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status)) << refused.status;
  for (const auto& answer : late) EXPECT_FALSE(IsThere(answer)) << "nothing is durable yet";
  world_->log().LetThrough();
  for (auto& answer : late) EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  ExpectAccount(95'000, 0);
  world_->Flush();
  EXPECT_EQ(world_->flow().in_progress(), 0u);
  EXPECT_TRUE(Get(world_->LateApproval(id_, {"B7", "", ""})).status.ok()) << "there is room again";
}

// --- too many ---
TEST_F(ResolverTest, StationsAndTheResolverEachHaveTheirPlacesWithTheBiller) {
  FlowOptions options;
  options.mobile.max_in_flight = 3;
  Open(std::move(options));
  PayWithoutAnswer("R1");
  PayWithoutAnswer("R2");
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  // The resolver's one place is taken by a query that hangs: payments go on, in the two that are left.
  std::future<FlowWorld::Result> third = world_->Pay(Order("R3"));
  ScriptedBiller::Call pay = world_->mobile().Next(Operation::kPay);
  std::future<FlowWorld::Result> fourth = world_->Pay(Order("R4"));
  world_->mobile().WaitForCount(Operation::kPay, 4);
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world_->Pay(Order("R5"))).status));
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 1u) << "the other waits for the place";
  // And the stations' places are taken: the resolver goes on.
  query.answer(QueryOutcome(adapters::Approved{"B", "", ""}));
  ScriptedBiller::Call second = world_->mobile().Next(Operation::kQuery);
  EXPECT_NE(second.request.payment_id, query.request.payment_id);
  second.answer(QueryOutcome(adapters::Approved{"B", "", ""}));
  world_->states().WaitFor(second.request.payment_id, PaymentState::kSucceeded);
  pay.answer(PayOutcome(adapters::Approved{"B", "", ""}));
  EXPECT_EQ(Get(std::move(third)).payment.state, PaymentState::kSucceeded);
  world_->mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"B", "", ""}));
  EXPECT_EQ(Get(std::move(fourth)).payment.state, PaymentState::kSucceeded);
}

TEST_F(ResolverTest, ABillerWithTooManyOpenOutcomesIsOutOfServiceForNewPayments) {
  FlowOptions options;
  options.max_unresolved = 2;
  Open(std::move(options));
  for (const char* request : {"R1", "R2"}) {
    PayWithoutAnswer(request);
    world_->states().WaitFor(id_, PaymentState::kUnknown);
  }
  world_->mobile().WaitForCount(Operation::kQuery, 2);
  const core::Payment third = Get(world_->Pay(Order("R3"))).payment;
  EXPECT_EQ(third.state, PaymentState::kDeclined);
  EXPECT_EQ(third.decline->reason, DeclineReason::kBillerOutOfService);
  std::future<FlowWorld::Result> gas = world_->Pay(OrderTo("gas", "G1"));
  world_->gas().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"G", "", ""}));
  EXPECT_EQ(Get(std::move(gas)).payment.state, PaymentState::kSucceeded) << "the others go on";
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  query.answer(QueryOutcome(adapters::Approved{"B", "", ""}));
  world_->states().WaitFor(query.request.payment_id, PaymentState::kSucceeded);
  world_->Flush();
  std::future<FlowWorld::Result> fourth = world_->Pay(Order("R4"));
  world_->mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"B", "", ""}));
  EXPECT_EQ(Get(std::move(fourth)).payment.state, PaymentState::kSucceeded);
}

// --- what a start finds open ---
class AdoptionTest : public ResolverTest {
 protected:
  // A switch that ends while payment 6 is with the biller, or further on.
  void EndWith(const std::vector<core::Command>& commands) {
    storage::ManualClock clock;
    storage::RunningLedger running(&store_, &clock);
    running.Start();
    storage::OpenShop(running);
    id_ = running.Pay(storage::ShopPayment("R1")).id;
    for (const core::Command& command : commands) {
      const core::Reply reply = running.Do(command);
      EXPECT_TRUE(reply.status.ok()) << reply.status;
    }
  }
};

TEST_F(AdoptionTest, HeldIsQueriedAndNeverPaidAgain) {
  EndWith({});
  Open();
  const core::Payment unknown = world_->states().WaitFor(id_, PaymentState::kUnknown);
  EXPECT_EQ(unknown.unknown_cause, "the switch restarted while the request may have been with the biller");
  std::future<FlowWorld::Result> again = world_->Pay(Order("R1"));
  ScriptedBiller::Call query = world_->mobile().Next(Operation::kQuery);
  EXPECT_EQ(query.request.payment_id, id_);
  world_->Flush();
  EXPECT_FALSE(IsThere(again));
  query.answer(QueryOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(again)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world_->mobile().count(Operation::kPay), 0u);
}

TEST_F(AdoptionTest, ReversingIsGoneOnWith) {
  EndWith({storage::ShopOutcome(PaymentId::FromNumber(6), core::PaymentEvent::kOutcomeUnknown),
           storage::ShopOutcome(PaymentId::FromNumber(6), core::PaymentEvent::kReversalStarted)});
  Open();
  world_->mobile().Next(Operation::kReverse).answer(ReverseOutcome(adapters::TakenBack{}));
  world_->states().WaitFor(id_, PaymentState::kReversed);
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 0u);
}

TEST_F(AdoptionTest, CancellingIsGoneOnWith) {
  EndWith({storage::ShopOutcome(PaymentId::FromNumber(6), core::PaymentEvent::kApproved),
           core::StartCancel{storage::ShopStation(), "0000000001", PaymentId::FromNumber(6), std::nullopt}});
  Open();
  ScriptedBiller::Call cancel = world_->mobile().Next(Operation::kCancel);
  EXPECT_EQ(cancel.request.earlier_attempts, 1) << "it may have been sent before the end";
  cancel.answer(adapters::CancelOutcome(adapters::TakenBack{}));
  world_->states().WaitFor(id_, PaymentState::kCancelled);
}

TEST_F(AdoptionTest, APersonsCaseIsLeftToHim) {
  EndWith({storage::ShopOutcome(PaymentId::FromNumber(6), core::PaymentEvent::kOutcomeUnknown),
           storage::ShopOutcome(PaymentId::FromNumber(6), core::PaymentEvent::kReviewNeeded)});
  Open();
  EXPECT_EQ(Get(world_->Pay(Order("R1"))).payment.state, PaymentState::kReview);
  EXPECT_EQ(world_->mobile().count(Operation::kQuery), 0u);
}

}  // namespace
}  // namespace waystation::flow
