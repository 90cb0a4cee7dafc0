#pragma once

#include <array>
#include <cstddef>

#include "switch/core/clock.h"
#include "switch/core/tally.h"

namespace waystation::flow {

// Where an order to pay spends its time.
enum class Stage : size_t {
  kQueue,   // from its arrival until it had its place with the biller, or was told why it has none
  kCommit,  // with the sequencer until it was durable: once for the hold, once for the outcome
  kBiller,  // with the biller
  kTotal,   // from its arrival until all that came of it at once was durable; who waits less is answered before
};
inline constexpr size_t kStages = 4;

// Microseconds, by Stage. Of what was refused (no place, no room) only the stages that it came through.
using StageTally = std::array<core::Histogram, kStages>;

// Takes the times of one order. Threads: those that may add to the tally.
class StageTimes {
 public:
  StageTimes(StageTally* tally, const core::Clock* clock, core::SteadyTime arrived)
      : tally_(tally), clock_(clock), arrived_(arrived), last_(arrived) {}

  // The stage that began where the one before ended has ended.
  void EndAt(Stage stage, core::SteadyTime now) {
    Of(stage).AddTime(now - last_);
    last_ = now;
  }
  void End(Stage stage) { EndAt(stage, clock_->Steady()); }
  // Nothing comes after the last stage that has ended.
  void EndAll() { Of(Stage::kTotal).AddTime(last_ - arrived_); }

 private:
  core::Histogram& Of(Stage stage) { return (*tally_)[static_cast<size_t>(stage)]; }

  StageTally* tally_;
  const core::Clock* clock_;
  core::SteadyTime arrived_;
  core::SteadyTime last_;
};

}  // namespace waystation::flow
