#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

// What is counted while the switch runs, for those who watch it. Adding costs about what adding to a plain number does:
// there is no lock and no locked instruction.
//
// Threads: one at a time adds, any reads. Where several threads do the same work, each has a tally of its own, and
// whoever reads sums them up.
namespace waystation::core {

// A count that only grows, from 0 at the start.
class Tally {
 public:
  void Add(uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How many values fell between which bounds, and their sum. The bounds are the powers of two and the middles between
// them: 1, 2, 3, 4, 6, 8, 12, 16, ... up to 2^26, so that a percentile is off by half at most. As microseconds
// that is 67 s, longer than any caller waits.
class Histogram {
 public:
  static constexpr size_t kBounds = 52;
  // One more than there are bounds: the last is of what lies above them all.
  static constexpr size_t kBuckets = kBounds + 1;

  // The largest value that bucket `index` takes; `index` is less than kBounds.
  static constexpr uint64_t BoundOf(size_t index) {
    if (index == 0) return 1;
    return index % 2 == 1 ? uint64_t{1} << (index + 1) / 2 : uint64_t{3} << (index / 2 - 1);
  }
  static constexpr size_t BucketOf(uint64_t value) {
    if (value < 3) return value < 2 ? 0 : 1;
    const auto power = static_cast<size_t>(std::bit_width(value - 1)) - 1;
    const size_t index = 2 * power + ((value - 1) >> (power - 1) & 1);
    return index < kBounds ? index : kBounds;
  }

  void Add(uint64_t value) {
    counts_[BucketOf(value)].Add();
    sum_.Add(value);
  }
  // In whole microseconds; nothing that is negative.
  void AddTime(std::chrono::nanoseconds time) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    Add(us < 0 ? 0 : static_cast<uint64_t>(us));
  }

  // Values seen while others are added are those of one moment only as nearly as that takes.
  uint64_t count(size_t bucket) const { return counts_[bucket].value(); }
  uint64_t sum() const { return sum_.value(); }

 private:
  std::array<Tally, kBuckets> counts_;
  Tally sum_;
};

}  // namespace waystation::core
