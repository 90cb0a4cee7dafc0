#include "switch/ctl/text_forms.h"

#include <gtest/gtest.h>

#include <limits>

namespace waystation::ctl {
namespace {

TEST(ChinaTimeTest, IsEightHoursAheadOfUtc) {
  EXPECT_EQ(ChinaTime(1'795'248'306'123), "2026-11-21 16:05:06.123");
  EXPECT_EQ(ChinaTime(1'795'280'400'000), "2026-11-22 01:00:00.000");  // 17:00 UTC the day before
  EXPECT_EQ(ChinaTimeWithZone(1'795'248'306'123), "2026-11-21 16:05:06.123 UTC+8");
}

TEST(ChinaTimeTest, SurvivesWhatIsNoTime) {
  EXPECT_EQ(ChinaTime(0), "-");
  EXPECT_EQ(ChinaTimeWithZone(0), "");
  EXPECT_EQ(ChinaTime(-1), "-1 ms");
  EXPECT_EQ(ChinaTime(std::numeric_limits<int64_t>::max()), "9223372036854775807 ms");
}

TEST(TimeFromTest, SaysItInTheLargestUnitThatSaysEnough) {
  constexpr int64_t kNow = 1'795'248'306'123;
  EXPECT_EQ(TimeFrom(kNow, 0), "-");
  EXPECT_EQ(TimeFrom(kNow, kNow + 999), "now");
  EXPECT_EQ(TimeFrom(kNow, kNow - 999), "now");
  EXPECT_EQ(TimeFrom(kNow, kNow + 1'000), "in 1s");
  EXPECT_EQ(TimeFrom(kNow, kNow - 89'999), "89s ago");
  EXPECT_EQ(TimeFrom(kNow, kNow + 90'000), "in 1m");
  EXPECT_EQ(TimeFrom(kNow, kNow + 5'400'000), "in 1h");
  EXPECT_EQ(TimeFrom(kNow, kNow - 172'799'000), "47h ago");
  EXPECT_EQ(TimeFrom(kNow, kNow + 172'800'000), "in 2d");
}

TEST(ShortenedTest, CutsAtACharacter) {
  EXPECT_EQ(Shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(Shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(Shortened("\u4eac\u4eac\u4eac\u4eac", 8), "\u4eac\u4eac\u4eac\u4eac");
  EXPECT_EQ(Shortened("\u4eac\u4eac\u4eac\u4eac", 7), "\u4eac\u4eac...");
  EXPECT_EQ(Shortened("\u4eac\u4eac\u4eac\u4eac", 6), "\u4eac...");
  EXPECT_EQ(Shortened("a\nb", 6), "a?b");
}

TEST(WordTest, DropsThePrefixAndShowsUnknownValuesAsNumbers) {
  EXPECT_EQ(Word(v1::PAYMENT_STATE_SUCCEEDED), "SUCCEEDED");
  EXPECT_EQ(Word(v1::DECLINE_REASON_AMOUNT_TOO_SMALL), "AMOUNT_TOO_SMALL");
  EXPECT_EQ(Word(v1::STATION_STATUS_ACTIVE), "ACTIVE");
  EXPECT_EQ(Word(v1::CANCEL_RULE_SAME_DAY), "SAME_DAY");
  EXPECT_EQ(Word(static_cast<v1::PaymentState>(99)), "99");
}

TEST(YuanTest, HasTwoDecimals) {
  EXPECT_EQ(Yuan(5000), "50.00");
  EXPECT_EQ(Yuan(-1), "-0.01");
  EXPECT_EQ(Yuan(std::numeric_limits<int64_t>::min()), "-92233720368547758.08");
}

TEST(JsonLineTest, IsOneLineWithEveryField) {
  v1::BusinessDay day;
  day.set_business_date("2026-11-21");
  day.set_last_sequence(7);
  EXPECT_EQ(JsonLine(day),
            "{\"businessDate\":\"2026-11-21\",\"openedAtMs\":\"0\",\"openedSequence\":\"0\",\"lastSequence\":\"7\"}\n");
}

}  // namespace
}  // namespace waystation::ctl
