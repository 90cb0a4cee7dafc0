#pragma once

#include <cstdint>
#include <string>

#include "switch/core/business_date.h"
#include "switch/core/ids.h"

// The elements that tell requests apart.
namespace waystation::adapters::iso8583 {

// STANs are 1 .. 999,999, and start again.
inline constexpr uint32_t kTraceNumbers = 999'999;

inline uint32_t NextTrace(uint32_t trace) {
  return trace % kTraceNumbers + 1;
}
// A payment has the same one at any time, so that a reversal can name it when nothing else is left: it follows from the
// id.
inline uint32_t TraceOf(core::PaymentId payment) {
  return static_cast<uint32_t>(payment.number() % kTraceNumbers + 1);
}
std::string TraceText(uint32_t trace);

// Element 7: MMDDhhmmss, UTC.
std::string TransmissionTime(core::TimePoint time);
// Elements 12 and 13: hhmmss and MMDD in China.
std::string LocalTime(core::TimePoint time);
std::string LocalDate(core::TimePoint time);

}  // namespace waystation::adapters::iso8583
