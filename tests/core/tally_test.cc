#include "switch/core/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <vector>

namespace waystation::core {
namespace {

using ::testing::ElementsAre;

TEST(Tally, GrowsByWhatIsAdded) {
  Tally tally;
  EXPECT_EQ(tally.value(), 0u);
  tally.Add();
  tally.Add(41);
  EXPECT_EQ(tally.value(), 42u);
}

TEST(Histogram, BoundsArePowersOfTwoAndTheMiddlesBetweenThem) {
  std::vector<uint64_t> bounds;
  for (size_t index = 0; index < 12; ++index) bounds.push_back(Histogram::BoundOf(index));
  EXPECT_THAT(bounds, ElementsAre(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64));
  EXPECT_EQ(Histogram::BoundOf(Histogram::kBounds - 1), uint64_t{1} << 26);
}

TEST(Histogram, AValueIsInTheFirstBucketWhoseBoundItDoesNotPass) {
  EXPECT_EQ(Histogram::BucketOf(0), 0u);
  for (size_t index = 0; index < Histogram::kBounds; ++index) {
    const uint64_t bound = Histogram::BoundOf(index);
    EXPECT_EQ(Histogram::BucketOf(bound), index) << bound;
    EXPECT_EQ(Histogram::BucketOf(bound + 1), index + 1) << bound;
    EXPECT_TRUE(index == 0 || bound > Histogram::BoundOf(index - 1)) << bound;
  }
  EXPECT_EQ(Histogram::BucketOf(std::numeric_limits<uint64_t>::max()), Histogram::kBounds);
}

TEST(Histogram, KeepsCountsAndTheSum) {
  Histogram histogram;
  histogram.Add(5);
  histogram.Add(6);
  histogram.AddTime(std::chrono::microseconds(7));
  histogram.AddTime(std::chrono::nanoseconds(-1'000'000));  // a clock that differs between cores
  histogram.AddTime(std::chrono::hours(1));
  EXPECT_EQ(histogram.count(Histogram::BucketOf(6)), 2u);
  EXPECT_EQ(histogram.count(Histogram::BucketOf(7)), 1u);
  EXPECT_EQ(histogram.count(0), 1u);
  EXPECT_EQ(histogram.count(Histogram::kBounds), 1u);
  EXPECT_EQ(histogram.sum(), 18u + 3'600'000'000u);
}

}  // namespace
}  // namespace waystation::core
