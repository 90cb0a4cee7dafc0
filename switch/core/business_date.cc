#include "switch/core/business_date.h"

#include "absl/status/status.h"
#include "fmt/compile.h"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::core {
namespace {

std::chrono::year_month_day Split(uint32_t yyyymmdd) {
  return {std::chrono::year(static_cast<int>(yyyymmdd / 10000)), std::chrono::month(yyyymmdd / 100 % 100),
          std::chrono::day(yyyymmdd % 100)};
}

}  // namespace

absl::StatusOr<BusinessDate> BusinessDate::Parse(std::string_view text) {
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-';
  uint32_t number = 0;
  if (shaped) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (i == 4 || i == 7) continue;
      if (text[i] < '0' || text[i] > '9') {
        number = 0;
        break;
      }
      number = number * 10 + static_cast<uint32_t>(text[i] - '0');
    }
  }
  absl::StatusOr<BusinessDate> date = FromNumber(number);
  if (!date.ok()) return absl::InvalidArgumentError("is not a date; expected YYYY-MM-DD, such as 2026-11-21");
  return date;
}

absl::StatusOr<BusinessDate> BusinessDate::FromNumber(uint32_t yyyymmdd) {
  if (yyyymmdd < 19700101 || yyyymmdd > 99991231 || !Split(yyyymmdd).ok()) {
    return absl::InvalidArgumentError(fmt::format("{} is not a date; expected a number such as 20261121", yyyymmdd));
  }
  return BusinessDate(yyyymmdd);
}

BusinessDate BusinessDate::FromDays(std::chrono::sys_days days) {
  const std::chrono::year_month_day ymd(days);
  return BusinessDate(static_cast<uint32_t>(static_cast<int>(ymd.year())) * 10000 +
                      static_cast<unsigned>(ymd.month()) * 100 + static_cast<unsigned>(ymd.day()));
}

std::chrono::sys_days BusinessDate::days() const {
  WS_CHECK(has_value(), "no business date");
  return std::chrono::sys_days(Split(yyyymmdd_));
}

BusinessDate BusinessDate::NextDay() const {
  return FromDays(days() + std::chrono::days(1));
}

std::string BusinessDate::ToString() const {
  if (!has_value()) return "";
  // The quickest way, since each answer about a payment has three.
  fmt::memory_buffer text;
  fmt::format_to(fmt::appender(text), FMT_COMPILE("{:04}-{:02}-{:02}"), yyyymmdd_ / 10000, yyyymmdd_ / 100 % 100,
                 yyyymmdd_ % 100);
  return fmt::to_string(text);
}

}  // namespace waystation::core
