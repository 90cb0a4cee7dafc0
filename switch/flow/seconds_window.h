#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "switch/core/clock.h"

namespace waystation::flow {

// How often each of `kKinds` things happened in each of the last 60 seconds.
//
// Threads: one at a time. Limits: times do not step back by more than a minute; those of a second that has left the
// window are not counted.
template <size_t kKinds>
class SecondsWindow {
 public:
  static constexpr std::chrono::seconds kLength{60};
  using Counts = std::array<uint32_t, kKinds>;

  void Add(size_t kind, core::SteadyTime now) {
    Slot& slot = slots_[IndexOf(SecondOf(now))];
    if (slot.second > SecondOf(now)) return;
    if (slot.second != SecondOf(now)) slot = {SecondOf(now), {}};
    ++slot.counts[kind];
  }

  // Of the last `length`, the second that has just begun included; at most kLength.
  Counts Sum(core::SteadyTime now, std::chrono::seconds length) const {
    Counts sum{};
    for (const Slot& slot : slots_) {
      if (slot.second > SecondOf(now) || slot.second <= SecondOf(now) - length.count()) continue;
      for (size_t kind = 0; kind < kKinds; ++kind) sum[kind] += slot.counts[kind];
    }
    return sum;
  }

 private:
  struct Slot {
    // Since the clock's epoch; long ago for a slot that was never used.
    int64_t second = INT64_MIN / 2;
    Counts counts{};
  };
  static int64_t SecondOf(core::SteadyTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  }
  static size_t IndexOf(int64_t second) { return static_cast<size_t>(second % kLength.count()); }

  std::array<Slot, kLength.count()> slots_;
};

}  // namespace waystation::flow
