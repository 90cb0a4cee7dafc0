#include "adapters/iso8583/trace.h"

#include <chrono>

#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

constexpr std::chrono::hours kChina{8};

std::string Date(core::TimePoint time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{:02}{:02}", static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::string Time(core::TimePoint time) {
  const std::chrono::hh_mm_ss of_day(
      std::chrono::floor<std::chrono::seconds>(time - std::chrono::floor<std::chrono::days>(time)));
  return fmt::format("{:02}{:02}{:02}", of_day.hours().count(), of_day.minutes().count(), of_day.seconds().count());
}

}  // namespace

std::string TraceText(uint32_t trace) {
  return fmt::format("{:06}", trace);
}

std::string TransmissionTime(core::TimePoint time) {
  return Date(time) + Time(time);
}

std::string LocalTime(core::TimePoint time) {
  return Time(time + kChina);
}

std::string LocalDate(core::TimePoint time) {
  return Date(time + kChina);
}

}  // namespace waystation::adapters::iso8583
