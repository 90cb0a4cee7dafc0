// An adapter that does not keep its deadline is answered for; and who waits for a place with a biller. In simulated
// time.

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
using adapters::PayOutcome;
using core::DeclineReason;
using core::Money;
using core::PaymentState;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const PayOutcome kApproved(Approved{"B1", "", ""});

class LaneDeadlineTest : public ::testing::Test {
 protected:
  TimedWorld& Open(TimedOptions options = {}) { return world_.emplace(std::move(options)); }
  // Past the deadline and the grace of what was sent last.
  void WaitInVain() { world_->Advance(card_.time_limit + core::kDeadlineGrace); }

  const adapters::CapabilityCard card_ = AbleCard();
  std::optional<TimedWorld> world_;
};

TEST_F(LaneDeadlineTest, APaymentWhoseAdapterIsSilentIsUnknownAfterTheGrace) {
  TimedWorld& world = Open();
  const std::future<TimedWorld::Result> answer = world.Pay("R1");
  EXPECT_EQ(world.mobile().Next(Operation::kPay).deadline, world.clock().Steady() + card_.time_limit);
  world.Advance(card_.time_limit + core::kDeadlineGrace - milliseconds(1));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kHeld);
  EXPECT_EQ(world.status().of_stations, 1u);
  world.Advance(milliseconds(1));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kUnknown);
  EXPECT_EQ(world.Find("R1").unknown_cause, "no answer from the adapter 500 ms after its deadline of 10000 ms");
  EXPECT_FALSE(IsThere(answer)) << "who waits is told the end";
  EXPECT_EQ(world.status().of_stations, 0u);
  EXPECT_EQ(world.in_progress(), 0u);
}

