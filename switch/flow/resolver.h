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
#include "switch/flow/next_step.h"
#include "switch/flow/router.h"
#include "switch/flow/wait_board.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

// Owns every payment whose outcome is not known, until it is: asks the biller by our reference, or repeats the reversal
// advice or the cancel, at growing intervals (next_step.h). Past `review_after` since its last change a person is asked
// (REVIEW). It never pays.
//
// Threads: the worker's only.
//
// Limits: an attempt takes one of the resolver's places with the biller (biller_lane.h); what is due beyond waits its
// turn. Of a biller that does not answer it asks once in kResolverAsksWhileOpen only, and hands what is past its time
// to a person without asking again. The lane takes nothing new once kMaxUnresolvedPerBiller of its biller's are here.
class Resolver {
 public:
  // All outlive the resolver.
  Resolver(Worker* worker, storage::Sequencer* sequencer, const Router* router, WaitBoard* board,
           ResolverSchedule schedule);

  // From now on the payment is the resolver's. HELD (found at start-up): it counts as sent, and is queried. UNKNOWN,
  // REVERSING, CANCELLING: gone on with. `trace`: that of the request which left it so; none at start-up.
  void Adopt(core::Payment payment, const core::TraceContext& trace = {});

  // The payment was moved by somebody else (a late approval): gone on with from there, or let go of.
  void OnMoved(core::Payment payment);

  size_t size() const { return cases_.size(); }

 private:
  using TimePoint = core::SteadyTime;
  // What came of what the payment's state calls for. Kept by the process, not in the record: a start counts anew.
  struct Tries {
    core::TimePoint since;
    int sent = 0;
    std::string last;  // what the biller said to the last; where nothing was sent yet, why not
  };
  struct Case {
    core::Payment payment;
    core::TraceContext trace = {};
    uint64_t serial = 0;  // another each time that a payment is adopted
    TimePoint taken_on;
    Tries tries;
    TimePoint due;
    TimePoint not_before = {};  // the next attempt: where a denial counts only then
    bool asking = false;        // not in its queue: an attempt is with the biller
  };

  // What is due at one biller; a biller that hangs holds up no other.
  struct Queue {
    absl::btree_set<std::pair<TimePoint, core::PaymentId>> due;
    size_t busy = 0;
    TimePoint place_at;  // not before, since the biller had no place
  };
  struct Found {
    std::optional<core::RecordOutcome> outcome = {};  // null: nothing is settled
    bool sent = false;
    std::string said = {};  // as Tries::last
    // The biller denies the payment, and that will count from then on.
    std::optional<TimePoint> denial_counts_at = {};
  };

  // The first attempt of the schedule after `after`; within kResolverLooksWhileOpen where the biller does not answer.
  void Schedule(Case& open, core::TimePoint after);
  void Close(core::PaymentId id);
  void RunDue();
  // What is to be done about what is due: started, with a place or without, put off, or left, since there is no place.
  enum class Turn { kStart, kPutOff, kNoPlace };
  Turn TurnOf(const Case& open, std::optional<BillerLane::Place>* place) const;
  void SetAlarm();
  boost::asio::awaitable<void> Attempt(core::PaymentId id, std::optional<BillerLane::Place> place);
  // Whether the case that an attempt was made for is still the one.
  bool IsOpen(const Case& asked) const;
  // After an attempt; `after` is the payment that it moved, null when it moved nothing.
  void GoOn(Case& open, core::PaymentState before, std::optional<core::Payment> after);
  // Without a place nothing is sent.
  boost::asio::awaitable<Found> Ask(Case asked, std::optional<BillerLane::Place> place);
  boost::asio::awaitable<Found> AskOutcome(Case asked, BillerLane* lane, BillerLane::Place place);
  boost::asio::awaitable<Found> AskReversal(Case asked, BillerLane* lane, BillerLane::Place place);
  boost::asio::awaitable<Found> AskCancel(Case asked, BillerLane* lane, BillerLane::Place place);
  // What "never heard of it" settles, in answer to what is asked now.
  enum class Denial { kFrees, kWillFree, kNothing };
  Denial DenialOf(const Case& asked, const BillerLane& lane) const;
  // Whether what the payment's state is about was given up, and may yet come to the biller.
  bool MayYetComeTo(const core::Payment& payment) const;
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
  uint64_t adopted_ = 0;
};

}  // namespace waystation::flow
