// A station takes its payment back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using adapters::CancelOutcome;
using core::DeclineReason;
using core::Money;
using core::PaymentId;
using core::PaymentState;
using ::testing::HasSubstr;

class CancelFlowTest : public ::testing::Test {
 protected:
  // Payment 7 of 50 yuan was approved.
  FlowWorld& Open(FlowOptions options = FlowOptions()) {
    world_.emplace(&store_, std::move(options));
    payment_ = world_->Approved("R1");
    return *world_;
  }

  std::future<FlowWorld::Result> Cancel() { return world_->Cancel(payment_.id); }
  ScriptedBiller::Call NextCancel() { return world_->mobile().Next(Operation::kCancel); }
  size_t cancels() { return world_->mobile().count(Operation::kCancel); }

  storage::MemoryCommitLog store_;
  std::optional<FlowWorld> world_;
  core::Payment payment_;
};

TEST_F(CancelFlowTest, Confirmed) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = Cancel();
  ScriptedBiller::Call call = NextCancel();
  EXPECT_EQ(call.request.payment_id, payment_.id);
  EXPECT_EQ(call.request.biller_reference, "B1");
  EXPECT_EQ(call.request.earlier_attempts, 0);
  EXPECT_EQ(world.account().balance, Money::Fen(95'000)) << "captured until the biller agrees";
  call.answer(CancelOutcome(adapters::TakenBack{}));
  const FlowWorld::Result result = Get(std::move(answer));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.decline, std::nullopt);
  EXPECT_EQ(result.payment.state, PaymentState::kCancelled);
  EXPECT_EQ(world.account().balance, Money::Fen(100'000));
  // And again, long after.
  EXPECT_EQ(Get(Cancel()).payment, result.payment);
  EXPECT_EQ(cancels(), 1u);
}

TEST_F(CancelFlowTest, NothingLeavesBeforeItIsDurable) {
  FlowWorld& world = Open();
  world.log().Hold();
  std::future<FlowWorld::Result> answer = Cancel();
  world.log().WaitForHeld(1);
  EXPECT_EQ(cancels(), 0u);
  world.log().Release();
  NextCancel().answer(CancelOutcome(adapters::TakenBack{}));
  world.log().WaitForHeld(1);
  EXPECT_FALSE(IsThere(answer));
  world.log().Release();
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kCancelled);
}

TEST_F(CancelFlowTest, RefusedByTheBiller) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = Cancel();
  NextCancel().answer(CancelOutcome(adapters::Declined{"33", "used already"}));
  const FlowWorld::Result result = Get(std::move(answer));
  EXPECT_EQ(result.payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(result.payment.decline, (core::Decline{DeclineReason::kBillerDeclined, "33", "used already"}));
  EXPECT_EQ(world.account().balance, Money::Fen(95'000));
}

TEST_F(CancelFlowTest, AFirstOneThatWasNotSentHasFailed) {
  Open();
  std::future<FlowWorld::Result> answer = Cancel();
  NextCancel().answer(CancelOutcome(adapters::NotSent{"connection refused"}));
  const FlowWorld::Result result = Get(std::move(answer));
  EXPECT_EQ(result.payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(result.payment.decline, (core::Decline{DeclineReason::kNotSent, "", "connection refused"}));
  // The station may try again.
  std::future<FlowWorld::Result> again = Cancel();
  NextCancel().answer(CancelOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(again)).payment.state, PaymentState::kCancelled);
}

TEST_F(CancelFlowTest, WithoutAnswerItIsRepeated) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = Cancel();
  NextCancel().answer(CancelOutcome(adapters::Unknown{"no answer in time"}));
  ScriptedBiller::Call second = NextCancel();
  EXPECT_EQ(second.request.earlier_attempts, 1);
  // Of a repeat that was not sent nothing is known but that this attempt was not.
  second.answer(CancelOutcome(adapters::NotSent{"connection refused"}));
  ScriptedBiller::Call third = NextCancel();
  EXPECT_EQ(third.request.earlier_attempts, 1);
  EXPECT_FALSE(IsThere(answer));
  EXPECT_EQ(world.account().balance, Money::Fen(95'000));
  third.answer(CancelOutcome(adapters::TakenBack{}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kCancelled);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 1u);
}

TEST_F(CancelFlowTest, WithoutAnswerItGoesToAPersonAfterTheDeadline) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = Cancel();
  ScriptedBiller::Call call = NextCancel();
  world.clock().Advance(world.schedule().review_after);
  call.answer(CancelOutcome(adapters::Unknown{"no answer in time"}));
  // The biller is asked once more before a person is.
  NextCancel().answer(CancelOutcome(adapters::Unknown{"still none"}));
  const FlowWorld::Result result = Get(std::move(answer));
  EXPECT_EQ(result.payment.state, PaymentState::kReview);
  EXPECT_THAT(result.payment.unknown_cause, HasSubstr("CANCELLING"));
  EXPECT_EQ(world.account().balance, Money::Fen(95'000)) << "captured, as it was";
}

TEST_F(CancelFlowTest, ARepeatedRequestWaitsForTheOneInFlight) {
  FlowWorld& world = Open();
  std::vector<std::future<FlowWorld::Result>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(Cancel());
  ScriptedBiller::Call call = NextCancel();
  answers.push_back(Cancel());
  world.Flush();
  for (const auto& answer : answers) EXPECT_FALSE(IsThere(answer));
  call.answer(CancelOutcome(adapters::TakenBack{}));
  for (auto& answer : answers) EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kCancelled);
  EXPECT_EQ(cancels(), 1u);
}

TEST_F(CancelFlowTest, ABillerThatTakesNothingBackIsNotAsked) {
  FlowOptions options;
  options.mobile.cancel = adapters::CancelRule::kNone;
  FlowWorld& world = Open(std::move(options));
  const FlowWorld::Result result = Get(Cancel());
  ASSERT_TRUE(result.status.ok()) << result.status;
  ASSERT_TRUE(result.decline.has_value());
  EXPECT_EQ(result.decline->reason, DeclineReason::kCancelNotSupported);
  EXPECT_EQ(result.payment, payment_);
  // Nor one that is not configured.
  EXPECT_EQ(Get(world.Cancel(payment_.id, "water")).decline->reason, DeclineReason::kCancelNotSupported);
  EXPECT_EQ(cancels(), 0u);
}

TEST_F(CancelFlowTest, AnEarlierDateIsDeclined) {
  FlowWorld& world = Open();
  ASSERT_TRUE(world.running().Do(core::CloseDay{storage::ShopDate(), storage::ShopDate().NextDay()}).status.ok());
  const FlowWorld::Result result = Get(Cancel());
  ASSERT_TRUE(result.decline.has_value());
  EXPECT_EQ(result.decline->reason, DeclineReason::kCancelDatePassed);
  EXPECT_EQ(cancels(), 0u);
}

TEST_F(CancelFlowTest, AnUnknownPaymentIsNotFound) {
  FlowWorld& world = Open();
  EXPECT_TRUE(absl::IsNotFound(Get(world.Cancel(PaymentId::FromNumber(1))).status));
}

}  // namespace
}  // namespace waystation::flow
