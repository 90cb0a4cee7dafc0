// Where an order to pay spends its time, and what became of a biller's requests.

#include "switch/flow/stage_tally.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <utility>

#include "tests/flow/timed_world.h"

namespace waystation::flow {
namespace {

using std::chrono::milliseconds;

class StageTallyTest : public ::testing::Test {
 protected:
  static TimedOptions OneAtATime() {
    TimedOptions options;
    options.mobile.max_in_flight = 2;  // one of them is the resolver's
    options.mobile.max_waiting = 1;
    return options;
  }

  // Orders of which that stage was taken, and their milliseconds together.
  static void Expect(TimedWorld& world, Stage stage, uint64_t count, int64_t sum_ms) {
    const core::Histogram& histogram = world.stages()[static_cast<size_t>(stage)];
    uint64_t counted = 0;
    for (size_t bucket = 0; bucket < core::Histogram::kBuckets; ++bucket) counted += histogram.count(bucket);
    EXPECT_EQ(counted, count) << "of stage " << static_cast<size_t>(stage);
    EXPECT_EQ(histogram.sum(), static_cast<uint64_t>(sum_ms * 1'000)) << "of stage " << static_cast<size_t>(stage);
  }

  static uint64_t Outcomes(TimedWorld& world, LaneOutcome outcome) {
    return world.lane().tally().outcomes[static_cast<size_t>(outcome)].value();
  }
};

TEST_F(StageTallyTest, TheBillersTimeAndBothCommits) {
  TimedWorld world{TimedOptions()};
  auto answer = world.Pay("R1");
  world.Advance(milliseconds(30));
  world.Approve();
  world.Run();
  ASSERT_EQ(Get(std::move(answer)).payment.state, core::PaymentState::kSucceeded);
  Expect(world, Stage::kQueue, 1, 0);
  Expect(world, Stage::kCommit, 2, 0);
  Expect(world, Stage::kBiller, 1, 30);
  Expect(world, Stage::kTotal, 1, 30);
  EXPECT_EQ(Outcomes(world, LaneOutcome::kApproved), 1u);
  EXPECT_EQ(world.lane().tally().answer_us[static_cast<size_t>(CircuitBreaker::Asked::kPayment)].sum(), 30'000u);
}

TEST_F(StageTallyTest, WaitingForAPlaceIsQueueing) {
  TimedWorld world{OneAtATime()};
  auto first = world.Pay("R1");
  auto second = world.Pay("R2");
  world.Advance(milliseconds(40));
  world.Approve();
  world.Advance(milliseconds(5));
  world.Approve();
  world.Run();
  ASSERT_EQ(Get(std::move(second)).payment.state, core::PaymentState::kSucceeded);
  Expect(world, Stage::kQueue, 2, 40);
  Expect(world, Stage::kBiller, 2, 45);
  Expect(world, Stage::kTotal, 2, 40 + 45);
}

TEST_F(StageTallyTest, WhatFindsNoPlaceIsOnlyRefused) {
  TimedWorld world{OneAtATime()};
  auto first = world.Pay("R1");
  auto second = world.Pay("R2");
  auto third = world.Pay("R3");
  world.Run();
  EXPECT_EQ(Get(std::move(third)).status.code(), absl::StatusCode::kResourceExhausted);
  Expect(world, Stage::kQueue, 1, 0);
  EXPECT_EQ(Outcomes(world, LaneOutcome::kRefused), 1u);
}

TEST_F(StageTallyTest, ADeclineOfTheSwitchItselfNeverComesToTheBiller) {
  TimedOptions options;
  options.mobile.most = core::Money::Fen(100);
  TimedWorld world{options};
  ASSERT_EQ(Get(world.Pay("R1")).payment.state, core::PaymentState::kDeclined);
  Expect(world, Stage::kQueue, 1, 0);
  Expect(world, Stage::kCommit, 1, 0);
  Expect(world, Stage::kBiller, 0, 0);
  Expect(world, Stage::kTotal, 1, 0);
}

TEST_F(StageTallyTest, InquiriesAreTimedApart) {
  TimedWorld world{TimedOptions()};
  auto answer = world.Inquire();
  world.Advance(milliseconds(7));
  world.Answer(Operation::kInquire, adapters::InquiryOutcome(adapters::Declined{"14", "no such number"}));
  world.Run();
  EXPECT_EQ(world.lane().tally().answer_us[static_cast<size_t>(CircuitBreaker::Asked::kInquiry)].sum(), 7'000u);
  EXPECT_EQ(Outcomes(world, LaneOutcome::kDeclined), 1u);
  Expect(world, Stage::kTotal, 0, 0);
}

}  // namespace
}  // namespace waystation::flow