TEST_F(LaneDeadlineTest, ItsApprovalIsALateOne) {
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> answer = world.Pay("R1");
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  WaitInVain();
  EXPECT_EQ(world.status().overdue, 1u);
  call.answer(kApproved);
  world.Run();
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world.account().balance, Money::Fen(95'000));
  EXPECT_EQ(world.status().overdue, 0u);
  EXPECT_EQ(world.in_progress(), 0u);
}

TEST_F(LaneDeadlineTest, AnyOtherLateAnswerSettlesNothing) {
  TimedWorld& world = Open();
  for (const PayOutcome& outcome : {PayOutcome(adapters::Declined{"14", "no such number"}),
                                    PayOutcome(adapters::NotSent{"refused"}), PayOutcome(adapters::Unknown{"cut"})}) {
    const std::string request = "R" + std::to_string(outcome.index());
    world.Pay(request);
    ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
    WaitInVain();
    call.answer(outcome);
    world.Run();
    EXPECT_EQ(world.Find(request).state, PaymentState::kUnknown);
    EXPECT_EQ(world.status().overdue, 0u);
  }
}

TEST_F(LaneDeadlineTest, AnAnswerWithinTheGraceIsTheAnswer) {
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> answer = world.Pay("R1");
  world.Advance(card_.time_limit + core::kDeadlineGrace - milliseconds(1));
  world.Approve();
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  world.Advance(milliseconds(2));
  EXPECT_EQ(world.status().overdue, 0u);
}

TEST_F(LaneDeadlineTest, NeverHeardOfItFreesNothingWhileTheAdapterMayYetSendIt) {
  TimedOptions options;
  options.schedule.first_query_after = milliseconds(1'000);
  options.schedule.longest_interval = milliseconds(1'000);
  TimedWorld& world = Open(std::move(options));
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::NeverReceived{}));
  world.Pay("R1");
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  world.Advance(10 * (card_.time_limit + card_.settling_time));
  EXPECT_GT(world.mobile().count(Operation::kQuery), 100u);
  EXPECT_EQ(world.Find("R1").state, PaymentState::kUnknown);
  call.answer(PayOutcome(adapters::Unknown{"cut"}));
  world.Advance(card_.settling_time - milliseconds(2'000));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kUnknown) << "it may have left right before";
  world.Advance(milliseconds(4'000));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kDeclined);
}

TEST_F(LaneDeadlineTest, TheSameGoesForReversalAdvice) {
  TimedOptions options;
  options.mobile.can_query = false;
  options.schedule.first_query_after = milliseconds(1'000);
  options.schedule.longest_interval = milliseconds(1'000);
  TimedWorld& world = Open(std::move(options));
  world.mobile().Always(Operation::kReverse, adapters::ReverseOutcome(adapters::NeverReceived{}));
  world.Pay("R1");
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  world.Advance(10 * (card_.time_limit + card_.settling_time));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kReversing);
  call.answer(PayOutcome(adapters::NotSent{"cut"}));
  world.Advance(card_.settling_time + milliseconds(2'000));
  EXPECT_EQ(world.Find("R1").state, PaymentState::kReversed);
}

TEST_F(LaneDeadlineTest, AnInquiryIsAnsweredForToo) {
  TimedWorld& world = Open();
  std::future<TimedWorld::InquiryResult> answer = world.Inquire();
  ScriptedBiller::Call call = world.mobile().Next(Operation::kInquire);
  WaitInVain();
  const TimedWorld::InquiryResult result = Get(std::move(answer));
  EXPECT_EQ(result.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_THAT(result.decline->text, StartsWith("no answer from the adapter"));
  EXPECT_EQ(world.status().of_stations, 0u);
  call.answer(adapters::InquiryOutcome(adapters::InquiryFound{"*", Money::Fen(1)}));
  world.Run();
  EXPECT_EQ(world.status().overdue, 0u);
}

TEST_F(LaneDeadlineTest, ACancelIsSentAgainByTheResolver) {
  TimedOptions options;
  options.schedule.first_query_after = card_.time_limit + milliseconds(1'000);
  TimedWorld& world = Open(std::move(options));
  std::future<TimedWorld::Result> paid = world.Pay("R1");
  world.Approve();
  const core::PaymentId id = Get(std::move(paid)).payment.id;
  std::future<TimedWorld::Result> cancelled = world.Cancel(id);
  ScriptedBiller::Call first = world.mobile().Next(Operation::kCancel);
  WaitInVain();
  EXPECT_EQ(world.Find("R1").state, PaymentState::kCancelling);
  world.Advance(milliseconds(1'000));
  ScriptedBiller::Call second = world.mobile().Next(Operation::kCancel);
  EXPECT_EQ(second.request.earlier_attempts, 1);
  second.answer(adapters::CancelOutcome(adapters::TakenBack{}));
  world.Run();
  EXPECT_EQ(Get(std::move(cancelled)).payment.state, PaymentState::kCancelled);
  first.answer(adapters::CancelOutcome(adapters::TakenBack{}));
  world.Run();
  EXPECT_EQ(world.account().balance, Money::Fen(100'000));
}

TEST_F(LaneDeadlineTest, WithAsManyOverdueAsMayBeInFlightTheBillerIsOutOfService) {
  TimedOptions options;
  options.mobile.max_in_flight = 3;
  options.lane.breaker.consecutive_failures = 100;
  TimedWorld& world = Open(std::move(options));
  std::vector<ScriptedBiller::Call> calls;
  for (int i = 0; i < 3; ++i) {
    world.Pay("R" + std::to_string(i));
    calls.push_back(world.mobile().Next(Operation::kPay));
    WaitInVain();
  }
  const TimedWorld::Result result = Get(world.Pay("R9"));
  EXPECT_EQ(result.payment.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_THAT(result.payment.decline->text, StartsWith("3 requests have no answer from the biller"));
  calls.back().answer(kApproved);
  world.Run();
  std::future<TimedWorld::Result> next = world.Pay("R10");
  world.Approve();
  EXPECT_EQ(Get(std::move(next)).payment.state, PaymentState::kSucceeded);
}

TEST_F(LaneDeadlineTest, AWorldMayEndWithRequestsThatAreOverdueAndOthersThatWait) {
  TimedOptions options;
  options.mobile.max_in_flight = 2;
  options.mobile.max_waiting = 2;
  TimedWorld& world = Open(std::move(options));
  world.Pay("R1");
  WaitInVain();
  // What the one that is with the biller leaves goes to one that ends right after it.
  for (const char* request : {"R2", "R3", "R4"}) world.Pay(request);
  EXPECT_EQ(world.status().overdue, 1u);
  EXPECT_EQ(world.status().waiting, 2u);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 2u);
}

// --- waiting for a place ---

class LaneWaitingTest : public LaneDeadlineTest {
 protected:
  LaneWaitingTest() {
    options_.mobile.max_in_flight = 2;  // one of them the resolver's
    options_.mobile.max_waiting = 2;
    Open(options_);
  }
  TimedOptions options_;
};

TEST_F(LaneWaitingTest, RequestsWaitInOrderAndTheOneTooManyIsRefused) {
  std::future<TimedWorld::Result> first = world_->Pay("R1");
  std::future<TimedWorld::Result> second = world_->Pay("R2");
  std::future<TimedWorld::InquiryResult> third = world_->Inquire();
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world_->Pay("R4")).status));
  EXPECT_EQ(world_->status().waiting, 2u);
  EXPECT_EQ(world_->mobile().count(Operation::kPay), 1u);
  EXPECT_EQ(world_->account().reserved, Money::Fen(5'000)) << "nothing is held for those who wait";
  world_->Approve();
  EXPECT_EQ(Get(std::move(first)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world_->mobile().count(Operation::kPay), 2u);
  EXPECT_EQ(world_->mobile().count(Operation::kInquire), 0u);
  world_->Approve();
  EXPECT_EQ(Get(std::move(second)).payment.state, PaymentState::kSucceeded);
  world_->Answer(Operation::kInquire, adapters::InquiryOutcome(adapters::InquiryFound{"*", Money::Fen(1)}));
  EXPECT_TRUE(Get(std::move(third)).status.ok());
  EXPECT_EQ(world_->status().waiting, 0u);
  EXPECT_EQ(world_->status().of_stations, 0u);
}

TEST_F(LaneWaitingTest, AnotherBillersPaymentsDoNot) {
  for (const char* request : {"R1", "R2", "R3"}) world_->Pay(request);
  ASSERT_EQ(world_->status().of_stations, 1u);
  ASSERT_EQ(world_->status().waiting, 2u);
  const core::SteadyTime now = world_->clock().Steady();
  std::future<TimedWorld::Result> gas = world_->Pay(OrderTo("gas", "G1"), std::chrono::hours(1));
  world_->gas().Next(Operation::kPay).answer(kApproved);
  world_->Run();
  EXPECT_EQ(Get(std::move(gas)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world_->clock().Steady(), now);
  EXPECT_EQ(world_->status().waiting, 2u);
}

TEST_F(LaneWaitingTest, NobodyWaitsForLong) {
  const std::future<TimedWorld::Result> first = world_->Pay("R1");
  std::future<TimedWorld::Result> second = world_->Pay("R2");
  world_->Advance(core::kMaxPlaceWait - milliseconds(1));
  EXPECT_FALSE(IsThere(second));
  world_->Advance(milliseconds(1));
  const absl::Status refused = Get(std::move(second)).status;
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("nothing was done"));
  EXPECT_EQ(world_->status().waiting, 0u);
  EXPECT_FALSE(IsThere(first));
}

TEST_F(LaneWaitingTest, NobodyWaitsLongerThanHeSaysThatHeWill) {
  const std::future<TimedWorld::Result> first = world_->Pay("R1");
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world_->Pay("R2", milliseconds(0))).status));
  std::future<TimedWorld::Result> third = world_->Pay("R3", milliseconds(30));
  EXPECT_FALSE(IsThere(third));
  world_->Advance(milliseconds(30));
  EXPECT_TRUE(absl::IsResourceExhausted(Get(std::move(third)).status));
}

TEST_F(LaneWaitingTest, APlaceThatIsGivenUpIsPassedOn) {
  world_->Pay("R1");
  world_->Advance(card_.time_limit);
  std::future<TimedWorld::Result> second = world_->Pay("R2");
  EXPECT_FALSE(IsThere(second));
  world_->Advance(core::kDeadlineGrace);
  EXPECT_EQ(world_->mobile().count(Operation::kPay), 2u);
}

}  // namespace
}  // namespace waystation::flow
