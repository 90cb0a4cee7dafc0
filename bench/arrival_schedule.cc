#include "bench/arrival_schedule.h"

#include <algorithm>
#include <cmath>

namespace waystation::bench {

ArrivalSchedule::ArrivalSchedule(TimePoint start, double rate)
    : ArrivalSchedule(start, std::vector<RatePoint>{{.per_second = rate}}) {}

ArrivalSchedule::ArrivalSchedule(TimePoint start, const std::vector<RatePoint>& curve) : start_(start) {
  stretches_.push_back({.from_s = 0, .rate = curve.front().per_second, .slope = 0, .arrivals = 0});
  for (size_t i = 0; i < curve.size(); ++i) {
    const double from_s = std::chrono::duration<double>(curve[i].at).count();
    double slope = 0;
    if (i + 1 < curve.size() && curve[i + 1].at > curve[i].at) {
      const double seconds = std::chrono::duration<double>(curve[i + 1].at - curve[i].at).count();
      slope = (curve[i + 1].per_second - curve[i].per_second) / seconds;
    }
    const double arrivals = ArrivalsBefore(from_s);
    stretches_.push_back({.from_s = from_s, .rate = curve[i].per_second, .slope = slope, .arrivals = arrivals});
  }
}

double ArrivalSchedule::ArrivalsBefore(double seconds) const {
  const auto after = std::upper_bound(stretches_.begin() + 1, stretches_.end(), seconds,
                                      [](double s, const Stretch& stretch) { return s < stretch.from_s; });
  const Stretch& stretch = *std::prev(after);
  const double within = seconds - stretch.from_s;
  return stretch.arrivals + within * (stretch.rate + stretch.slope * within / 2);
}

ArrivalSchedule::TimePoint ArrivalSchedule::IntendedAt(uint64_t arrival) const {
  const auto wanted = static_cast<double>(arrival);
  const auto after = std::upper_bound(stretches_.begin() + 1, stretches_.end(), wanted,
                                      [](double n, const Stretch& stretch) { return n < stretch.arrivals; });
  const Stretch& stretch = *std::prev(after);
  // The root of slope / 2 * t^2 + rate * t = left that is right for a slope of zero too. Rounding may put the last
  // arrival of a falling stretch a hair below its vertex.
  const double left = wanted - stretch.arrivals;
  const double under_root = std::max(0.0, stretch.rate * stretch.rate + 2 * stretch.slope * left);
  const double within = 2 * left / (stretch.rate + std::sqrt(under_root));
  return start_ + std::chrono::nanoseconds(std::llround((stretch.from_s + within) * 1e9));
}

uint64_t ArrivalSchedule::CountBefore(TimePoint end) const {
  if (end <= start_) return 0;
  auto count = static_cast<uint64_t>(std::ceil(ArrivalsBefore(std::chrono::duration<double>(end - start_).count())));
  // Rounding may put the last one on either side of the end; IntendedAt decides.
  while (count > 0 && IntendedAt(count - 1) >= end) --count;
  while (IntendedAt(count) < end) ++count;
  return count;
}

}  // namespace waystation::bench
