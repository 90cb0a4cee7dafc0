#include "switch/flow/biller_lane.h"

#include <algorithm>
#include <exception>
#include <type_traits>
#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::flow {

namespace asio = boost::asio;

namespace {

adapters::PaymentRequest RequestFor(const core::Payment& payment, int earlier_attempts) {
  return {.payment_id = payment.id,
          .station = payment.station,
          .customer_number = payment.customer_number,
          .amount = payment.amount,
          .accepted_at = payment.accepted_at(),
          .business_date = payment.business_date,
          .biller_reference = payment.biller_reference,
          .earlier_attempts = earlier_attempts};
}

// What an operation comes to that has no answer.
template <typename Outcome>
Outcome NoAnswer(std::string cause) {
  if constexpr (std::is_same_v<Outcome, bool>) {
    return false;
  } else {
    return adapters::Unknown{std::move(cause)};
  }
}

// An adapter lets no exception out; should one come all the same, the payment must not be lost with its coroutine.
template <typename Outcome, typename Start>
asio::awaitable<Outcome> Contained(Start& start, adapters::Deadline deadline) {
  try {
    co_return co_await start(deadline);
  } catch (const std::exception& e) {
    co_return NoAnswer<Outcome>(fmt::format("the adapter failed: {}", e.what()));
  } catch (...) {
    co_return NoAnswer<Outcome>("the adapter failed");
  }
}

bool IsOfStation(const std::optional<Places::Place>& place) {
  if (!place.has_value()) return false;
  return place->kind() == Places::Kind::kStations || place->kind() == Places::Kind::kTrial;
}

}  // namespace

template <typename Outcome>
struct BillerLane::Call {
  Call(Worker* worker, std::optional<Place> of) : sleep(worker), place(std::move(of)) {}
  Sleep sleep;  // of the one who waits
  std::optional<Place> place;
  std::optional<Outcome> outcome = {};
  bool given_up = false;
};

struct BillerLane::Overdue {
  void OnGivenUp() {}
  template <typename Outcome>
  void OnEnd(Outcome) {}
};

struct BillerLane::OverduePay {
  BillerLane* lane;
  Worker* worker;
  core::StationId station;
  core::PaymentId id;

  void OnGivenUp() {
    const std::lock_guard lock(lane->mutex_);
    lane->may_yet_pay_.insert(id);
  }
  void OnEnd(adapters::PayOutcome outcome) {
    worker->RunAt(lane->clock_->Steady() + lane->card().settling_time, [lane = lane, id = id] {
      const std::lock_guard lock(lane->mutex_);
      lane->may_yet_pay_.erase(id);
    });
    // One that is not taken is found by the resolver, which has the payment.
    auto* approved = std::get_if<adapters::Approved>(&outcome);
    if (approved != nullptr && lane->late_ != nullptr) {
      lane->late_->OnLateApproval(station, id, std::move(*approved), [](bool) {});
    }
  }
};

struct BillerLane::OverdueProbe {
  BillerLane* lane;

  void OnGivenUp() { lane->probe_overdue_ = true; }
  void OnEnd(bool) { lane->probe_overdue_ = false; }
};

BillerLane::BillerLane(std::string biller_id, std::string name, std::unique_ptr<adapters::BillerAdapter> adapter,
                       const core::Clock* clock, LaneOptions options)
    : biller_id_(std::move(biller_id)),
      name_(std::move(name)),
      adapter_(std::move(adapter)),
      clock_(clock),
      health_(biller_id_, card().service_hours, std::move(options), clock),
      places_(card().max_in_flight, card().max_waiting) {}

void BillerLane::ReportLateApprovalsTo(adapters::LateApprovals* late) {
  late_ = late;
  adapter_->ReportLateApprovalsTo(late);
}

// --- who may ask ---

std::optional<std::string> BillerLane::OutOfService() const {
  if (std::optional<std::string> text = health_.OutOfService()) return text;
  if (!ManyOverdue()) return std::nullopt;
  return fmt::format("{} requests have no answer from the biller, long after their deadline", overdue_.load());
}

BillerLane::Entry BillerLane::TryEnter() {
  const auto declined = [](std::string text) {
    return core::Decline{core::DeclineReason::kBillerOutOfService, "", std::move(text)};
  };
  Entry entry;
  if (std::optional<std::string> text = OutOfService()) {
    entry.out_of_service = declined(*std::move(text));
  } else if (health_.state() == CircuitBreaker::State::kHalfOpen) {
    entry.place = places_.Take(Places::Kind::kTrial);
    if (!entry.place.has_value()) entry.out_of_service = declined(health_.BeingTried());
  } else {
    entry.place = places_.Take(Places::Kind::kStations);
  }
  return entry;
}

asio::awaitable<BillerLane::Entry> BillerLane::Enter(Worker& worker, core::SteadyTime until) {
  Entry entry = TryEnter();
  const core::SteadyTime now = clock_->Steady();
  if (!entry.place.has_value() && !entry.out_of_service.has_value() && until > now) {
    entry.place = co_await places_.Wait(worker, std::min(until, now + core::kMaxPlaceWait));
    // It may have gone out of service meanwhile.
    if (health_.state() != CircuitBreaker::State::kClosed) {
      entry.place.reset();
      entry = TryEnter();
    }
  }
  if (!entry.place.has_value()) health_.CountRefused();
  co_return entry;
}

std::optional<BillerLane::Place> BillerLane::EnterResolver() {
  if (is_sparse()) {
    const core::SteadyTime now = clock_->Steady();
    const std::lock_guard lock(mutex_);
    if (now < resolver_at_) return std::nullopt;
    resolver_at_ = now + core::kResolverAsksWhileOpen;
  }
  return places_.Take(Places::Kind::kResolver);
}

