#include "bench/time_series.h"

#include <gtest/gtest.h>

namespace waystation::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimeSeries::TimePoint kStart{seconds(1'000)};

TimeSeries FiveSeconds() {
  return {kStart, seconds(1), 5};
}

TEST(TimeSeries, KeepsLatencyAndResultWhereACallWasDueAndItsAnswerWhereItCame) {
  TimeSeries series = FiveSeconds();
  series.Record(kStart + milliseconds(1'900), kStart + milliseconds(3'100), {.state = v1::PAYMENT_STATE_SUCCEEDED});
  ASSERT_EQ(series.intervals().size(), 4u);
  EXPECT_EQ(series.intervals()[1].latency.count(), 1u);
  EXPECT_EQ(series.intervals()[1].latency.max(), milliseconds(1'200));
  EXPECT_EQ(series.intervals()[1].results.total(), 1u);
  EXPECT_EQ(series.intervals()[1].answered, 0u);
  EXPECT_EQ(series.intervals()[3].answered, 1u);
  EXPECT_EQ(series.intervals()[3].latency.count(), 0u);
}

TEST(TimeSeries, AFailedCallIsAResultAndNoAnswer) {
  TimeSeries series = FiveSeconds();
  series.Record(kStart, kStart + milliseconds(5), {.code = grpc::StatusCode::UNAVAILABLE});
  ASSERT_EQ(series.intervals().size(), 1u);
  EXPECT_EQ(series.intervals()[0].answered, 0u);
  EXPECT_EQ(series.intervals()[0].latency.count(), 0u);
  EXPECT_EQ(series.intervals()[0].results.Lines().at(0).name, "UNAVAILABLE");
}

TEST(TimeSeries, LeavesOutTheWarmUpAndWhatComesAfterTheEnd) {
  TimeSeries series = FiveSeconds();
  series.Record(kStart - milliseconds(1), kStart + milliseconds(1), {});
  ASSERT_EQ(series.intervals().size(), 1u) << "its answer came within";
  EXPECT_EQ(series.intervals()[0].answered, 1u);
  EXPECT_EQ(series.intervals()[0].results.total(), 0u);
  series.Record(kStart + milliseconds(4'999), kStart + seconds(5), {});
  ASSERT_EQ(series.intervals().size(), 5u);
  EXPECT_EQ(series.intervals()[4].answered, 0u);
  EXPECT_EQ(series.intervals()[4].latency.count(), 1u);
  series.Record(kStart + seconds(5), kStart + seconds(6), {});
  EXPECT_EQ(series.intervals().size(), 5u);
}

TEST(TimeSeries, MergingIsAsIfAllHadBeenRecordedInOne) {
  TimeSeries all = FiveSeconds();
  TimeSeries even = FiveSeconds();
  TimeSeries odd = FiveSeconds();
  for (int i = 0; i < 4'000; ++i) {
    const auto due = kStart + milliseconds(i);
    const CallResult result{.code = i % 3 == 0 ? grpc::StatusCode::INTERNAL : grpc::StatusCode::OK};
    all.Record(due, due + milliseconds(i % 700), result);
    (i % 2 == 0 || i > 2'000 ? even : odd).Record(due, due + milliseconds(i % 700), result);
  }
  odd.Merge(even);
  ASSERT_EQ(odd.intervals().size(), all.intervals().size());
  for (size_t i = 0; i < all.intervals().size(); ++i) {
    EXPECT_EQ(odd.intervals()[i].answered, all.intervals()[i].answered) << i;
    EXPECT_EQ(odd.intervals()[i].latency.Percentile(99), all.intervals()[i].latency.Percentile(99)) << i;
    EXPECT_EQ(odd.intervals()[i].results.total(), all.intervals()[i].results.total()) << i;
  }
}

TEST(TimeSeries, WithoutIntervalsKeepsNothing) {
  TimeSeries series;
  series.Record(kStart, kStart + seconds(1), {});
  EXPECT_TRUE(series.intervals().empty());
}

}  // namespace
}  // namespace waystation::bench
