#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "boost/histogram/axis/regular.hpp"
#include "boost/histogram/histogram.hpp"
#include "boost/histogram/make_histogram.hpp"

namespace waystation::bench {

// Latencies from 1 microsecond to 100 seconds, in bins that each are 1% wider than the one before, so that a percentile
// is off by at most 1% of itself. What lies outside falls into the nearest bin; the largest one is kept exactly.
//
// Threads: one at a time; give each thread its own and Merge them.
class LatencyHistogram {
 public:
  LatencyHistogram();

  void Record(std::chrono::nanoseconds latency);
  void Merge(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  // Zero while empty.
  std::chrono::nanoseconds max() const { return max_; }
  // The latency that `percent` (0 .. 100) of all do not exceed: the upper edge of its bin, and never more than max().
  // Zero while empty.
  std::chrono::nanoseconds Percentile(double percent) const;

 private:
  using Axis = boost::histogram::axis::regular<double, boost::histogram::axis::transform::log>;
  using Bins = decltype(boost::histogram::make_histogram_with(std::vector<uint64_t>(), Axis()));

  Bins bins_;
  uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

// Percent and the latency that so many do not exceed, from 0 up to the last percent that this many calls can tell, ten
// steps for each further nine (90, 99, 99.9); then the largest one at 100. Empty while the histogram is.
std::vector<std::pair<double, std::chrono::nanoseconds>> PercentileCurve(const LatencyHistogram& latency);

}  // namespace waystation::bench
