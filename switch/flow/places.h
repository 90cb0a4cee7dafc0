#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "boost/asio/awaitable.hpp"
#include "switch/core/clock.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

// Who may have a request with a biller, and how many at once.
//
// Threads: any; Wait on the worker that is given. Outlives the places that it gave, and so the coroutines that have
// them.
//
// Limits: no more have a place than the card's max_in_flight. A share of them is the resolver's (a quarter, 1 to
// kMaxResolvingPerBiller), the rest the stations', so that neither waits for the other: a card has 2 at least. At most
// max_waiting wait.
class Places {
 public:
  enum class Kind {
    kStations,       // inquiries, payments, first cancels
    kTrial,          // the same, to a biller that is being tried again: kMaxTrialsPerBiller of the stations' places
    kResolver,       // queries, reversal advice, repeated cancels
    kLateApprovals,  // come from the biller, and have places of their own: kMaxLateApprovalsPerBiller
  };

  // Given back when it ends.
  class Place {
   public:
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), kind_(other.kind_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(kind_, other.kind_);
      return *this;
    }
    ~Place() {
      if (places_ != nullptr) places_->GiveBack(kind_);
    }
    Kind kind() const { return kind_; }

   private:
    friend class Places;
    Place(Places* places, Kind kind) : places_(places), kind_(kind) {}
    Places* places_;
    Kind kind_;
  };

  Places(uint32_t max_in_flight, uint32_t max_waiting);

  // Null when as many have a place as may, or others wait for one.
  std::optional<Place> Take(Kind kind);
  // Whether Take would give one now.
  bool HasRoom(Kind kind) const;

  // One for a station, in the order of those who wait. Null: none came free by then, or as many wait as may.
  boost::asio::awaitable<std::optional<Place>> Wait(Worker& worker, core::SteadyTime until);

  uint32_t taken(Kind kind) const { return CounterOf(kind).load(std::memory_order_relaxed); }
  uint32_t waiting() const { return waiting_count_.load(std::memory_order_relaxed); }

 private:
  struct Waiter {
    explicit Waiter(Worker* of) : worker(of), sleep(of) {}
    Worker* const worker;
    Sleep sleep;
    std::optional<Place> place;  // guarded by mutex_
  };
  class Queueing;

  bool TakeOne(Kind kind);
  void GiveBack(Kind kind);
  uint32_t LimitOf(Kind kind) const;
  std::atomic<uint32_t>& CounterOf(Kind kind);
  const std::atomic<uint32_t>& CounterOf(Kind kind) const { return const_cast<Places*>(this)->CounterOf(kind); }
  void Serve();

  const uint32_t max_in_flight_;
  const uint32_t resolvers_;
  const uint32_t max_waiting_;
  std::atomic<uint32_t> of_stations_{0};
  std::atomic<uint32_t> of_trials_{0};
  std::atomic<uint32_t> of_resolver_{0};
  std::atomic<uint32_t> late_approvals_{0};
  std::mutex mutex_;
  std::deque<std::shared_ptr<Waiter>> waiting_;  // guarded by mutex_; shared with the coroutine that waits
  std::atomic<uint32_t> waiting_count_{0};       // of waiting_
};

}  // namespace waystation::flow
