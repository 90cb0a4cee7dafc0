// What the log has of payments, and the trace that goes with them to the biller.

#include "switch/flow/payment_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using core::LogLevel;
using core::PaymentState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Line {
  LogLevel level;
  std::string message;
  std::map<std::string, std::string> fields;
};

// Any thread.
class KeptLines final : public core::LogSink {
 public:
  void Write(LogLevel level, std::string_view, std::string_view message, core::LogFields fields) override {
    Line line{level, std::string(message), {}};
    for (const core::LogField& field : fields) line.fields.emplace(field.key, field.value);
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  void Flush() override {}

  std::vector<Line> Take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Line> lines_;  // guarded by mutex_
};

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";

class PaymentLogTest : public ::testing::Test {
 protected:
  PaymentLogTest() : world_(&store_, FlowOptions()) { core::SetLogSink(&kept_, LogLevel::kInfo); }
  ~PaymentLogTest() override { core::SetLogSink(nullptr, LogLevel::kInfo); }

  static PayOrder Traced(const std::string& request_id) {
    PayOrder order = Order(request_id);
    order.trace = *core::ParseTraceparent(kTraceparent);
    return order;
  }

  storage::MemoryCommitLog store_;
  KeptLines kept_;
  FlowWorld world_;
};

TEST_F(PaymentLogTest, APaymentThatGoesAsItShouldHasNoLineAtInfo) {
  std::future<FlowWorld::Result> answer = world_.Pay(Traced("R1"));
  ScriptedBiller::Call call = world_.mobile().Next(Operation::kPay);
  EXPECT_EQ(call.request.trace.ToTraceparent(), kTraceparent);
  call.answer(adapters::PayOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  EXPECT_THAT(kept_.Take(), IsEmpty());
}

TEST_F(PaymentLogTest, AtDebugEachStepHasOne) {
  core::SetLogLevel(LogLevel::kDebug);
  std::future<FlowWorld::Result> answer = world_.Pay(Traced("R1"));
  world_.mobile().Next(Operation::kPay).answer(adapters::PayOutcome(adapters::Approved{"B1", "", ""}));
  const core::Payment payment = Get(std::move(answer)).payment;
  std::vector<std::string> states;
  for (const Line& line : kept_.Take()) {
    EXPECT_EQ(line.level, LogLevel::kDebug);
    EXPECT_EQ(line.fields.at("payment_id"), payment.id.ToString());
    EXPECT_EQ(line.fields.at("station_id"), payment.station.ToString());
    EXPECT_EQ(line.fields.at("request_id"), "R1");
    EXPECT_EQ(line.fields.at("biller"), "mobile");
    EXPECT_EQ(line.fields.at("trace_id"), kTraceId);
    for (const auto& [key, value] : line.fields) EXPECT_EQ(value.find(payment.customer_number), value.npos) << key;
    states.push_back(line.fields.at("state"));
  }
  EXPECT_THAT(states, ElementsAre("HELD", "SUCCEEDED"));
}

// The same trace goes with what the resolver asks, and stands in the line that says how it ended.
TEST_F(PaymentLogTest, AnOutcomeThatIsNotKnownIsAWarningAndItsEndIsTold) {
  std::future<FlowWorld::Result> answer = world_.Pay(Traced("R1"));
  ScriptedBiller::Call pay = world_.mobile().Next(Operation::kPay);
  pay.answer(adapters::PayOutcome(adapters::Unknown{"no answer about 13800001234"}));
  ScriptedBiller::Call query = world_.mobile().Next(Operation::kQuery);
  EXPECT_EQ(query.request.trace.ToTraceparent(), kTraceparent);
  query.answer(adapters::QueryOutcome(adapters::Approved{"B1", "", ""}));
  EXPECT_EQ(Get(std::move(answer)).payment.state, PaymentState::kSucceeded);
  const std::vector<Line> lines = kept_.Take();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].level, LogLevel::kWarn);
  EXPECT_THAT(lines[0].fields, AllOf(Contains(Pair("state", "UNKNOWN")), Contains(Pair("trace_id", kTraceId)),
                                     Contains(Pair("cause", "no answer about *******1234"))));
  EXPECT_EQ(lines[1].level, LogLevel::kInfo);
  EXPECT_THAT(lines[1].fields, AllOf(Contains(Pair("state", "SUCCEEDED")), Contains(Pair("trace_id", kTraceId)),
                                     Contains(Pair("payment_id", pay.request.payment_id.ToString()))));
}

TEST(PaymentLogLevels, WhatAPersonIsNeededForIsAnError) {
  KeptLines kept;
  core::SetLogSink(&kept, LogLevel::kInfo);
  core::Payment payment;
  payment.id = core::PaymentId::FromNumber(7);
  payment.unknown_cause = "no final answer from the biller";
  payment.decline = core::Decline{core::DeclineReason::kBillerDeclined, "E1", "a text that is the customer's"};
  const struct {
    PaymentState state;
    LogLevel level;
    std::string cause;
  } rows[] = {
      {PaymentState::kReview, LogLevel::kError, payment.unknown_cause},
      {PaymentState::kUnknown, LogLevel::kWarn, payment.unknown_cause},
      {PaymentState::kCancelling, LogLevel::kWarn, "BILLER_DECLINED E1"},
      {PaymentState::kReversed, LogLevel::kInfo, "BILLER_DECLINED E1"},
  };
  for (const auto& row : rows) {
    payment.state = row.state;
    LogReached(payment, {}, LogLevel::kInfo);
    const std::vector<Line> lines = kept.Take();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].level, row.level);
    EXPECT_EQ(lines[0].fields.at("cause"), row.cause);
    EXPECT_EQ(lines[0].fields.at("trace_id"), "") << "found at start-up: of no trace";
  }
  core::SetLogSink(nullptr, LogLevel::kInfo);
}

}  // namespace
}  // namespace waystation::flow
