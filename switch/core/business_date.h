#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::core {

// Time as the journal keeps it: milliseconds since 1970-01-01T00:00:00Z.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

// The accounting day a leg belongs to (营业日). Changes at day cut, not at midnight by the clock.
class BusinessDate {
 public:
  // No date.
  constexpr BusinessDate() = default;

  // "YYYY-MM-DD", a day that exists, year 1970 to 9999.
  static absl::StatusOr<BusinessDate> Parse(std::string_view text);
  // 20261121; the form in the journal.
  static absl::StatusOr<BusinessDate> FromNumber(uint32_t yyyymmdd);
  static BusinessDate FromDays(std::chrono::sys_days days);

  constexpr uint32_t number() const { return yyyymmdd_; }
  constexpr bool has_value() const { return yyyymmdd_ != 0; }
  // Not for "no date".
  std::chrono::sys_days days() const;
  BusinessDate NextDay() const;
  // "2026-11-21"; empty for no date.
  std::string ToString() const;
  constexpr auto operator<=>(const BusinessDate&) const = default;

 private:
  explicit constexpr BusinessDate(uint32_t yyyymmdd) : yyyymmdd_(yyyymmdd) {}
  uint32_t yyyymmdd_ = 0;
};

}  // namespace waystation::core
