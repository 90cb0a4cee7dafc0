#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/biller_adapter.h"
#include "switch/core/clock.h"
#include "switch/flow/circuit_breaker.h"
#include "switch/flow/seconds_window.h"

namespace waystation::flow {

// What became of a station's request (inquiry, payment, cancel). Order as in the API.
enum class LaneOutcome : size_t {
  kApproved,  // found, approved, taken back
  kDeclined,
  kNotSent,
  kUnknown,
  kRefused,  // it never came to the biller: out of service, or no place
};
inline constexpr size_t kLaneOutcomes = 5;

// What an answer says of its biller.
struct Reading {
  LaneOutcome outcome = LaneOutcome::kUnknown;
  // An inquiry's answer says nothing of payments.
  bool is_success = false;
  // Of a failure; empty for an answer.
  std::string_view cause = {};
};
Reading ReadingOf(const adapters::InquiryOutcome& outcome);
Reading ReadingOf(const adapters::PayOutcome& outcome);
Reading ReadingOf(const adapters::QueryOutcome& outcome);
Reading ReadingOf(const adapters::ReverseOutcome& outcome);
Reading ReadingOf(const adapters::CancelOutcome& outcome);
// A probe.
Reading ReadingOf(bool answered);

struct LaneOptions {
  BreakerPolicy breaker = {};
  // Called after each change of the breaker, on the thread that saw it, with what to say about it.
  std::function<void(CircuitBreaker::State, const std::string&)> on_breaker = nullptr;
};

// Whether a biller is in service, and what became of the requests to it. Out of service it is outside of its card's
// service hours and while its circuit breaker is open. The breaker is fed by what stations ask for: unknown and not
// sent are failures, a payment or a cancel that is answered is a success.
//
// Threads: any.
class LaneHealth {
 public:
  struct Error {
    core::TimePoint time;
    std::string operation;  // pay, query, ...
    std::string cause;
  };
  struct Status {
    CircuitBreaker::State breaker = CircuitBreaker::State::kClosed;
    core::TimePoint breaker_since;
    std::optional<core::TimePoint> probe_at;            // null unless open
    std::array<uint32_t, kLaneOutcomes> last_minute{};  // by LaneOutcome
    std::optional<Error> last_error;
  };

  // The clock outlives it.
  LaneHealth(std::string_view biller_id, core::ServiceHours hours, LaneOptions options, const core::Clock* clock);

  CircuitBreaker::State state() const { return state_.load(std::memory_order_relaxed); }
  // Of the breaker: to be noted when a request is sent.
  uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  // Why nothing new is taken; null where something is. Half-open, it is for the lane to say how much.
  std::optional<std::string> OutOfService() const;
  // Why only a few requests are let through.
  std::string BeingTried() const;

  // What became of a request that was sent in `epoch`. A time: the breaker has opened, and the biller is to be probed
  // then, by whoever is told.
  std::optional<core::SteadyTime> OnAnswer(std::string_view operation, const Reading& reading, bool of_station,
                                           uint64_t epoch);
  // What came of the probe. A time: it is to be repeated then.
  std::optional<core::SteadyTime> OnProbe(bool answered);
  void CountRefused();

  Status status() const;

 private:
  std::string OutSince() const;
  void KeepError(std::string_view operation, std::string_view cause);
  // After the breaker came to another state.
  std::string EnterState(std::string_view operation, std::string_view cause);
  void Tell(CircuitBreaker::State state, const std::string& news) const;

  const core::ServiceHours hours_;
  const LaneOptions options_;
  const core::Clock* const clock_;
  // As the breaker has them, for those who only look.
  std::atomic<CircuitBreaker::State> state_{CircuitBreaker::State::kClosed};
  std::atomic<uint64_t> epoch_{0};

  mutable std::mutex mutex_;
  CircuitBreaker breaker_;                 // guarded by mutex_
  core::TimePoint since_;                  // guarded by mutex_; in its state
  core::TimePoint out_since_;              // guarded by mutex_; not closed
  SecondsWindow<kLaneOutcomes> outcomes_;  // guarded by mutex_
  std::optional<Error> last_error_;        // guarded by mutex_
};

}  // namespace waystation::flow
