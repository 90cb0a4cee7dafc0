#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace waystation::bench {

// How many arrivals a second are due at a moment, as a point of a curve.
struct RatePoint {
  std::chrono::nanoseconds at{0};
  double per_second = 0;
};

// When the arrivals of an open loop are due: each computed from the start, so that nothing drifts and a late one delays
// none of the others. A latency counts from here, not from when the generator got round to sending.
class ArrivalSchedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Evenly spaced. `rate` is in arrivals a second, above 0.
  ArrivalSchedule(TimePoint start, double rate);
  // Along a curve: at least one point, in order of time, each rate above 0. `at` counts from the start; between two
  // points the rate changes evenly; before the first and after the last it is theirs.
  ArrivalSchedule(TimePoint start, const std::vector<RatePoint>& curve);

  // Arrival 0 is due at the start.
  TimePoint IntendedAt(uint64_t arrival) const;
  // How many arrivals are due before `end`.
  uint64_t CountBefore(TimePoint end) const;

 private:
  // A stretch of time along which the rate changes evenly.
  struct Stretch {
    double from_s;    // since the start
    double rate;      // at its beginning
    double slope;     // a second
    double arrivals;  // before it
  };

  double ArrivalsBefore(double seconds) const;

  TimePoint start_;
  std::vector<Stretch> stretches_;
};

}  // namespace waystation::bench
