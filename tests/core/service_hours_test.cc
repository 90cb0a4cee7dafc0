#include "switch/core/service_hours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;

// 2026-11-21 in China, at this time of the day.
TimePoint At(const std::string& time) {
  const std::chrono::sys_days day = BusinessDate::FromNumber(20261121)->days();
  return day + hours(std::stoi(time.substr(0, 2))) + minutes(std::stoi(time.substr(3, 2))) - kChinaOffset;
}

TEST(ServiceHoursTest, AMinuteIsInOrOut) {
  const TextTable rows = ParseTextTable(R"(
    | 06:00-23:30              | 06:00 12:00 23:29       | 00:00 05:59 23:30 23:59       |
    | 22:00-06:00              | 22:00 23:59 00:00 05:59 | 06:00 12:00 21:59             |
    | 22:00-00:00              | 22:00 23:59             | 00:00 21:59                   |
    | 06:00-12:00, 13:00-24:00 | 06:00 11:59 13:00 23:59 | 12:00 12:59 00:00 05:59       |
    | 00:00-00:01              | 00:00                   | 00:01 23:59                   |
    | 00:00-24:00              | 00:00 12:00 23:59       |                               |
  )");
  ASSERT_EQ(rows.size(), 6u);
  for (const std::vector<std::string>& row : rows) {
    const absl::StatusOr<ServiceHours> service = ServiceHours::Parse(row[0]);
    ASSERT_TRUE(service.ok()) << service.status();
    EXPECT_EQ(service->ToString(), row[0]);
    EXPECT_EQ(*ServiceHours::Parse(service->ToString()), *service);
    for (const std::string& time : Words(row[1])) EXPECT_TRUE(service->Include(At(time))) << row[0] << " " << time;
    for (const std::string& time : Words(row[2])) EXPECT_FALSE(service->Include(At(time))) << row[0] << " " << time;
  }
}

TEST(ServiceHoursTest, AlwaysIsTheDefault) {
  EXPECT_TRUE(ServiceHours().always());
  EXPECT_TRUE(ServiceHours().Include(At("03:00")));
  EXPECT_EQ(ServiceHours().ToString(), "00:00-24:00");
  EXPECT_EQ(*ServiceHours::Parse("00:00-24:00"), ServiceHours());
}

TEST(ServiceHoursTest, SecondsCountForTheirMinute) {
  const ServiceHours service = *ServiceHours::Parse("06:00-23:30");
  EXPECT_TRUE(service.Include(At("23:29") + std::chrono::milliseconds(59'999)));
  EXPECT_FALSE(service.Include(At("05:59") + std::chrono::milliseconds(59'999)));
}

TEST(ServiceHoursTest, FaultsSayWhatWasExpected) {
  for (const char* bad : {"", "06:00", "6:00-23:30", "06:00-24:01", "06:60-07:00", "24:00-06:00", "06:00-06:00",
                          "06:00 - 23:30", "06:00-23:30,", "a6:00-23:30", "06-00-23:30", "06:00-23:300", "-"}) {
    const absl::Status status = ServiceHours::Parse(bad).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is no interval of a day; expected HH:MM-HH:MM")) << bad;
  }
  std::string nine = "00:00-01:00";
  for (int i = 1; i < 9; ++i) nine += ",00:00-01:00";
  EXPECT_THAT(std::string(ServiceHours::Parse(nine).status().message()), HasSubstr("9 intervals; expected at most 8"));
}

}  // namespace
}  // namespace waystation::core
