#include "switch/flow/circuit_breaker.h"

#include <algorithm>

#include "switch/flow/spread.h"

namespace waystation::flow {

using std::chrono::milliseconds;

std::optional<core::SteadyTime> CircuitBreaker::probe_at() const {
  if (state_ != State::kOpen) return std::nullopt;
  return probe_at_;
}

bool CircuitBreaker::OnSuccess(Asked asked, uint64_t epoch, core::SteadyTime now) {
  if (epoch != epoch_ || state_ == State::kOpen) return false;
  if (state_ == State::kHalfOpen) {
    if (asked != Asked::kPayment) return false;
    EnterState(State::kClosed);
    probes_ = 0;
    return true;
  }
  Record& record = records_[static_cast<size_t>(asked)];
  record.failures_in_a_row = 0;
  record.window.Add(kSuccess, now);
  return false;
}

bool CircuitBreaker::OnFailure(Asked asked, uint64_t epoch, core::SteadyTime now) {
  if (epoch != epoch_ || state_ == State::kOpen) return false;
  if (state_ == State::kClosed) {
    Record& record = records_[static_cast<size_t>(asked)];
    if (record.failures_in_a_row++ == 0) record.row_since = now;
    if (!record.last_failure.has_value() || now - *record.last_failure > policy_.window) record.trouble_since = now;
    record.last_failure = now;
    record.window.Add(kFailure, now);
    if (!Failing(record, now)) return false;
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
  records_ = {};
}

void CircuitBreaker::Open(core::SteadyTime now) {
  EnterState(State::kOpen);
  probe_at_ = NextProbe(now);
}

bool CircuitBreaker::Failing(const Record& record, core::SteadyTime now) const {
  const auto for_long = [&](core::SteadyTime since) { return now - since >= policy_.shortest_trouble; };
  if (record.failures_in_a_row >= policy_.consecutive_failures && for_long(record.row_since)) return true;
  if (!for_long(record.trouble_since)) return false;
  const auto counts = record.window.Sum(now, policy_.window);
  const uint64_t all = uint64_t{counts[kSuccess]} + counts[kFailure];
  return all >= policy_.least_requests && uint64_t{counts[kFailure]} * 100 >= all * policy_.failure_percent;
}

core::SteadyTime CircuitBreaker::NextProbe(core::SteadyTime now) {
  milliseconds interval = policy_.probe_after;
  for (uint32_t i = 0; i < probes_ && interval < policy_.longest_probe_interval; ++i) interval *= 2;
  ++probes_;
  interval = std::min(interval, policy_.longest_probe_interval);
  return now + std::min(Jittered(interval, seed_ + ++jitters_), policy_.longest_probe_interval);
}

}  // namespace waystation::flow
