#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/latency_histogram.h"
#include "bench/results.h"

namespace waystation::bench {

// What came of calls over the measured time, interval by interval. Memory: about 15 KB an interval that saw a call.
//
// Threads: one at a time; give each thread its own and Merge them.
class TimeSeries {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Interval {
    // Answered within it with gRPC status OK, whenever they were due.
    uint64_t answered = 0;
    // Of calls that were due within it, whenever they ended; latencies only of those with status OK.
    LatencyHistogram latency;
    ResultCounts results;
  };

  // Keeps nothing.
  TimeSeries() = default;
  // `count` intervals of `length`, above 0, from `start` on.
  TimeSeries(TimePoint start, std::chrono::nanoseconds length, size_t count)
      : start_(start), length_(length), count_(count) {}

  void Record(TimePoint due, TimePoint ended, const CallResult& result);
  // `other` was made with the same start, length and count.
  void Merge(const TimeSeries& other);

  // Up to the last one that saw a call.
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  // Null: outside of all intervals.
  Interval* At(TimePoint time);

  TimePoint start_;
  std::chrono::nanoseconds length_{1};
  size_t count_ = 0;
  std::vector<Interval> intervals_;
};

}  // namespace waystation::bench
