#include "switch/flow/places.h"

#include <algorithm>

#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::flow {

namespace asio = boost::asio;

Places::Places(uint32_t max_in_flight, uint32_t max_waiting)
    : max_in_flight_(max_in_flight),
      resolvers_(std::clamp<uint32_t>(max_in_flight / 4, 1, core::kMaxResolvingPerBiller)),
      max_waiting_(max_waiting) {}

uint32_t Places::LimitOf(Kind kind) const {
  switch (kind) {
    case Kind::kStations: return max_in_flight_ - resolvers_;
    case Kind::kTrial: return core::kMaxTrialsPerBiller;
    case Kind::kResolver: return resolvers_;
    case Kind::kLateApprovals: return core::kMaxLateApprovalsPerBiller;
  }
  return 0;
}

std::atomic<uint32_t>& Places::CounterOf(Kind kind) {
  switch (kind) {
    case Kind::kStations: return of_stations_;
    case Kind::kTrial: return of_trials_;
    case Kind::kResolver: return of_resolver_;
    case Kind::kLateApprovals: return late_approvals_;
  }
  return of_stations_;
}

// The order of all operations on the counters and waiting_count_ is one: see GiveBack.
bool Places::TakeOne(Kind kind) {
  std::atomic<uint32_t>& counter = CounterOf(kind);
  uint32_t taken = counter.load();
  while (taken < LimitOf(kind)) {
    if (counter.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

std::optional<Places::Place> Places::Take(Kind kind) {
  const bool of_stations = kind == Kind::kStations || kind == Kind::kTrial;
  if (of_stations && waiting_count_.load() > 0) return std::nullopt;
  if (!TakeOne(of_stations ? Kind::kStations : kind)) return std::nullopt;
  if (kind == Kind::kTrial && !TakeOne(kind)) {
    GiveBack(Kind::kStations);
    return std::nullopt;
  }
  return Place(this, kind);
}

bool Places::HasRoom(Kind kind) const {
  const bool of_stations = kind == Kind::kStations || kind == Kind::kTrial;
  if (of_stations && (waiting_count_.load() > 0 || taken(Kind::kStations) >= LimitOf(Kind::kStations))) return false;
  return taken(kind) < LimitOf(kind);
}

// Whoever begins to wait is counted before he looks for a place once more, and a place is given back before those who
// wait are counted: one of the two sees the other.
void Places::GiveBack(Kind kind) {
  CounterOf(kind).fetch_sub(1);
  if (kind == Kind::kTrial) of_stations_.fetch_sub(1);
  if (waiting_count_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  Serve();
}

void Places::Serve() {
  while (!waiting_.empty() && TakeOne(Kind::kStations)) {
    std::shared_ptr<Waiter> first = std::move(waiting_.front());
    waiting_.pop_front();
    first->place = Place(this, Kind::kStations);
    Worker* worker = first->worker;
    worker->Post([first = std::move(first)] { first->sleep.Wake(); });
  }
  waiting_count_ = static_cast<uint32_t>(waiting_.size());
}

// A coroutine's stand in the queue, which ends with it.
class Places::Queueing {
 public:
  Queueing(Places* places, std::shared_ptr<Waiter> waiter) : places_(places), waiter_(std::move(waiter)) {
    const std::lock_guard lock(places_->mutex_);
    if (places_->waiting_.size() >= places_->max_waiting_) return;
    is_in_ = true;
    places_->waiting_.push_back(waiter_);
    ++places_->waiting_count_;
    places_->Serve();
  }
  Queueing(const Queueing&) = delete;
  Queueing& operator=(const Queueing&) = delete;
  ~Queueing() { Leave(); }

  bool is_in() const { return is_in_; }
  // The place that was given, if one was: whoever has one has left the queue, which may be long, already.
  std::optional<Place> Leave() {
    if (!std::exchange(is_in_, false)) return std::nullopt;
    const std::lock_guard lock(places_->mutex_);
    if (waiter_->place.has_value()) return std::exchange(waiter_->place, std::nullopt);
    std::deque<std::shared_ptr<Waiter>>& queue = places_->waiting_;
    auto it = std::find(queue.begin(), queue.end(), waiter_);
    WS_CHECK(it != queue.end(), "who waits and has no place stands in the queue");
    queue.erase(it);
    places_->waiting_count_ = static_cast<uint32_t>(queue.size());
    return std::nullopt;
  }

 private:
  Places* const places_;
  const std::shared_ptr<Waiter> waiter_;
  bool is_in_ = false;
};

asio::awaitable<std::optional<Places::Place>> Places::Wait(Worker& worker, core::SteadyTime until) {
  auto waiter = std::make_shared<Waiter>(&worker);
  Queueing queueing(this, waiter);
  if (!queueing.is_in()) co_return std::nullopt;
  co_await waiter->sleep.Until(until);
  co_return queueing.Leave();
}

}  // namespace waystation::flow
