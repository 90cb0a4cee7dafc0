#include "switch/core/business_date.h"

#include <gtest/gtest.h>

namespace waystation::core {
namespace {

TEST(BusinessDateTest, ReadAndWritten) {
  for (const char* text : {"1970-01-01", "2026-11-21", "2028-02-29", "9999-12-31"}) {
    const absl::StatusOr<BusinessDate> date = BusinessDate::Parse(text);
    ASSERT_TRUE(date.ok()) << text;
    EXPECT_EQ(date->ToString(), text);
    EXPECT_EQ(*BusinessDate::FromNumber(date->number()), *date);
    EXPECT_EQ(BusinessDate::FromDays(date->days()), *date);
  }
  EXPECT_EQ(BusinessDate::Parse("2026-11-21")->number(), 20261121u);
}

TEST(BusinessDateTest, WhatIsNotADayIsRefused) {
  for (const char* text : {"", "2026-11-2", "2026-11-211", "2026/11/21", "20261121", "2026-1a-21", "2026-00-10",
                           "2026-13-01", "2026-02-29", "2026-11-31", "2026-11-00", "1969-12-31", "0000-00-00"}) {
    const absl::StatusOr<BusinessDate> date = BusinessDate::Parse(text);
    ASSERT_FALSE(date.ok()) << text;
    EXPECT_EQ(date.status().message(), "is not a date; expected YYYY-MM-DD, such as 2026-11-21");
  }
  for (uint32_t number : {0u, 19691231u, 20260229u, 20261301u, 20261100u, 99991232u, 4294967295u}) {
    const absl::StatusOr<BusinessDate> date = BusinessDate::FromNumber(number);
    ASSERT_FALSE(date.ok()) << number;
    EXPECT_EQ(date.status().message(), std::to_string(number) + " is not a date; expected a number such as 20261121");
  }
}

TEST(BusinessDateTest, TheNextDayCrossesMonthsAndYears) {
  EXPECT_EQ(BusinessDate::Parse("2026-11-21")->NextDay().ToString(), "2026-11-22");
  EXPECT_EQ(BusinessDate::Parse("2026-11-30")->NextDay().ToString(), "2026-12-01");
  EXPECT_EQ(BusinessDate::Parse("2026-12-31")->NextDay().ToString(), "2027-01-01");
  EXPECT_EQ(BusinessDate::Parse("2026-02-28")->NextDay().ToString(), "2026-03-01");
  EXPECT_EQ(BusinessDate::Parse("2028-02-28")->NextDay().ToString(), "2028-02-29");
}

TEST(BusinessDateTest, NoDateIsBeforeAllAndWrittenAsNothing) {
  const BusinessDate none;
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(none.ToString(), "");
  EXPECT_LT(none, *BusinessDate::Parse("1970-01-01"));
}

TEST(BusinessDateDeathTest, NoDateHasNoDays) {
  EXPECT_DEATH(BusinessDate().days(), "no business date");
}

}  // namespace
}  // namespace waystation::core
