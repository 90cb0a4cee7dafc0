// A payment whose outcome the biller tells at once: hold, send, record, answer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "switch/core/limits.h"
#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using adapters::PayOutcome;
using core::DeclineReason;
using core::Money;
using core::PaymentId;
using core::PaymentState;

class PayFlowTest : public ::testing::Test {
 protected:
  FlowWorld& Open(FlowOptions options = FlowOptions()) { return world_.emplace(&store_, std::move(options)); }

  void ExpectAccount(int64_t balance_fen, int64_t reserved_fen, int64_t forwarded_fen) {
    const core::Account account = world_->account();
    EXPECT_EQ(account.balance, Money::Fen(balance_fen));
    EXPECT_EQ(account.reserved, Money::Fen(reserved_fen));
    EXPECT_EQ(account.forwarded, Money::Fen(forwarded_fen));
  }

  storage::MemoryCommitLog store_;
  std::optional<FlowWorld> world_;
};

TEST_F(PayFlowTest, Approved) {
  FlowWorld& world = Open();
  PayOrder order = Order("R1");
  order.inquiry = {InquiryProof::Standing::kValid, Money::Fen(5'000), "*明"};
  std::future<FlowWorld::Result> answer = world.Pay(std::move(order));
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  EXPECT_EQ(call.request.station, storage::ShopStation());
  EXPECT_EQ(call.request.customer_number, "13800000000");
  EXPECT_EQ(call.request.amount, Money::Fen(5'000));
  EXPECT_EQ(call.request.accepted_at, world.clock().Now());
  EXPECT_EQ(call.request.business_date, storage::ShopDate());
  EXPECT_EQ(call.request.earlier_attempts, 0);
  EXPECT_LE(call.deadline, std::chrono::steady_clock::now() + world.mobile().card().time_limit);
  EXPECT_GT(call.deadline, std::chrono::steady_clock::now() - storage::kPatience);
  ExpectAccount(100'000, 5'000, 0);
  EXPECT_FALSE(IsThere(answer));

  call.answer(PayOutcome(adapters::Approved{"B77", "12345678901234567890", ""}));
  const FlowWorld::Result result = Get(std::move(answer));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.payment.id, call.request.payment_id);
  EXPECT_EQ(result.payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(result.payment.biller_reference, "B77");
  EXPECT_EQ(result.payment.voucher, "12345678901234567890");
  EXPECT_EQ(result.payment.customer_name, "*明");
  ExpectAccount(95'000, 0, 0);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 1u);
}

TEST_F(PayFlowTest, DeclinedByTheBiller) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = world.Pay(Order("R1"));
  world.mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Declined{"51", "number is barred"}));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kDeclined);
  EXPECT_EQ(payment.decline, (core::Decline{DeclineReason::kBillerDeclined, "51", "number is barred"}));
  ExpectAccount(100'000, 0, 0);
}

TEST_F(PayFlowTest, NotSent) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = world.Pay(Order("R1"));
  world.mobile().Next(Operation::kPay).answer(PayOutcome(adapters::NotSent{"connection refused"}));
  const core::Payment payment = Get(std::move(answer)).payment;
  EXPECT_EQ(payment.state, PaymentState::kDeclined);
  EXPECT_EQ(payment.decline, (core::Decline{DeclineReason::kNotSent, "", "connection refused"}));
  ExpectAccount(100'000, 0, 0);
}

TEST_F(PayFlowTest, DeclinedByTheLedgerIsNotSent) {
  FlowWorld& world = Open();
  PayOrder order = Order("R1");
  order.amount = Money::Fen(100'001);
  const FlowWorld::Result result = Get(world.Pay(std::move(order)));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.payment.state, PaymentState::kDeclined);
  EXPECT_EQ(result.payment.decline->reason, DeclineReason::kInsufficientAvailableBalance);
  world.Flush();
  EXPECT_EQ(world.mobile().count(Operation::kPay), 0u);
}

TEST_F(PayFlowTest, DeclinedByTheCardIsNotSent) {
  FlowOptions options;
  options.mobile.least = Money::Fen(6'000);
  FlowWorld& world = Open(std::move(options));
  const FlowWorld::Result result = Get(world.Pay(Order("R1")));
  EXPECT_EQ(result.payment.state, PaymentState::kDeclined);
  EXPECT_EQ(result.payment.decline->reason, DeclineReason::kAmountTooSmall);
  world.Flush();
  EXPECT_EQ(world.mobile().count(Operation::kPay), 0u);
}

TEST_F(PayFlowTest, RefusedByTheLedgerIsNotSent) {
  FlowWorld& world = Open();
  PayOrder order = Order("R1");
  order.station = core::StationId::FromNumber(1);
  EXPECT_TRUE(absl::IsNotFound(Get(world.Pay(std::move(order))).status));
  world.Flush();
  EXPECT_EQ(world.mobile().count(Operation::kPay), 0u);
  EXPECT_EQ(world.flow().in_progress(), 0u);
}

TEST_F(PayFlowTest, NothingLeavesBeforeItIsDurable) {
  FlowWorld& world = Open();
  world.log().Hold();
  std::future<FlowWorld::Result> answer = world.Pay(Order("R1"));
  world.log().WaitForHeld(1);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 0u);
  EXPECT_FALSE(IsThere(answer));
  world.log().Release();
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);

  call.answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  world.log().WaitForHeld(1);
  EXPECT_FALSE(IsThere(answer));
  world.log().Release();
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
}

TEST_F(PayFlowTest, TheSameRequestFromManySidesIsOnePaymentWithEqualAnswers) {
  FlowWorld& world = Open();
  constexpr size_t kCallers = 64;
  std::vector<std::future<FlowWorld::Result>> answers;
  for (size_t i = 0; i < kCallers / 2; ++i) answers.push_back(world.Pay(Order("R1")));
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  for (size_t i = kCallers / 2; i < kCallers; ++i) answers.push_back(world.Pay(Order("R1")));
  world.Flush();
  for (const auto& answer : answers) EXPECT_FALSE(IsThere(answer));
  call.answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  const core::Payment first = Get(std::move(answers[0])).payment;
  EXPECT_EQ(first.state, PaymentState::kSucceeded);
  for (size_t i = 1; i < kCallers; ++i) EXPECT_EQ(Get(std::move(answers[i])).payment, first);
  EXPECT_EQ(Get(world.Pay(Order("R1"))).payment, first) << "and long after";
  EXPECT_EQ(world.mobile().count(Operation::kPay), 1u);
  ExpectAccount(95'000, 0, 0);
}

TEST_F(PayFlowTest, ARequestWithOtherContentIsRefused) {
  FlowWorld& world = Open();
  world.Approved("R1");
  PayOrder other = Order("R1");
  other.amount = Money::Fen(5'001);
  EXPECT_TRUE(absl::IsAlreadyExists(Get(world.Pay(std::move(other))).status));
}

TEST_F(PayFlowTest, ACallerWhoDoesNotWaitIsToldHeldAndThePaymentGoesOn) {
  FlowWorld& world = Open();
  PayOrder order = Order("R1");
  order.answer_by = std::chrono::steady_clock::now();
  const core::Payment held = Get(world.Pay(std::move(order))).payment;
  EXPECT_EQ(held.state, PaymentState::kHeld);
  world.mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  world.states().WaitFor(held.id, PaymentState::kSucceeded);
  EXPECT_EQ(Get(world.Pay(Order("R1"))).payment.state, PaymentState::kSucceeded);
}

TEST_F(PayFlowTest, ACallerIsAnsweredWhenHisTimeIsUp) {
  FlowWorld& world = Open();
  PayOrder order = Order("R1");
  order.answer_by = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  std::future<FlowWorld::Result> patient = world.Pay(Order("R1"));
  std::future<FlowWorld::Result> hasty = world.Pay(std::move(order));
  EXPECT_EQ(Get(std::move(hasty)).payment.state, PaymentState::kHeld);
  EXPECT_FALSE(IsThere(patient));
  world.mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(patient)).payment.state, PaymentState::kSucceeded);
}

TEST_F(PayFlowTest, AFullLaneRefusesAndRecordsNothing) {
  FlowOptions options;
  options.mobile.max_in_flight = 3;  // one of them the resolver's
  FlowWorld& world = Open(std::move(options));
  std::vector<std::future<FlowWorld::Result>> answers;
  std::vector<ScriptedBiller::Call> calls;
  for (const char* request : {"R1", "R2"}) {
    answers.push_back(world.Pay(Order(request)));
    calls.push_back(world.mobile().Next(Operation::kPay));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world.Pay(Order("R3"))).status));
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world.Inquire()).status));
  EXPECT_TRUE(absl::IsNotFound(world.running().Do(core::ReadPaymentByRequest{storage::ShopStation(), "R3"}).status));
  // The other biller's lane is its own.
  std::future<FlowWorld::Result> gas = world.Pay(OrderTo("gas", "G1"));
  world.gas().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"G", "", ""}));
  EXPECT_EQ(Get(std::move(gas)).payment.state, PaymentState::kSucceeded);

  calls[0].answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(answers[0])).payment.state, PaymentState::kSucceeded);
  std::future<FlowWorld::Result> third = world.Pay(Order("R3"));
  world.mobile().Next(Operation::kPay).answer(PayOutcome(adapters::Approved{"B3", "", ""}));
  EXPECT_EQ(Get(std::move(third)).payment.state, PaymentState::kSucceeded);
}

