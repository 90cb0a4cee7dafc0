#include "bench/arrival_schedule.h"

#include <cmath>

namespace waystation::bench {

ArrivalSchedule::TimePoint ArrivalSchedule::IntendedAt(uint64_t arrival) const {
  return start_ + std::chrono::nanoseconds(std::llround(static_cast<double>(arrival) * interval_ns_));
}

uint64_t ArrivalSchedule::CountBefore(TimePoint end) const {
  if (end <= start_) return 0;
  const auto span_ns = static_cast<double>(std::chrono::nanoseconds(end - start_).count());
  auto count = static_cast<uint64_t>(std::ceil(span_ns / interval_ns_));
  // Rounding may put the last one on either side of the end; IntendedAt decides.
  while (count > 0 && IntendedAt(count - 1) >= end) --count;
  while (IntendedAt(count) < end) ++count;
  return count;
}

}  // namespace waystation::bench