bool BillerLane::MayYetPay(core::PaymentId id) const {
  const std::lock_guard lock(mutex_);
  return may_yet_pay_.contains(id);
}

// --- operations ---

template <typename Outcome, typename Start, typename Late>
asio::awaitable<void> BillerLane::Run(std::shared_ptr<Call<Outcome>> call, adapters::Deadline deadline, Start start,
                                      Late late) {
  Outcome outcome = co_await Contained<Outcome>(start, deadline);
  if (call->given_up) {
    overdue_.fetch_sub(1, std::memory_order_relaxed);
    late.OnEnd(std::move(outcome));
    co_return;
  }
  call->outcome = std::move(outcome);
  call->place.reset();
  call->sleep.Wake();
}

template <typename Outcome, typename Start, typename Late>
asio::awaitable<Outcome> BillerLane::Ask(Worker& worker, std::string_view operation, std::optional<Place> place,
                                         Start start, Late late) {
  const bool of_station = IsOfStation(place);
  const uint64_t epoch = health_.epoch();
  const adapters::Deadline deadline = clock_->Steady() + card().time_limit;
  auto call = std::make_shared<Call<Outcome>>(&worker, std::move(place));
  worker.Spawn(Run<Outcome>(call, deadline, std::move(start), late));
  if (!call->outcome.has_value()) co_await call->sleep.Until(deadline + core::kDeadlineGrace);
  if (!call->outcome.has_value()) {
    call->given_up = true;
    overdue_.fetch_add(1, std::memory_order_relaxed);
    late.OnGivenUp();
    call->place.reset();
    call->outcome = NoAnswer<Outcome>(fmt::format("no answer from the adapter {} ms after its deadline of {} ms",
                                                  core::kDeadlineGrace.count(), card().time_limit.count()));
  }
  Outcome outcome = *std::move(call->outcome);
  ProbeAt(worker, health_.OnAnswer(operation, ReadingOf(outcome), of_station, epoch));
  co_return outcome;
}

asio::awaitable<adapters::InquiryOutcome> BillerLane::Inquire(Worker& worker, adapters::InquiryRequest request,
                                                              Place place) {
  auto start = [this, request = std::move(request)](adapters::Deadline deadline) mutable {
    return adapter_->Inquire(std::move(request), deadline);
  };
  return Ask<adapters::InquiryOutcome>(worker, "inquire", std::move(place), std::move(start), Overdue());
}

asio::awaitable<adapters::PayOutcome> BillerLane::Pay(Worker& worker, const core::Payment& payment, Place place) {
  auto start = [this, request = RequestFor(payment, 0)](adapters::Deadline deadline) mutable {
    return adapter_->Pay(std::move(request), deadline);
  };
  return Ask<adapters::PayOutcome>(worker, "pay", std::move(place), std::move(start),
                                   OverduePay{this, &worker, payment.station, payment.id});
}

asio::awaitable<adapters::QueryOutcome> BillerLane::Query(Worker& worker, const core::Payment& payment,
                                                          int earlier_attempts, Place place) {
  auto start = [this, request = RequestFor(payment, earlier_attempts)](adapters::Deadline deadline) mutable {
    return adapter_->Query(std::move(request), deadline);
  };
  return Ask<adapters::QueryOutcome>(worker, "query", std::move(place), std::move(start), Overdue());
}

asio::awaitable<adapters::ReverseOutcome> BillerLane::Reverse(Worker& worker, const core::Payment& payment,
                                                              int earlier_attempts, Place place) {
  auto start = [this, request = RequestFor(payment, earlier_attempts)](adapters::Deadline deadline) mutable {
    return adapter_->Reverse(std::move(request), deadline);
  };
  return Ask<adapters::ReverseOutcome>(worker, "reverse", std::move(place), std::move(start), Overdue());
}

asio::awaitable<adapters::CancelOutcome> BillerLane::Cancel(Worker& worker, const core::Payment& payment,
                                                            int earlier_attempts, Place place) {
  auto start = [this, request = RequestFor(payment, earlier_attempts)](adapters::Deadline deadline) mutable {
    return adapter_->Cancel(std::move(request), deadline);
  };
  return Ask<adapters::CancelOutcome>(worker, "cancel", std::move(place), std::move(start), Overdue());
}

// --- probes ---

void BillerLane::ProbeAt(Worker& worker, std::optional<core::SteadyTime> at) {
  if (!at.has_value()) return;
  worker.RunAt(*at, [this, &worker] { worker.Spawn(Probe(worker)); });
}

asio::awaitable<void> BillerLane::Probe(Worker& worker) {
  bool answered = false;
  // One that has not come back yet is answer enough.
  if (!probe_overdue_) {
    auto start = [this](adapters::Deadline deadline) { return adapter_->Probe(deadline); };
    asio::awaitable<bool> asked = Ask<bool>(worker, "probe", std::nullopt, std::move(start), OverdueProbe{this});
    answered = co_await std::move(asked);
  }
  ProbeAt(worker, health_.OnProbe(answered));
}

LaneStatus BillerLane::status() const {
  return {.health = health_.status(),
          .out_of_service = OutOfService(),
          .of_stations = places_.taken(Places::Kind::kStations),
          .of_resolver = places_.taken(Places::Kind::kResolver),
          .waiting = places_.waiting(),
          .overdue = overdue_.load(std::memory_order_relaxed)};
}

}  // namespace waystation::flow
