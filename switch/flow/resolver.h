#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "boost/asio/awaitable.hpp"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/core/payment.h"
#include "switch/flow/router.h"
#include "switch/flow/wait_board.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

struct ResolverSchedule {
  std::chrono::milliseconds first_query_after{1'000};
  std::chrono::milliseconds longest_interval{600'000};
  std::chrono::milliseconds review_after{86'400'000};
};

// Owns every payment whose outcome is not known, until it is: asks the biller by our reference, or repeats the reversal
// advice or the cancel, at growing intervals. Past `review_after` since its last change, or where the biller can
// neither be asked nor take back, a person is asked (REVIEW). It never pays.
//
// Threads: the worker's only.
//
// Limits: at most kMaxResolvingPerBiller attempts are with one biller at a time; what is due beyond waits its turn.
class Resolver {
 public:
  // All outlive the resolver.
  Resolver(Worker* worker, storage::Sequencer* sequencer, const Router* router, WaitBoard* board,
           ResolverSchedule schedule);

  // From now on the payment is the resolver's. HELD (found at start-up): it counts as sent, and is queried. UNKNOWN,
  // REVERSING, CANCELLING: gone on with.
  void Adopt(core::Payment payment);

  size_t size() const { return cases_.size(); }

 private:
  using TimePoint = core::SteadyTime;
  struct Case {
    core::Payment payment;
    int attempts = 0;  // of the operation that its state calls for
    std::chrono::milliseconds interval;
  };

  // What is due at one biller; a biller that hangs holds up no other.
  struct Queue {
    absl::btree_set<std::pair<TimePoint, core::PaymentId>> due;
    size_t busy = 0;
  };

  void Schedule(const core::Payment& payment, std::chrono::milliseconds delay);
  void RunDue();
  void SetAlarm();
  boost::asio::awaitable<void> Attempt(core::PaymentId id);
  // What the next attempt shows; null when nothing is settled by it.
  boost::asio::awaitable<std::optional<core::RecordOutcome>> Ask(core::Payment payment, int attempts);
  boost::asio::awaitable<std::optional<core::RecordOutcome>> AskOutcome(core::Payment payment, BillerLane* lane,
                                                                        int attempts);
  boost::asio::awaitable<std::optional<core::RecordOutcome>> AskReversal(core::Payment payment, BillerLane* lane,
                                                                         int attempts);
  boost::asio::awaitable<std::optional<core::RecordOutcome>> AskCancel(core::Payment payment, BillerLane* lane,
                                                                       int attempts);
  bool PastReview(const core::Payment& payment) const;

  Worker* const worker_;
  storage::Sequencer* const sequencer_;
  const Router* const router_;
  WaitBoard* const board_;
  const core::Clock& clock_;
  const ResolverSchedule schedule_;

  absl::flat_hash_map<core::PaymentId, Case> cases_;
  absl::btree_map<std::string, Queue> queues_;  // by biller id
  Alarm alarm_;
};

}  // namespace waystation::flow
