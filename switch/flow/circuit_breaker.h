#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "switch/core/clock.h"
#include "switch/flow/seconds_window.h"

namespace waystation::flow {

// When a biller counts as out of service, and when it is tried again.
struct BreakerPolicy {
  // It opens after so many failures with no success between them,
  uint32_t consecutive_failures = 10;
  // or where so much of the last `window` failed, once there were `least_requests` in it.
  uint32_t failure_percent = 50;
  uint32_t least_requests = 20;
  std::chrono::seconds window{10};  // at most SecondsWindow::kLength
  // The biller is probed after so long, then at intervals that double, each of them up to a quarter shorter or longer.
  std::chrono::milliseconds probe_after{5'000};
  std::chrono::milliseconds longest_probe_interval{15'000};
};

// The circuit breaker of one biller: closed while it answers; open while it does not, and nothing new is sent;
// half-open once a probe was answered, when a few requests are let through: the first of them that succeeds closes it,
// the first that fails opens it again.
//
//   CLOSED --failures--> OPEN --probe answered--> HALF_OPEN --success--> CLOSED
//                          ^------------failure-------'
//
// A request counts for the state in which it was sent: what was with the biller when it opened says nothing of the
// biller after that.
//
// Threads: one at a time. It has no clock and no timer: the owner sends the probes.
class CircuitBreaker {
 public:
  // Numbers as in the API.
  enum class State : uint8_t { kClosed = 1, kOpen = 2, kHalfOpen = 3 };

  // `seed`: of the probes' jitter.
  CircuitBreaker(BreakerPolicy policy, uint64_t seed) : policy_(policy), seed_(seed) {}

  State state() const { return state_; }
  // Another one in each state that it comes to.
  uint64_t epoch() const { return epoch_; }
  // When the biller is to be probed; null unless open.
  std::optional<core::SteadyTime> probe_at() const;

  // What came of a request that was sent in `epoch`. True: the state is another now.
  bool OnSuccess(uint64_t epoch, core::SteadyTime now);
  bool OnFailure(uint64_t epoch, core::SteadyTime now);
  // What came of the probe. Not answered: there is a time for the next.
  bool OnProbe(bool answered, core::SteadyTime now);

 private:
  enum Kind : size_t { kSuccess, kFailure, kKinds };

  void EnterState(State state);
  void Open(core::SteadyTime now);
  bool Failing(core::SteadyTime now) const;
  core::SteadyTime NextProbe(core::SteadyTime now);

  const BreakerPolicy policy_;
  const uint64_t seed_;
  State state_ = State::kClosed;
  uint64_t epoch_ = 0;
  uint32_t failures_in_a_row_ = 0;
  SecondsWindow<kKinds> window_;
  core::SteadyTime probe_at_;
  uint32_t probes_ = 0;   // since it was closed
  uint64_t jitters_ = 0;  // drawn so far
};

}  // namespace waystation::flow
