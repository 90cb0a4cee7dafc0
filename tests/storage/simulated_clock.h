#pragma once

#include "switch/core/clock.h"

namespace waystation::storage {

// Time that moves only when it is told to, calendar and intervals alike. The calendar starts at 2026-11-21T00:00:00Z.
// One thread.
class SimulatedClock final : public core::Clock {
 public:
  core::TimePoint Now() const override { return now_; }
  core::SteadyTime Steady() const override { return steady_; }

  void Advance(std::chrono::nanoseconds by) { AdvanceTo(steady_ + by); }
  void AdvanceTo(core::SteadyTime to) {
    steady_ = to;
    now_ = start_ + std::chrono::duration_cast<std::chrono::milliseconds>(steady_ - core::SteadyTime());
  }
  // Somebody sets the calendar forward.
  void JumpCalendar(std::chrono::milliseconds by) {
    start_ += by;
    now_ += by;
  }

 private:
  static constexpr core::TimePoint kStart{std::chrono::milliseconds(1'795'219'200'000)};

  core::SteadyTime steady_;
  core::TimePoint start_ = kStart;
  core::TimePoint now_ = kStart;
};

}  // namespace waystation::storage
