#pragma once

#include <chrono>
#include <cstdint>

namespace waystation::bench {

// When the arrivals of an open loop are due: evenly spaced, each computed from the start, so that nothing drifts and a
// late one delays none of the others. A latency counts from here, not from when the generator got round to sending.
class ArrivalSchedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `rate` is in arrivals a second, above 0.
  ArrivalSchedule(TimePoint start, double rate) : start_(start), interval_ns_(1e9 / rate) {}

  // Arrival 0 is due at the start.
  TimePoint IntendedAt(uint64_t arrival) const;
  // How many arrivals are due before `end`.
  uint64_t CountBefore(TimePoint end) const;

 private:
  TimePoint start_;
  double interval_ns_;
};

}  // namespace waystation::bench
