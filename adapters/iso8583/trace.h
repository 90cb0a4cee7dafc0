#pragma once

#include <cstdint>
#include <string>

#include "switch/core/business_date.h"
#include "switch/core/ids.h"

// The elements that tell requests apart.
namespace waystation::adapters::iso8583 {

// STANs are 1 .. 999,999. A host takes a message for the one that it has already when they have type, STAN,
// transmission time and terminal in common; so payments, their reversal advice and all else have STANs of their own,
// every third.
inline constexpr uint32_t kTraceNumbers = 999'999;
inline constexpr uint32_t kTraceNumbersOfAKind = kTraceNumbers / 3;

// A payment, and its reversal advice, has the same one at any time, so that a reversal can name the payment, and be
// repeated, when nothing else is left: they follow from the id.
inline uint32_t TraceOfPayment(core::PaymentId payment) {
  return static_cast<uint32_t>(payment.number() % kTraceNumbersOfAKind) * 3 + 1;
}
inline uint32_t TraceOfAdvice(core::PaymentId payment) {
  return TraceOfPayment(payment) + 1;
}
// Of the `count`th message that is neither.
inline uint32_t TraceOfOther(uint32_t count) {
  return count % kTraceNumbersOfAKind * 3 + 3;
}
// The next of its kind.
inline uint32_t NextTrace(uint32_t trace) {
  return (trace + 2) % kTraceNumbers + 1;
}
std::string TraceText(uint32_t trace);

// Element 7: MMDDhhmmss, UTC.
std::string TransmissionTime(core::TimePoint time);
// Elements 12 and 13: hhmmss and MMDD in China.
std::string LocalTime(core::TimePoint time);
std::string LocalDate(core::TimePoint time);

}  // namespace waystation::adapters::iso8583
