#include "bench/arrival_schedule.h"

#include <gtest/gtest.h>

namespace waystation::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const ArrivalSchedule::TimePoint kStart{seconds(1'000)};

TEST(ArrivalSchedule, ArrivalsAreEvenlySpacedFromTheStart) {
  const ArrivalSchedule schedule(kStart, 20'000);
  EXPECT_EQ(schedule.IntendedAt(0), kStart);
  EXPECT_EQ(schedule.IntendedAt(1), kStart + microseconds(50));
  EXPECT_EQ(schedule.IntendedAt(20'000), kStart + seconds(1));
}

TEST(ArrivalSchedule, ARateThatDoesNotDivideASecondDoesNotDrift) {
  const ArrivalSchedule schedule(kStart, 30'000);  // 33.33... us apart
  EXPECT_EQ(schedule.IntendedAt(30'000ULL * 3'600), kStart + seconds(3'600));
}

TEST(ArrivalSchedule, CountsWhatIsDueBeforeTheEndAndNotAtIt) {
  const ArrivalSchedule schedule(kStart, 1'000);
  EXPECT_EQ(schedule.CountBefore(kStart), 0u);
  EXPECT_EQ(schedule.CountBefore(kStart - seconds(1)), 0u);
  EXPECT_EQ(schedule.CountBefore(kStart + nanoseconds(1)), 1u);
  EXPECT_EQ(schedule.CountBefore(kStart + microseconds(1'000)), 1u);
  EXPECT_EQ(schedule.CountBefore(kStart + microseconds(1'001)), 2u);
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(10)), 10'000u);
}

TEST(ArrivalSchedule, CountAndTimesAgreeForOddRates) {
  for (const double rate : {1.0, 3.0, 7.77, 12'345.6, 99'999.0}) {
    const ArrivalSchedule schedule(kStart, rate);
    const auto end = kStart + seconds(5);
    const uint64_t count = schedule.CountBefore(end);
    ASSERT_GT(count, 0u);
    EXPECT_LT(schedule.IntendedAt(count - 1), end) << rate;
    EXPECT_GE(schedule.IntendedAt(count), end) << rate;
  }
}

TEST(ArrivalSchedule, ARateThatRisesEvenlyMakesAsManyAsTheAreaUnderIt) {
  // From 100 to 300 a second within 2 s: 400 arrivals, the first 150 of them in the first second.
  const ArrivalSchedule schedule(
      kStart, std::vector<RatePoint>{{.at = seconds(0), .per_second = 100}, {.at = seconds(2), .per_second = 300}});
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(1)), 150u);
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(2)), 400u);
  EXPECT_EQ(schedule.IntendedAt(150), kStart + seconds(1));
  EXPECT_EQ(schedule.IntendedAt(400), kStart + seconds(2));
  // After the last point its rate holds on.
  EXPECT_EQ(schedule.IntendedAt(700), kStart + seconds(3));
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(12)), 3'400u);
}

TEST(ArrivalSchedule, BeforeTheFirstPointItsRateHolds) {
  const ArrivalSchedule schedule(
      kStart, std::vector<RatePoint>{{.at = seconds(10), .per_second = 50}, {.at = seconds(20), .per_second = 150}});
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(10)), 500u);
  EXPECT_EQ(schedule.IntendedAt(250), kStart + seconds(5));
  EXPECT_EQ(schedule.CountBefore(kStart + seconds(20)), 1'500u);
}

TEST(ArrivalSchedule, AlongACurveTimesGrowAndAgreeWithTheCount) {
  const std::vector<RatePoint> curve = {{.at = seconds(0), .per_second = 3},
                                        {.at = seconds(2), .per_second = 977},
                                        {.at = seconds(3), .per_second = 977},
                                        {.at = seconds(7), .per_second = 1},
                                        {.at = seconds(8), .per_second = 500}};
  const ArrivalSchedule schedule(kStart, curve);
  auto before = kStart - nanoseconds(1);
  for (uint64_t arrival = 0; schedule.IntendedAt(arrival) < kStart + seconds(10); ++arrival) {
    const auto due = schedule.IntendedAt(arrival);
    ASSERT_GT(due, before) << arrival;
    ASSERT_EQ(schedule.CountBefore(due), arrival);
    ASSERT_EQ(schedule.CountBefore(due + nanoseconds(1)), arrival + 1);
    before = due;
  }
}

}  // namespace
}  // namespace waystation::bench
