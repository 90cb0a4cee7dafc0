#pragma once

#include <array>
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
  // or where so much of the last `window` failed, once there were `least_requests` in it;
  uint32_t failure_percent = 50;
  uint32_t least_requests = 20;
  std::chrono::seconds window{10};  // at most SecondsWindow::kLength
  // but not before it has failed for so long: what one broken connection takes with it fails all at once.
  std::chrono::milliseconds shortest_trouble{1'000};
  // The biller is probed after so long, then at intervals that double, each of them up to a quarter shorter or longer,
  // and none longer than the longest. What a probe itself takes comes on top.
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
// biller after that. Inquiries and payments are counted apart, and either opens it: an inquiry that is answered says
// nothing of payments, and of a few that are not one must know how many were. Only a payment closes it.
//
// Threads: one at a time. It has no clock and no timer: the owner sends the probes.
class CircuitBreaker {
 public:
  // Numbers as in the API.
  enum class State : uint8_t { kClosed = 1, kOpen = 2, kHalfOpen = 3 };
  enum class Asked : size_t { kInquiry, kPayment };  // kPayment: payments and cancels

  // `seed`: of the probes' jitter.
  CircuitBreaker(BreakerPolicy policy, uint64_t seed) : policy_(policy), seed_(seed) {}

  State state() const { return state_; }
  // Another one in each state that it comes to.
  uint64_t epoch() const { return epoch_; }
  // When the biller is to be probed; null unless open.
  std::optional<core::SteadyTime> probe_at() const;

  // What came of a request that was sent in `epoch`. True: the state is another now.
  bool OnSuccess(Asked asked, uint64_t epoch, core::SteadyTime now);
  bool OnFailure(Asked asked, uint64_t epoch, core::SteadyTime now);
  // What came of a probe. Not answered: there is a time for the next.
  bool OnProbe(bool answered, core::SteadyTime now);

 private:
  enum Kind : size_t { kSuccess, kFailure, kKinds };
  // What came of the requests of one kind in this state.
  struct Record {
    uint32_t failures_in_a_row = 0;
    core::SteadyTime row_since;  // its first
    // The last failure, and the first of those that came at most a window after the one before.
    std::optional<core::SteadyTime> last_failure;
    core::SteadyTime trouble_since;
    SecondsWindow<kKinds> window;
  };

  void EnterState(State state);
  void Open(core::SteadyTime now);
  bool Failing(const Record& record, core::SteadyTime now) const;
  core::SteadyTime NextProbe(core::SteadyTime now);

  const BreakerPolicy policy_;
  const uint64_t seed_;
  State state_ = State::kClosed;
  uint64_t epoch_ = 0;
  std::array<Record, 2> records_;  // by Asked
  core::SteadyTime probe_at_;
  uint32_t probes_ = 0;   // since it was closed
  uint64_t jitters_ = 0;  // drawn so far
};

}  // namespace waystation::flow
