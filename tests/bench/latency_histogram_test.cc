#include "bench/latency_histogram.h"

#include <gtest/gtest.h>

namespace waystation::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Within 1% above the true value: a percentile is the upper edge of its bin.
void ExpectAbout(nanoseconds actual, nanoseconds expected) {
  EXPECT_GE(actual, expected);
  EXPECT_LE(static_cast<double>(actual.count()), static_cast<double>(expected.count()) * 1.011);
}

TEST(LatencyHistogram, IsZeroWhileEmpty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Percentile(50), nanoseconds(0));
  EXPECT_EQ(histogram.Percentile(100), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
}

TEST(LatencyHistogram, PercentilesOfAnEvenSpreadAreWithinOnePercent) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 100'000; ++us) histogram.Record(microseconds(us));
  EXPECT_EQ(histogram.count(), 100'000u);
  ExpectAbout(histogram.Percentile(50), microseconds(50'000));
  ExpectAbout(histogram.Percentile(90), microseconds(90'000));
  ExpectAbout(histogram.Percentile(99.9), microseconds(99'900));
  EXPECT_EQ(histogram.Percentile(100), milliseconds(100));
}

TEST(LatencyHistogram, OneSlowCallShowsInTheTailAndExactlyInTheMaximum) {
  LatencyHistogram histogram;
  for (int i = 0; i < 999; ++i) histogram.Record(microseconds(200));
  histogram.Record(nanoseconds(1'234'567'890));
  ExpectAbout(histogram.Percentile(99.9), microseconds(200));
  EXPECT_EQ(histogram.Percentile(99.95), nanoseconds(1'234'567'890));
  EXPECT_EQ(histogram.max(), nanoseconds(1'234'567'890));
}

TEST(LatencyHistogram, APercentileIsNeverAboveTheMaximum) {
  LatencyHistogram histogram;
  histogram.Record(microseconds(1'003));
  for (const double percent : {0.0, 50.0, 99.9, 100.0}) EXPECT_EQ(histogram.Percentile(percent), microseconds(1'003));
}

TEST(LatencyHistogram, WhatLiesOutsideItsRangeIsKeptInTheNearestBin) {
  LatencyHistogram histogram;
  histogram.Record(nanoseconds(0));
  histogram.Record(nanoseconds(-5));
  histogram.Record(seconds(500));
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_LE(histogram.Percentile(50), nanoseconds(1'011));
  EXPECT_GE(histogram.Percentile(100), seconds(99));
  EXPECT_EQ(histogram.max(), seconds(500));
}

TEST(LatencyHistogram, MergingIsAsIfAllHadBeenRecordedInOne) {
  LatencyHistogram all;
  LatencyHistogram even;
  LatencyHistogram odd;
  for (int us = 1; us <= 10'000; ++us) {
    all.Record(microseconds(us));
    (us % 2 == 0 ? even : odd).Record(microseconds(us));
  }
  even.Merge(odd);
  EXPECT_EQ(even.count(), all.count());
  EXPECT_EQ(even.max(), all.max());
  for (const double percent : {1.0, 50.0, 99.0, 99.9}) EXPECT_EQ(even.Percentile(percent), all.Percentile(percent));
}

TEST(LatencyHistogram, TellsValuesOnePercentApartFromOneEndOfItsRangeToTheOther) {
  for (double ns = 2'000; ns < 9e10; ns *= 1.37) {
    LatencyHistogram histogram;
    histogram.Record(nanoseconds(static_cast<int64_t>(ns)));
    histogram.Record(nanoseconds(static_cast<int64_t>(ns * 1.011)));
    histogram.Record(nanoseconds(static_cast<int64_t>(ns * 3)));
    ExpectAbout(histogram.Percentile(33), nanoseconds(static_cast<int64_t>(ns)));
    EXPECT_LT(histogram.Percentile(33), histogram.Percentile(66)) << ns;
  }
}

TEST(PercentileCurve, GoesAsFarAsTheCallsCanTellAndEndsWithTheLargest) {
  EXPECT_TRUE(PercentileCurve(LatencyHistogram()).empty());
  LatencyHistogram histogram;
  for (int us = 1; us <= 1'000; ++us) histogram.Record(microseconds(us));
  const auto curve = PercentileCurve(histogram);
  ASSERT_EQ(curve.size(), 32u);
  EXPECT_EQ(curve.front().first, 0);
  EXPECT_DOUBLE_EQ(curve[10].first, 90);
  ExpectAbout(curve[10].second, microseconds(900));
  EXPECT_DOUBLE_EQ(curve[30].first, 99.9);
  EXPECT_EQ(curve.back().first, 100);
  EXPECT_EQ(curve.back().second, milliseconds(1));
  for (size_t i = 1; i < curve.size(); ++i) EXPECT_GE(curve[i].second, curve[i - 1].second);
}

}  // namespace
}  // namespace waystation::bench
