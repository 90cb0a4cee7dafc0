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
#include "switch/core/limits.h"
#include "switch/core/tally.h"
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
  // Of a failure; empty for an answer.
  std::string_view cause = {};
  CircuitBreaker::Asked asked = CircuitBreaker::Asked::kPayment;
};
Reading ReadingOf(const adapters::InquiryOutcome& outcome);
Reading ReadingOf(const adapters::PayOutcome& outcome);
Reading ReadingOf(const adapters::QueryOutcome& outcome);
Reading ReadingOf(const adapters::ReverseOutcome& outcome);
Reading ReadingOf(const adapters::CancelOutcome& outcome);
// A probe.
Reading ReadingOf(bool answered);

// What stations asked of a biller since the start.
struct LaneTally {
  std::array<core::Tally, kLaneOutcomes> outcomes;  // by LaneOutcome
  // From when the biller was asked until its answer was there, or was given up; by CircuitBreaker::Asked.
  std::array<core::Histogram, 2> answer_us;
};

struct LaneOptions {
  BreakerPolicy breaker = {};
  // Payments without an outcome; with so many the biller counts as out of service.
  size_t max_unresolved = core::kMaxUnresolvedPerBiller;
  // Called after each change, on the thread that saw it, with what to say about it and whether the biller is out of
  // service by it. What a biller said in it is masked (MaskNumbers).
  std::function<void(bool is_out, const std::string& news)> on_news = nullptr;
};

// Whether a biller is in service, and what became of the requests to it. Out of service it is outside of its card's
// service hours and while its circuit breaker is open. The breaker is fed by what stations ask for: unknown and not
// sent are failures, an answer is a success. While it is open, an answer to what the resolver asks is as good as one to
// a probe.
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

  // A probe that is to be sent at `at`, unless the breaker is in another epoch by then.
  struct Probing {
    core::SteadyTime at;
    uint64_t epoch = 0;
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

  // What became of a request, a probe among them, that was sent at `asked` in `epoch`. Not null: the breaker has
  // opened, and whoever is told has the biller probed.
  std::optional<Probing> OnAnswer(std::string_view operation, const Reading& reading, bool of_station, uint64_t epoch,
                                  core::SteadyTime asked);
  // The next probe after one that was sent in `epoch`; null where the breaker is in another by now.
  std::optional<Probing> NextProbe(uint64_t epoch);
  void CountRefused();
  // Has it said.
  void Tell(bool is_out, const std::string& news) const;

  Status status() const;
  const LaneTally& tally() const { return tally_; }

 private:
  std::string OutSince() const;
  void KeepError(std::string_view operation, std::string_view cause);
  // After the breaker came to another state.
  std::string EnterState(std::string_view operation, std::string_view cause);

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
  LaneTally tally_;                        // added to under mutex_
};

}  // namespace waystation::flow
