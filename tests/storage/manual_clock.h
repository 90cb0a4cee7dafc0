#pragma once

#include <atomic>
#include <chrono>

#include "switch/core/clock.h"

namespace waystation::storage {

// A calendar that moves only when a test says so; timers run by the machine's. Starts at 2026-11-21T00:00:00Z. Any
// thread.
class ManualClock final : public core::Clock {
 public:
  core::TimePoint Now() const override { return core::TimePoint(std::chrono::milliseconds(now_ms_.load())); }
  core::SteadyTime Steady() const override { return std::chrono::steady_clock::now(); }
  void Advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

 private:
  std::atomic<int64_t> now_ms_{1'795'219'200'000};
};

}  // namespace waystation::storage
