#pragma once

#include <chrono>

#include "switch/core/business_date.h"

namespace waystation::core {

// Where time comes from. The composition root passes the real one; tests pass their own. Any thread may call it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

// The machine's clock. It may step back; whoever needs order keeps it himself (the sequencer does).
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace waystation::core
