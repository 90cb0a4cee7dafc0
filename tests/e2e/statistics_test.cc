// What GetStatistics tells of what the switch has done.

#include <csignal>

#include <map>
#include <numeric>
#include <string>

#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

class Statistics : public SwitchTest {
 protected:
  v1::Statistics Read() {
    const auto answer =
        Call(api_.operations.get(), &v1::OperationsService::Stub::GetStatistics, v1::GetStatisticsRequest());
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.value;
  }
  v1::Payment PayTo(const std::string& request_id, int ending) {
    const auto answer =
        Pay(api_, PayRequestFor(station_, request_id, "mobile", CustomerNumber("mobile", 1, ending), 5'000));
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.value.payment();
  }

  static uint64_t Total(const v1::Histogram& histogram) {
    return std::accumulate(histogram.counts().begin(), histogram.counts().end(), uint64_t{0});
  }
  static std::map<v1::PaymentState, uint64_t> States(const v1::Statistics& statistics) {
    std::map<v1::PaymentState, uint64_t> states;
    for (const v1::StateCount& count : statistics.payments()) states[count.state()] = count.count();
    return states;
  }
  static uint64_t Calls(const v1::Statistics& statistics, const std::string& method, grpc::StatusCode code) {
    uint64_t calls = 0;
    for (const v1::CallCount& call : statistics.calls()) {
      if (call.method() == method && call.code() == static_cast<int>(code)) calls += call.count();
    }
    return calls;
  }

  const std::string station_ = StationNumber(1);
};

TEST_F(Statistics, CountsWhatCameOfEachRequest) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 100'000).ok());
  EXPECT_EQ(PayTo("approved", 0).state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(PayTo("declined", 90).state(), v1::PAYMENT_STATE_DECLINED);
  EXPECT_EQ(PayTo("approved", 0).state(), v1::PAYMENT_STATE_SUCCEEDED) << "a repeat";
  EXPECT_FALSE(Pay(api_, PayRequestFor("nobody", "bad", "mobile", CustomerNumber("mobile", 1, 0), 5'000)).ok());
  v1::PayRequest lost = PayRequestFor(station_, "lost", "mobile", CustomerNumber("mobile", 1, 94), 5'000);
  lost.set_wait_ms(0);
  const std::string lost_id = Pay(api_, lost).value.payment().payment_id();
  ASSERT_TRUE(Watch(api_, station_, 0).WaitFor(lost_id, v1::PAYMENT_STATE_UNKNOWN));

  const v1::Statistics statistics = Read();
  auto states = States(statistics);
  EXPECT_EQ(states[v1::PAYMENT_STATE_HELD], 3u);
  EXPECT_EQ(states[v1::PAYMENT_STATE_SUCCEEDED], 1u);
  EXPECT_EQ(states[v1::PAYMENT_STATE_DECLINED], 1u);
  EXPECT_EQ(states[v1::PAYMENT_STATE_UNKNOWN], 1u);
  ASSERT_EQ(statistics.declines_size(), 1);
  EXPECT_EQ(statistics.declines(0).reason(), v1::DECLINE_REASON_BILLER_DECLINED);
  EXPECT_EQ(Calls(statistics, "PaymentService/Pay", grpc::StatusCode::OK), 4u);
  EXPECT_EQ(Calls(statistics, "PaymentService/Pay", grpc::StatusCode::INVALID_ARGUMENT), 1u);
  EXPECT_EQ(Calls(statistics, "AdminService/RegisterStation", grpc::StatusCode::OK), 1u);
  EXPECT_EQ(Calls(statistics, "PaymentService/WatchPayments", grpc::StatusCode::OK), 1u);

  ASSERT_EQ(statistics.stages_size(), 4);
  const int buckets = statistics.bucket_bounds_size() + 1;
  for (const v1::StageLatency& stage : statistics.stages()) EXPECT_EQ(stage.us().counts_size(), buckets);
  EXPECT_EQ(Total(statistics.stages(0).us()), 4u) << "each order has queued, the repeat too";
  EXPECT_EQ(Total(statistics.stages(2).us()), 3u) << "three came to the biller";
  EXPECT_EQ(statistics.block_legs().sum(), statistics.last_sequence()) << "every leg is of a block";
  EXPECT_GE(Total(statistics.commit_us()), Total(statistics.block_legs()));

  ASSERT_EQ(statistics.lanes_size(), 3);
  const v1::LaneStatistics& mobile = statistics.lanes(2);
  EXPECT_EQ(mobile.biller_id(), "mobile");
  EXPECT_EQ(mobile.lane().breaker(), v1::BREAKER_STATE_CLOSED);
  EXPECT_EQ(mobile.totals().approved(), 1u);
  EXPECT_EQ(mobile.totals().declined(), 1u);
  EXPECT_EQ(mobile.totals().unknown(), 1u);
  EXPECT_EQ(Total(mobile.payment_us()), 3u);

  ASSERT_EQ(statistics.open_payments_size(), 1);
  EXPECT_EQ(statistics.open_payments(0).biller_id(), "mobile");
  EXPECT_EQ(statistics.open_payments(0).state(), v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_EQ(statistics.open_payments(0).by_age(0), 1u);
  EXPECT_GT(statistics.open_payments(0).oldest_since_ms(), 0);
  EXPECT_GT(statistics.uptime_us(), 0u);
}

TEST_F(Statistics, BeginAnewWithTheProcessButForWhatIsOpen) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 100'000).ok());
  v1::PayRequest lost = PayRequestFor(station_, "lost", "mobile", CustomerNumber("mobile", 1, 94), 5'000);
  lost.set_wait_ms(0);
  const std::string lost_id = Pay(api_, lost).value.payment().payment_id();
  ASSERT_TRUE(Watch(api_, station_, 0).WaitFor(lost_id, v1::PAYMENT_STATE_UNKNOWN));
  const v1::Statistics before = Read();
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  const v1::Statistics after = Read();
  EXPECT_GT(after.started_at_ms(), before.started_at_ms());
  EXPECT_EQ(States(after)[v1::PAYMENT_STATE_HELD], 0u);
  ASSERT_EQ(after.open_payments_size(), 1);
  EXPECT_EQ(after.open_payments(0).oldest_since_ms(), before.open_payments(0).oldest_since_ms());
}

}  // namespace
}  // namespace waystation::e2e
