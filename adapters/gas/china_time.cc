#include "adapters/gas/china_time.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "fmt/format.h"

namespace waystation::adapters::gas {
namespace {

constexpr std::chrono::hours kAheadOfUtc{8};
constexpr size_t kDigits = 14;

// All of `text` is digits.
uint32_t Number(std::string_view text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string ChinaTime(core::TimePoint time) {
  const auto local = std::chrono::floor<std::chrono::seconds>(time + kAheadOfUtc);
  const auto days = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::hh_mm_ss clock(local - days);
  return fmt::format("{}{:02}{:02}{:02}", core::BusinessDate::FromDays(days).number(), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

absl::StatusOr<core::TimePoint> ParseChinaTime(std::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.size() == kDigits && digits) {
    const absl::StatusOr<core::BusinessDate> day = core::BusinessDate::FromNumber(Number(text.substr(0, 8)));
    const uint32_t hour = Number(text.substr(8, 2));
    const uint32_t minute = Number(text.substr(10, 2));
    const uint32_t second = Number(text.substr(12, 2));
    if (day.ok() && hour < 24 && minute < 60 && second < 60) {
      return core::TimePoint(day->days() + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                             std::chrono::seconds(second) - kAheadOfUtc);
    }
  }
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not a time; expected yyyymmddHHMMSS", text));
}

}  // namespace waystation::adapters::gas
