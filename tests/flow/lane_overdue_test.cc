// What becomes of operations that were given up: approvals that come late, cancels that are carried out late, and how
// many there may be. In simulated time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "switch/core/limits.h"
#include "tests/flow/timed_world.h"

namespace waystation::flow {
namespace {

using adapters::Approved;
using adapters::CancelOutcome;
using adapters::PayOutcome;
using core::DeclineReason;
using core::Money;
using core::PaymentState;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const PayOutcome kApproved(Approved{"B1", "", ""});

class LaneOverdueTest : public ::testing::Test {
 protected:
  LaneOverdueTest() {
    // It stays closed.
    options_.lane.breaker = {.consecutive_failures = 1'000'000, .least_requests = 1'000'000};
    options_.lane.on_news = [this](bool is_out, const std::string& news) {
      news_.push_back((is_out ? "out: " : "in: ") + news);
    };
  }
  TimedWorld& Open() { return world_.emplace(options_); }
  // Past the deadline and the grace of what was sent last.
  void WaitInVain() { world_->Advance(card_.time_limit + core::kDeadlineGrace); }
  // A payment that was approved, and whose cancel is with the adapter.
  std::future<TimedWorld::Result> PayAndCancel() {
    std::future<TimedWorld::Result> paid = world_->Pay("R1");
    world_->Approve();
    return world_->Cancel(Get(std::move(paid)).payment.id);
  }

