// An inquiry: admitted by the ledger, answered by the biller, nothing recorded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using adapters::InquiryOutcome;
using core::DeclineReason;
using core::Money;

class InquiryFlowTest : public ::testing::Test {
 protected:
  // What the station is told when the biller says this.
  FlowWorld::InquiryResult Inquire(InquiryOutcome outcome) {
    std::future<FlowWorld::InquiryResult> answer = world_.Inquire();
    world_.mobile().Next(Operation::kInquire).answer(std::move(outcome));
    return Get(std::move(answer));
  }

  storage::MemoryCommitLog store_;
  FlowWorld world_{&store_, FlowOptions()};
};

TEST_F(InquiryFlowTest, Found) {
  std::future<FlowWorld::InquiryResult> answer = world_.Inquire();
  ScriptedBiller::Call call = world_.mobile().Next(Operation::kInquire);
  EXPECT_EQ(call.inquiry.station, storage::ShopStation());
  EXPECT_EQ(call.inquiry.customer_number, "13800000000");
  call.answer(InquiryOutcome(adapters::InquiryFound{"*明", Money::Fen(1'234)}));
  const FlowWorld::InquiryResult result = Get(std::move(answer));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.decline, std::nullopt);
  EXPECT_EQ(result.found.customer_name, "*明");
  EXPECT_EQ(result.found.owed, Money::Fen(1'234));
}

TEST_F(InquiryFlowTest, DeclinedByTheBiller) {
  const FlowWorld::InquiryResult result = Inquire(adapters::Declined{"14", "no such customer"});
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.decline, (core::Decline{DeclineReason::kBillerDeclined, "14", "no such customer"}));
}

TEST_F(InquiryFlowTest, WithoutAnAnswerTheBillerIsOutOfService) {
  EXPECT_EQ(Inquire(adapters::NotSent{"connection refused"}).decline,
            (core::Decline{DeclineReason::kBillerOutOfService, "", "connection refused"}));
  EXPECT_EQ(Inquire(adapters::Unknown{"no answer in time"}).decline,
            (core::Decline{DeclineReason::kBillerOutOfService, "", "no answer in time"}));
}

TEST_F(InquiryFlowTest, WhatTheBillerSaysCanAlwaysBeShown) {
  const FlowWorld::InquiryResult result = Inquire(adapters::Declined{"\xff", "bad \xc3("});
  EXPECT_EQ(result.decline, (core::Decline{DeclineReason::kBillerDeclined, "?", "bad ?("}));
  EXPECT_EQ(Inquire(adapters::Unknown{"\xe4"}).decline->text, "?");
}

TEST_F(InquiryFlowTest, AStationThatIsNotActiveDoesNotReachTheBiller) {
  const core::SetStationStatus suspend{storage::ShopStation(), core::StationStatus::kSuspended, "moved"};
  ASSERT_TRUE(world_.running().Do(suspend).status.ok());
  const FlowWorld::InquiryResult result = Get(world_.Inquire());
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.decline->reason, DeclineReason::kStationNotActive);
  EXPECT_EQ(world_.mobile().count(Operation::kInquire), 0u);
}

TEST_F(InquiryFlowTest, ADisabledBillerIsNotAsked) {
  ASSERT_TRUE(world_.running().Do(core::SetBillerStatus{storage::kShopBiller, false, "maintenance"}).status.ok());
  EXPECT_EQ(Get(world_.Inquire()).decline->reason, DeclineReason::kBillerDisabled);
  EXPECT_EQ(world_.mobile().count(Operation::kInquire), 0u);
}

TEST_F(InquiryFlowTest, NothingIsRecorded) {
  const size_t before = storage::BlocksOf(store_).size();
  Inquire(adapters::InquiryFound{"*明", Money::Fen(1)});
  world_.Flush();
  EXPECT_EQ(world_.flow().in_progress(), 0u);
  EXPECT_EQ(storage::BlocksOf(store_).size(), before);
}

}  // namespace
}  // namespace waystation::flow
