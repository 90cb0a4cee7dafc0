#include "switch/flow/circuit_breaker.h"

#include <algorithm>

#include "switch/flow/spread.h"

namespace waystation::flow {

using std::chrono::milliseconds;

std::optional<core::SteadyTime> CircuitBreaker::probe_at() const {
  if (state_ != State::kOpen) return std::nullopt;
  return probe_at_;
}

bool CircuitBreaker::OnSuccess(uint64_t epoch, core::SteadyTime now) {
  if (epoch != epoch_ || state_ == State::kOpen) return false;
  if (state_ == State::kHalfOpen) {
    EnterState(State::kClosed);
    probes_ = 0;
    return true;
  }
  failures_in_a_row_ = 0;
  window_.Add(kSuccess, now);
  return false;
}

bool CircuitBreaker::OnFailure(uint64_t epoch, core::SteadyTime now) {
  if (epoch != epoch_ || state_ == State::kOpen) return false;
  if (state_ == State::kClosed) {
    ++failures_in_a_row_;
    window_.Add(kFailure, now);
    if (!Failing(now)) return false;
  }
  Open(now);
  return true;
}

bool CircuitBreaker::OnProbe(bool answered, core::SteadyTime now) {
  if (state_ != State::kOpen) return false;
  if (answered) {
    EnterState(State::kHalfOpen);
  } else {
    probe_at_ = NextProbe(now);
  }
  return answered;
}

void CircuitBreaker::EnterState(State state) {
  state_ = state;
  ++epoch_;
  failures_in_a_row_ = 0;
  window_.Clear();
}

void CircuitBreaker::Open(core::SteadyTime now) {
  EnterState(State::kOpen);
  probe_at_ = NextProbe(now);
}

bool CircuitBreaker::Failing(core::SteadyTime now) const {
  if (failures_in_a_row_ >= policy_.consecutive_failures) return true;
  const auto counts = window_.Sum(now, policy_.window);
  const uint64_t all = uint64_t{counts[kSuccess]} + counts[kFailure];
  return all >= policy_.least_requests && uint64_t{counts[kFailure]} * 100 >= all * policy_.failure_percent;
}

core::SteadyTime CircuitBreaker::NextProbe(core::SteadyTime now) {
  milliseconds interval = policy_.probe_after;
  for (uint32_t i = 0; i < probes_ && interval < policy_.longest_probe_interval; ++i) interval *= 2;
  ++probes_;
  interval = std::min(interval, policy_.longest_probe_interval);
  return now + Jittered(interval, seed_ + ++jitters_);
}

}  // namespace waystation::flow