TEST_F(PayFlowTest, SoManyOrdersAreInProgressAtMost) {
  FlowOptions options;
  options.max_in_progress = 1;
  FlowWorld& world = Open(std::move(options));
  std::future<FlowWorld::Result> first = world.Pay(Order("R1"));
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  EXPECT_EQ(world.flow().in_progress(), 1u);
  EXPECT_FALSE(world.flow().TakesOrders());
  for (const absl::Status& status :
       {Get(world.Pay(Order("R2"))).status, Get(world.Cancel(PaymentId::FromNumber(6))).status}) {
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  }
  call.answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(first)).payment.state, PaymentState::kSucceeded);
  world.Flush();
  EXPECT_EQ(world.flow().in_progress(), 0u);
  EXPECT_TRUE(world.flow().TakesOrders());
}

TEST_F(PayFlowTest, InquiriesHaveRoomOfTheirOwnBesidePayments) {
  FlowOptions options;
  options.max_in_progress = 1;
  options.mobile.max_in_flight = 2 * core::kInquiriesBeyond;
  FlowWorld& world = Open(std::move(options));
  std::future<FlowWorld::Result> payment = world.Pay(Order("R1"));
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  std::vector<std::future<FlowWorld::InquiryResult>> inquiries;
  for (size_t i = 0; i < core::kInquiriesBeyond; ++i) inquiries.push_back(world.Inquire());
  world.mobile().WaitForCount(Operation::kInquire, core::kInquiriesBeyond);
  EXPECT_TRUE(absl::IsResourceExhausted(Get(world.Inquire()).status));
  for (std::future<FlowWorld::InquiryResult>& inquiry : inquiries) {
    world.mobile().Next(Operation::kInquire).answer(adapters::InquiryOutcome(adapters::InquiryFound{"*", Money()}));
    EXPECT_TRUE(Get(std::move(inquiry)).status.ok());
  }
  call.answer(PayOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(payment)).payment.state, PaymentState::kSucceeded);
}

