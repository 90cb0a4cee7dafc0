#include "switch/flow/wait_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fmt/format.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::flow {
namespace {

using core::PaymentState;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

core::Payment PaymentIn(PaymentState state, uint64_t id = 1) {
  core::Payment payment;
  payment.id = core::PaymentId::FromNumber(id);
  payment.state = state;
  payment.voucher = "12345678901234567890";
  return payment;
}

class WaitBoardTest : public ::testing::Test {
 protected:
  // Notes "name STATE" when it is answered, with a payment that is whole.
  WaitBoard::Answer Note(const std::string& name) {
    return [this, name](core::Payment payment) {
      EXPECT_EQ(payment.voucher.size(), 20u);
      answers_.push_back(fmt::format("{} {}", name, core::Name(payment.state)));
    };
  }

  WaitBoard::TimePoint Late() const { return clock_.Steady() + std::chrono::hours(1); }
  WaitBoard::TimePoint Soon(int ms) const { return clock_.Steady() + milliseconds(ms); }

  storage::SimulatedClock clock_;
  Worker worker_{&clock_};
  WaitBoard board_{&worker_};
  std::vector<std::string> answers_;
};

TEST_F(WaitBoardTest, ASettledPaymentIsAnsweredAtOnce) {
  for (PaymentState state : core::kAllPaymentStates) {
    board_.Wait(PaymentIn(state, static_cast<uint64_t>(state)), Late(), Note("a"));
  }
  EXPECT_THAT(answers_,
              ElementsAre("a SUCCEEDED", "a DECLINED", "a REVERSED", "a CANCELLED", "a REVIEW", "a ADJUSTED"));
}

TEST_F(WaitBoardTest, WhoseTimeIsUpAlreadyIsAnsweredAtOnce) {
  board_.Wait(PaymentIn(PaymentState::kHeld), clock_.Steady(), Note("a"));
  EXPECT_THAT(answers_, ElementsAre("a HELD"));
  board_.Publish(PaymentIn(PaymentState::kSucceeded));
  EXPECT_THAT(answers_, ElementsAre("a HELD")) << "once";
}

TEST_F(WaitBoardTest, AllWhoWaitAreAnsweredWhenItSettles) {
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), Note("a"));
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), Note("b"));
  board_.Wait(PaymentIn(PaymentState::kHeld, 2), Late(), Note("other"));
  board_.Publish(PaymentIn(PaymentState::kUnknown));
  EXPECT_THAT(answers_, IsEmpty());
  board_.Publish(PaymentIn(PaymentState::kReversed));
  EXPECT_THAT(answers_, ElementsAre("a REVERSED", "b REVERSED"));
  board_.Publish(PaymentIn(PaymentState::kReversed));
  EXPECT_EQ(answers_.size(), 2u) << "each once";
}

TEST_F(WaitBoardTest, APaymentThatNobodyWaitsForIsNothing) {
  board_.Publish(PaymentIn(PaymentState::kSucceeded));
  board_.AnswerAll();
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(WaitBoardTest, EachIsAnsweredAtHisOwnTimeWithTheStateReached) {
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), Note("patient"));
  // Earlier than what the timer was set to.
  board_.Wait(PaymentIn(PaymentState::kHeld), Soon(20), Note("second"));
  board_.Wait(PaymentIn(PaymentState::kHeld), Soon(10), Note("first"));
  board_.Publish(PaymentIn(PaymentState::kUnknown));
  clock_.Advance(milliseconds(10));
  worker_.RunReady();
  EXPECT_THAT(answers_, ElementsAre("first UNKNOWN"));
  clock_.Advance(milliseconds(10));
  worker_.RunReady();
  EXPECT_THAT(answers_, ElementsAre("first UNKNOWN", "second UNKNOWN"));
  board_.Publish(PaymentIn(PaymentState::kSucceeded));
  EXPECT_THAT(answers_, ElementsAre("first UNKNOWN", "second UNKNOWN", "patient SUCCEEDED"));
}

TEST_F(WaitBoardTest, WhoComesLaterBringsTheNewerState) {
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), Note("a"));
  board_.Wait(PaymentIn(PaymentState::kUnknown), Late(), Note("b"));
  board_.AnswerAll();
  EXPECT_THAT(answers_, UnorderedElementsAre("a UNKNOWN", "b UNKNOWN"));
}

TEST_F(WaitBoardTest, AtTheEndEverybodyIsAnsweredOnce) {
  for (uint64_t id = 1; id <= 3; ++id) {
    board_.Wait(PaymentIn(PaymentState::kHeld, id), Late(), Note("a"));
    board_.Wait(PaymentIn(PaymentState::kHeld, id), Late() + milliseconds(1), Note("b"));
  }
  board_.AnswerAll();
  EXPECT_EQ(answers_.size(), 6u);
  board_.AnswerAll();
  EXPECT_EQ(answers_.size(), 6u);
}

TEST_F(WaitBoardTest, WhoComesAfterTheEndIsAnsweredAtOnce) {
  board_.AnswerAll();
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), Note("late"));
  EXPECT_THAT(answers_, ElementsAre("late HELD"));
}

TEST_F(WaitBoardTest, AnAnswerMayComeBackWithANewWait) {
  board_.Wait(PaymentIn(PaymentState::kHeld), Late(), [this](const core::Payment& payment) {
    answers_.emplace_back("a");
    board_.Wait(payment, Late(), Note("settled"));
    board_.Wait(PaymentIn(PaymentState::kHeld, 2), Late(), Note("b"));
  });
  board_.Publish(PaymentIn(PaymentState::kSucceeded));
  EXPECT_THAT(answers_, ElementsAre("a", "settled SUCCEEDED"));
  board_.Publish(PaymentIn(PaymentState::kDeclined, 2));
  EXPECT_THAT(answers_, ElementsAre("a", "settled SUCCEEDED", "b DECLINED"));
}

}  // namespace
}  // namespace waystation::flow
