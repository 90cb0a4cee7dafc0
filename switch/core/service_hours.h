#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "switch/core/business_date.h"

namespace waystation::core {

// Business dates and service hours are of China: UTC+8, without summer time.
inline constexpr std::chrono::hours kChinaOffset{8};

// The hours of each day in which a biller takes payments, in China time.
class ServiceHours {
 public:
  // Always.
  ServiceHours() = default;

  // "06:00-23:30", or several with commas between them: "06:00-12:00, 13:00-23:30". An interval has its first minute,
  // and not its last; one that ends before it begins runs over midnight; 24:00 is the end of a day. At most 8 of them.
  // Error: InvalidArgument with the fault and what was expected.
  static absl::StatusOr<ServiceHours> Parse(std::string_view text);

  bool always() const { return intervals_.empty(); }
  bool Include(TimePoint time) const;
  // As Parse takes it; "00:00-24:00" for always.
  std::string ToString() const;

  bool operator==(const ServiceHours&) const = default;

 private:
  // Of the day.
  struct Interval {
    std::chrono::minutes from;
    std::chrono::minutes to;
    bool operator==(const Interval&) const = default;
  };
  static absl::StatusOr<Interval> ParseInterval(std::string_view text);

  std::vector<Interval> intervals_;  // empty: always
};

}  // namespace waystation::core