TEST_F(PayFlowTest, OrdersBeginAsHoldsBecomeDurableAndSoManyWait) {
  FlowOptions options;
  options.max_in_progress = core::kMaxHoldsUnderWay + core::kMaxOrdersWaiting + 1;
  options.mobile.max_in_flight = 2 * static_cast<uint32_t>(options.max_in_progress);
  FlowWorld& world = Open(std::move(options));
  world.mobile().Always(Operation::kPay, PayOutcome(adapters::Approved{"B1", "", ""}));
  world.mobile().Always(Operation::kInquire, adapters::InquiryOutcome(adapters::InquiryFound{"*", Money::Fen(1)}));
  world.log().Hold();
  std::vector<std::future<FlowWorld::Result>> answers;
  const auto pay = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      PayOrder order = Order("R" + std::to_string(answers.size()));
      order.amount = Money::Fen(1);
      answers.push_back(world.Pay(std::move(order)));
    }
  };
  // They begin, and then no more: all that come after them wait, and what is too much is refused at once.
  pay(core::kMaxHoldsUnderWay);
  std::promise<void> begun;
  world.flow().Post([&begun] { begun.set_value(); });
  Get(begun.get_future());
  pay(core::kMaxOrdersWaiting);
  std::future<FlowWorld::Result> one_more = world.Pay(Order("one more"));
  ASSERT_TRUE(IsThere(one_more));
  EXPECT_TRUE(absl::IsResourceExhausted(Get(std::move(one_more)).status));
  EXPECT_FALSE(world.flow().TakesOrders());
  // An inquiry goes past them: that the station may ask has been durable for long.
  EXPECT_TRUE(Get(world.Inquire()).status.ok());
  world.log().LetThrough();
  for (std::future<FlowWorld::Result>& answer : answers) {
    EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  }
  ExpectAccount(100'000 - static_cast<int64_t>(answers.size()), 0, 0);
}

TEST_F(PayFlowTest, OfManyOrdersAtOnceThoseAreTakenForWhichThereIsRoom) {
  FlowOptions options;
  options.max_in_progress = 3;
  FlowWorld& world = Open(std::move(options));
  std::vector<std::promise<FlowWorld::Result>> answered(5);
  std::vector<std::pair<PayOrder, PaymentFlow::Answer>> orders;
  for (std::promise<FlowWorld::Result>& promise : answered) {
    orders.emplace_back(Order("R" + std::to_string(orders.size())),
                        [&promise](FlowWorld::Result result) { promise.set_value(std::move(result)); });
  }
  world.mobile().Always(Operation::kPay, PayOutcome(adapters::Approved{"B1", "", ""}));
  const size_t taken = world.flow().Pay(absl::MakeSpan(orders));
  EXPECT_EQ(taken, 3u);
  for (size_t i = 0; i < taken; ++i) {
    EXPECT_EQ(Get(answered[i].get_future()).payment.request_id, "R" + std::to_string(i));
  }
  EXPECT_EQ(orders[3].first.request_id, "R3");
  EXPECT_EQ(orders[4].first.request_id, "R4");
}

TEST_F(PayFlowTest, AtTheEndThoseWhoWaitAreToldTheStateReached) {
  FlowWorld& world = Open();
  std::future<FlowWorld::Result> answer = world.Pay(Order("R1"));
  world.mobile().WaitForCount(Operation::kPay, 1);
  world.AnswerWaiting();
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kHeld);
  EXPECT_EQ(world.flow().in_progress(), 1u) << "the payment is still with the biller";
  // The world ends with it there: what is not finished is dropped, and found again at the next start.
}

}  // namespace
}  // namespace waystation::flow
