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

}  // namespace
}  // namespace waystation::bench