  const adapters::CapabilityCard card_ = AbleCard();
  TimedOptions options_;
  std::vector<std::string> news_;
  std::optional<TimedWorld> world_;
};

TEST_F(LaneOverdueTest, ApprovalsThatComeLateTogetherAreAllRecorded) {
  constexpr size_t kPayments = 2 * core::kMaxLateApprovalsPerBiller + 10;
  TimedWorld& world = Open();
  std::vector<std::future<TimedWorld::Result>> answers;
  std::vector<ScriptedBiller::Call> calls;
  for (size_t i = 0; i < kPayments; ++i) {
    PayOrder order = Order("R" + std::to_string(i));
    order.amount = Money::Fen(1);
    answers.push_back(world.Pay(std::move(order), std::chrono::hours(1)));
    calls.push_back(world.mobile().Next(Operation::kPay));
  }
  WaitInVain();
  EXPECT_EQ(world.status().overdue, kPayments);
  for (ScriptedBiller::Call& call : calls) call.answer(kApproved);
  world.Run();
  EXPECT_EQ(world.status().overdue, kPayments - core::kMaxLateApprovalsPerBiller) << "so many at once";
  world.Advance(2 * core::kLateApprovalRetry);
  for (auto& answer : answers) EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world.status().overdue, 0u);
  EXPECT_EQ(world.in_progress(), 0u);
  EXPECT_EQ(world.account().balance, Money::Fen(100'000 - kPayments));
}

TEST_F(LaneOverdueTest, AnApprovalThatIsNotTakenIsToldAgain) {
  TimedWorld& world = Open();
  const std::future<TimedWorld::Result> answer = world.Pay("R1");
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  WaitInVain();
  world.RefuseLateApprovals(true);
  call.answer(kApproved);
  world.Advance(minutes(10));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kUnknown);
  EXPECT_EQ(world.status().overdue, 1u) << "it is not done with";
  world.RefuseLateApprovals(false);
  world.Advance(core::kResolverLooksWhileOpen);
  EXPECT_EQ(world.Find("R1").state, PaymentState::kSucceeded);
  EXPECT_EQ(world.status().overdue, 0u);
}

TEST_F(LaneOverdueTest, WithManyOverdueTheResolverAsksNothingEither) {
  options_.mobile.max_in_flight = 4;  // one of them the resolver's
  options_.schedule.first_query_after = milliseconds(1'000);
  options_.schedule.longest_interval = milliseconds(1'000);
  options_.schedule.review_after = std::chrono::hours(1);
  TimedWorld& world = Open();
  for (const char* request : {"R1", "R2", "R3"}) world.Pay(request);
  ScriptedBiller::Call first = world.mobile().Next(Operation::kPay);
  world.Advance(minutes(30));
  EXPECT_EQ(world.mobile().count(Operation::kQuery), 1u);
  EXPECT_EQ(world.status().overdue, 4u);
  EXPECT_EQ(Get(world.Pay("R4")).payment.decline->reason, DeclineReason::kBillerOutOfService);
  ASSERT_EQ(news_.size(), 1u);
  EXPECT_EQ(news_.front(),
            "out: out of service, new requests are declined: 4 requests have no answer from the biller, long after "
            "their deadline");
  // A person is asked all the same, and told how it stands.
  world.Advance(minutes(40));
  EXPECT_EQ(world.Find("R2").state, PaymentState::kReview);
  EXPECT_THAT(world.Find("R2").unknown_cause,
              StartsWith("its request may yet reach the biller; no final answer since it became UNKNOWN; "));
  first.answer(PayOutcome(adapters::Unknown{"cut"}));
  world.Run();
  EXPECT_EQ(world.status().out_of_service, std::nullopt);
  EXPECT_THAT(news_.back(), StartsWith("in: "));
}

TEST_F(LaneOverdueTest, WhoWaitsIsDeclinedOnceTooManyAreOverdue) {
  options_.mobile.max_in_flight = 2;  // one of them the resolver's
  options_.mobile.max_waiting = 1;
  TimedWorld& world = Open();
  world.Pay("R1");
  WaitInVain();
  world.Pay("R2");
  world.Advance(card_.time_limit);
  std::future<TimedWorld::Result> third = world.Pay("R3");
  EXPECT_EQ(world.status().waiting, 1u);
  world.Advance(core::kDeadlineGrace);
  EXPECT_EQ(Get(std::move(third)).payment.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 2u);
}

// --- cancels ---

TEST_F(LaneOverdueTest, ADeclinedCancelSettlesNothingWhileAnEarlierOneMayBeCarriedOut) {
  options_.schedule.first_query_after = card_.time_limit + milliseconds(1'000);
  options_.schedule.longest_interval = card_.time_limit;
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> cancelled = PayAndCancel();
  ScriptedBiller::Call first = world.mobile().Next(Operation::kCancel);
  world.Advance(options_.schedule.first_query_after);
  world.Answer(Operation::kCancel, CancelOutcome(adapters::Declined{"25", "no"}));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kCancelling);
  // It was carried out: that is the answer to the next, which is not sent.
  first.answer(CancelOutcome(adapters::TakenBack{}));
  world.Run();
  EXPECT_THAT(news_.back(), HasSubstr("was carried out after it was given up"));
  world.Advance(2 * card_.time_limit);
  EXPECT_EQ(Get(std::move(cancelled)).payment.state, PaymentState::kCancelled);
  EXPECT_EQ(world.account().balance, Money::Fen(100'000));
  EXPECT_EQ(world.mobile().count(Operation::kCancel), 2u);
}

TEST_F(LaneOverdueTest, OnceTheEarlierOneHasEndedAndTheBillerHadTimeItDoes) {
  options_.schedule.first_query_after = card_.time_limit + milliseconds(1'000);
  options_.schedule.longest_interval = milliseconds(5'000);
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> cancelled = PayAndCancel();
  ScriptedBiller::Call first = world.mobile().Next(Operation::kCancel);
  world.mobile().Always(Operation::kCancel, CancelOutcome(adapters::Declined{"25", "no"}));
  world.Advance(minutes(10));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kCancelling);
  first.answer(CancelOutcome(adapters::Unknown{"cut"}));
  world.Advance(card_.settling_time - milliseconds(1));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kCancelling);
  world.Advance(2 * options_.schedule.longest_interval);
  const core::Payment payment = Get(std::move(cancelled)).payment;
  EXPECT_EQ(payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(payment.decline->biller_code, "25");
}

TEST_F(LaneOverdueTest, APersonIsToldThatTheCancelMayYetBeCarriedOut) {
  options_.schedule.first_query_after = card_.time_limit + milliseconds(1'000);
  options_.schedule.longest_interval = minutes(1);
  options_.schedule.review_after = minutes(10);
  TimedWorld& world = Open();
  PayAndCancel();
  ScriptedBiller::Call first = world.mobile().Next(Operation::kCancel);
  world.mobile().Always(Operation::kCancel, CancelOutcome(adapters::Declined{"25", "no"}));
  world.Advance(minutes(12));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kReview);
  EXPECT_THAT(world.Find("R1").unknown_cause,
              StartsWith("its request may yet reach the biller; no final answer since it became CANCELLING; "));
  EXPECT_THAT(world.Find("R1").unknown_cause, HasSubstr("the last: refused: 25 no"));
}

}  // namespace
}  // namespace waystation::flow
