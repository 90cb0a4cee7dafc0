#include "adapters/alarm.h"

#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

// Who raises it, when (ms), and what is told.
struct Row {
  std::string biller;
  int64_t at_ms;
  std::string told;  // empty: nothing
};

TEST(AlarmLimit, TellsOfEachBillerOnceASecond) {
  const std::vector<Row> rows = {
      {"carrier", 0, "fault"},
      {"carrier", 1, ""},
      {"carrier", 999, ""},
      {"gas", 999, "fault"},  // another's do not count
      {"carrier", 1'000, "fault (and 2 more before)"},
      {"carrier", 1'999, ""},
      {"gas", 1'998, ""},
      {"carrier", 2'000, "fault (and 1 more before)"},
      {"carrier", 9'000, "fault"},
      {"gas", 9'000, "fault (and 1 more before)"},
  };
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  AlarmLimit limit;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.biller + " at " + std::to_string(row.at_ms));
    EXPECT_EQ(limit.Pass(row.biller, "fault", start + milliseconds(row.at_ms)).value_or(""), row.told);
  }
}

TEST(Alarms, GoToTheirSinkAndAreHeldBack) {
  std::vector<std::string> told;
  SendAlarmsTo([&told](std::string_view biller, std::string_view text) {
    told.push_back(std::string(biller) + ": " + std::string(text));
  });
  RaiseAlarm("carrier", "first");
  EXPECT_THAT(told, ElementsAre("carrier: first"));
  RaiseAlarm("gas", "second");
  EXPECT_THAT(told, ElementsAre("carrier: first", "gas: second"));
  // As fast as a host that signs wrongly gives rise to them: no more than one a second.
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1'000; ++i) RaiseAlarm("carrier", "again");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LE(told.size(), 2u + static_cast<size_t>(seconds));
  SendAlarmsTo(nullptr);
}

TEST(Alarms, AnotherSinkHearsTheNext) {
  std::vector<std::string> told;
  for (const std::string name : {"first", "second"}) {
    SendAlarmsTo([&told, name](std::string_view, std::string_view) { told.push_back(name); });
    RaiseAlarm("carrier", "fault");
  }
  EXPECT_THAT(told, ElementsAre("first", "second"));
  SendAlarmsTo(nullptr);
}

}  // namespace
}  // namespace waystation::adapters
