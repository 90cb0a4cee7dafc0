#include "switch/core/service_hours.h"

#include <algorithm>
#include <optional>

#include "fmt/format.h"

namespace waystation::core {
namespace {

using std::chrono::minutes;

constexpr minutes kDay = std::chrono::hours(24);
constexpr size_t kMostIntervals = 8;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// "HH:MM", 00:00 to 24:00.
std::optional<minutes> ParseTime(std::string_view text) {
  constexpr size_t kLength = 5;
  constexpr int kMinutesInAnHour = 60;
  if (text.size() != kLength || text[2] != ':') return std::nullopt;
  for (const size_t i : {0, 1, 3, 4}) {
    if (!IsDigit(text[i])) return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const minutes time = std::chrono::hours(hour) + minutes(minute);
  if (minute >= kMinutesInAnHour || time > kDay) return std::nullopt;
  return time;
}

std::string_view WithoutSpaces(std::string_view text) {
  const size_t first = std::min(text.find_first_not_of(' '), text.size());
  const size_t last = text.find_last_not_of(' ');
  return text.substr(first, last == text.npos ? 0 : last - first + 1);
}

std::string Text(minutes time) {
  return fmt::format("{:02}:{:02}", time.count() / 60, time.count() % 60);
}

}  // namespace

absl::StatusOr<ServiceHours::Interval> ServiceHours::ParseInterval(std::string_view text) {
  const size_t dash = std::min(text.find('-'), text.size());
  const std::optional<minutes> from = ParseTime(text.substr(0, dash));
  const std::optional<minutes> to = ParseTime(text.substr(std::min(dash + 1, text.size())));
  if (!from || !to || *from == *to || *from == kDay) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no interval of a day; expected HH:MM-HH:MM, such as 06:00-23:30, or 22:00-06:00 for one "
                    "that runs over midnight",
                    text));
  }
  return Interval{*from, *to};
}

absl::StatusOr<ServiceHours> ServiceHours::Parse(std::string_view text) {
  ServiceHours hours;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    absl::StatusOr<Interval> interval = ParseInterval(WithoutSpaces(text.substr(begin, end - begin)));
    if (!interval.ok()) return interval.status();
    hours.intervals_.push_back(*interval);
    begin = end + 1;
  }
  if (hours.intervals_.size() > kMostIntervals) {
    return absl::InvalidArgumentError(
        fmt::format("{} intervals; expected at most {}", hours.intervals_.size(), kMostIntervals));
  }
  const std::vector<Interval> whole_day = {{minutes(0), kDay}};
  if (hours.intervals_ == whole_day) hours.intervals_.clear();
  return hours;
}

bool ServiceHours::Include(TimePoint time) const {
  if (always()) return true;
  const TimePoint in_china = time + kChinaOffset;
  const auto of_day = std::chrono::floor<minutes>(in_china - std::chrono::floor<std::chrono::days>(in_china));
  return std::any_of(intervals_.begin(), intervals_.end(), [of_day](const Interval& i) {
    return i.from < i.to ? i.from <= of_day && of_day < i.to : i.from <= of_day || of_day < i.to;
  });
}

std::string ServiceHours::ToString() const {
  if (always()) return "00:00-24:00";
  std::string text;
  for (const Interval& interval : intervals_) {
    text += fmt::format("{}{}-{}", text.empty() ? "" : ", ", Text(interval.from), Text(interval.to));
  }
  return text;
}

}  // namespace waystation::core
