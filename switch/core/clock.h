#pragma once

#include <chrono>

#include "switch/core/business_date.h"

namespace waystation::core {

// Never steps back: what deadlines and intervals are measured by.
using SteadyTime = std::chrono::steady_clock::time_point;

// Where time comes from. The composition root passes the real one; tests and the simulation pass their own. Any thread
// may call it.
class Clock {
 public:
  virtual ~Clock() = default;
  // What a calendar shows.
  virtual TimePoint Now() const = 0;
  virtual SteadyTime Steady() const = 0;
};

// The machine's clock. It may step back; whoever needs order keeps it himself (the sequencer does).
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime Steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace waystation::core
