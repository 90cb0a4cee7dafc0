#pragma once

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "switch/core/clock.h"
#include "switch/core/payment.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

// Callers that wait for a payment to settle. Each is answered once: when the payment settles, or at his own deadline
// with the state reached by then.
//
// Threads: the worker's only. Limits: bounded by the calls that the transport holds.
class WaitBoard {
 public:
  using TimePoint = core::SteadyTime;
  using Answer = absl::AnyInvocable<void(core::Payment&&)>;

  // The worker outlives the board.
  explicit WaitBoard(Worker* worker);
  WaitBoard(const WaitBoard&) = delete;
  WaitBoard& operator=(const WaitBoard&) = delete;

  // `payment` is its present state, which becomes what the others who wait for it are told.
  void Wait(const core::Payment& payment, TimePoint deadline, Answer answer);

  // The payment has changed. Answers those who wait for it if it has settled.
  void Publish(core::Payment&& payment);
  void Publish(const core::Payment& payment) { Publish(core::Payment(payment)); }

  // Answers everybody with the state reached, and from now on whoever comes at once: the switch is stopping.
  void AnswerAll();

 private:
  struct Waiter {
    TimePoint deadline;
    Answer answer;
  };
  using Waiters = absl::InlinedVector<Waiter, 1>;
  struct Entry {
    core::Payment payment;
    Waiters waiters;
  };

  void Expire(TimePoint now);
  void SetAlarm();

  absl::flat_hash_map<core::PaymentId, Entry> entries_;
  absl::btree_set<std::pair<TimePoint, core::PaymentId>> deadlines_;
  const core::Clock& clock_;
  Alarm alarm_;
  bool closed_ = false;
};

// Nothing that a caller could wait for will happen to the payment by itself.
bool HasSettled(core::PaymentState state);

}  // namespace waystation::flow
