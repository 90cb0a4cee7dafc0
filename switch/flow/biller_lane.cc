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

adapters::PaymentRequest RequestFor(const core::Payment& payment, int earlier_attempts,
                                    const core::TraceContext& trace) {
  return {.payment_id = payment.id,
          .station = payment.station,
          .customer_number = payment.customer_number,
          .amount = payment.amount,
          .accepted_at = payment.accepted_at(),
          .business_date = payment.business_date,
          .biller_reference = payment.biller_reference,
          .earlier_attempts = earlier_attempts,
          .trace = trace};
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

std::string TooManyOverdue(uint32_t overdue) {
  return fmt::format("{} requests have no answer from the biller, long after their deadline", overdue);
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
  BillerLane* lane;

  void OnGivenUp() {}
  template <typename Outcome>
  void OnEnd(const Outcome&) {
    lane->EndOverdue();
  }
};

// Of what moves money at the biller.
struct BillerLane::OverdueEffect {
  BillerLane* lane;
  GivenUp* given_up;
  Worker* worker;
  core::PaymentId id;

  void OnGivenUp() {
    const std::lock_guard lock(lane->mutex_);
    ++(*given_up)[id];
  }
  void LetSettle() {
    worker->RunAt(lane->clock_->Steady() + lane->card().settling_time, [lane = lane, given_up = given_up, id = id] {
      const std::lock_guard lock(lane->mutex_);
      auto it = given_up->find(id);
      if (--it->second == 0) given_up->erase(it);
    });
  }
};

struct BillerLane::OverduePay : OverdueEffect {
  core::StationId station;

  void OnEnd(adapters::PayOutcome outcome) {
    LetSettle();
    auto* approved = std::get_if<adapters::Approved>(&outcome);
    if (approved == nullptr || lane->late_ == nullptr) return lane->EndOverdue();
    lane->TellLate({worker, station, id, std::move(*approved)}, core::kLateApprovalRetry);
  }
};

struct BillerLane::OverdueCancel : OverdueEffect {
  void OnEnd(const adapters::CancelOutcome& outcome) {
    LetSettle();
    lane->EndOverdue();
    if (!std::holds_alternative<adapters::TakenBack>(outcome)) return;
    {
      const std::lock_guard lock(lane->mutex_);
      if (lane->cancelled_late_.size() < lane->max_unresolved_) lane->cancelled_late_.insert(id);
    }
    lane->health_.Tell(/*is_out=*/false,
                       fmt::format("a cancel of payment {} was carried out after it was given up", id.ToString()));
  }
};

struct BillerLane::OverdueProbe {
  BillerLane* lane;

  void OnGivenUp() { lane->probe_overdue_ = true; }
  void OnEnd(bool) {
    lane->probe_overdue_ = false;
    lane->EndOverdue();
  }
};

BillerLane::BillerLane(std::string biller_id, std::string name, std::unique_ptr<adapters::BillerAdapter> adapter,
                       const core::Clock* clock, LaneOptions options)
    : biller_id_(std::move(biller_id)),
      name_(std::move(name)),
      adapter_(std::move(adapter)),
      clock_(clock),
      max_unresolved_(options.max_unresolved),
      health_(biller_id_, card().service_hours, std::move(options), clock),
      places_(card().max_in_flight, card().max_waiting) {}

void BillerLane::ReportLateApprovalsTo(adapters::LateApprovals* late) {
  late_ = late;
  adapter_->ReportLateApprovalsTo(late);
}

// --- who may ask ---

std::optional<std::string> BillerLane::OutOfService() const {
  if (std::optional<std::string> text = health_.OutOfService()) return text;
  if (ManyOverdue()) return TooManyOverdue(overdue_.load());
  if (unresolved_.load(std::memory_order_relaxed) < max_unresolved_) return std::nullopt;
  return fmt::format("{} payments to this biller are without an outcome; it takes more once they are settled",
                     max_unresolved_);
}

void BillerLane::BeginOverdue() {
  const uint32_t overdue = overdue_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (overdue != card().max_in_flight) return;
  health_.Tell(/*is_out=*/true, "out of service, new requests are declined: " + TooManyOverdue(overdue));
}

void BillerLane::EndOverdue() {
  if (overdue_.fetch_sub(1, std::memory_order_relaxed) != card().max_in_flight) return;
  health_.Tell(/*is_out=*/false, "a request that had no answer long after its deadline has ended: there is room again");
}

void BillerLane::TellLate(LateApproval late, std::chrono::milliseconds pause) {
  auto on_told = [this, late, pause](bool recorded) {
    if (recorded) return EndOverdue();
    // This may be another thread, and alarms are the worker's own.
    late.worker->Post([this, late, pause] {
      late.worker->RunAt(clock_->Steady() + pause,
                         [this, late, pause] { TellLate(late, std::min(2 * pause, core::kResolverLooksWhileOpen)); });
    });
  };
  // All at once they would be refused, and each refusal is an error in the log.
  if (!places_.HasRoom(Places::Kind::kLateApprovals)) {
    late.worker->RunAt(clock_->Steady() + core::kLateApprovalRetry, [this, late, pause] { TellLate(late, pause); });
    return;
  }
  late_->OnLateApproval(late.station, late.id, late.approved, std::move(on_told));
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
  core::SteadyTime now = clock_->Steady();
  if (!entry.place.has_value() && !entry.out_of_service.has_value() && until > now) {
    entry.place = co_await places_.Wait(worker, std::min(until, now + core::kMaxPlaceWait));
    // It may have gone out of service meanwhile, or be one that is only tried.
    if (OutOfService().has_value() || health_.state() != CircuitBreaker::State::kClosed) {
      entry.place.reset();
      entry = TryEnter();
    }
    now = clock_->Steady();
  }
  entry.at = now;
  if (!entry.place.has_value()) health_.CountRefused();
  co_return entry;
}

std::optional<BillerLane::Place> BillerLane::EnterResolver() {
  // Each of them may end overdue as well.
  if (ManyOverdue()) return std::nullopt;
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
  return pays_.contains(id);
}

bool BillerLane::MayYetCancel(core::PaymentId id) const {
  const std::lock_guard lock(mutex_);
  return cancels_.contains(id);
}

// --- operations ---

template <typename Outcome, typename Start, typename Late>
asio::awaitable<void> BillerLane::Run(std::shared_ptr<Call<Outcome>> call, adapters::Deadline deadline, Start start,
                                      Late late) {
  std::optional<Outcome> outcome;
  // An adapter lets no exception out; should one come all the same, the payment must not be lost with its coroutine.
  try {
    outcome = co_await start(deadline);
  } catch (const std::exception& e) {
    outcome = NoAnswer<Outcome>(fmt::format("the adapter failed: {}", e.what()));
  } catch (...) {
    outcome = NoAnswer<Outcome>("the adapter failed");
  }
  if (call->given_up) {
    late.OnEnd(*std::move(outcome));
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
  const core::SteadyTime asked = clock_->Steady();
  const adapters::Deadline deadline = asked + card().time_limit;
  auto call = std::make_shared<Call<Outcome>>(&worker, std::move(place));
  worker.Spawn(Run<Outcome>(call, deadline, std::move(start), late));
  if (!call->outcome.has_value()) co_await call->sleep.Until(deadline + core::kDeadlineGrace);
  if (!call->outcome.has_value()) {
    call->given_up = true;
    BeginOverdue();
    late.OnGivenUp();
    call->place.reset();
    call->outcome = NoAnswer<Outcome>(fmt::format("no answer from the adapter {} ms after its deadline of {} ms",
                                                  core::kDeadlineGrace.count(), card().time_limit.count()));
  }
  Outcome outcome = *std::move(call->outcome);
  ProbeAt(worker, health_.OnAnswer(operation, ReadingOf(outcome), of_station, epoch, asked));
  co_return outcome;
}

asio::awaitable<adapters::InquiryOutcome> BillerLane::Inquire(Worker& worker, adapters::InquiryRequest request,
                                                              Place place) {
  auto start = [this, request = std::move(request)](adapters::Deadline deadline) mutable {
    return adapter_->Inquire(std::move(request), deadline);
  };
  return Ask<adapters::InquiryOutcome>(worker, "inquire", std::move(place), std::move(start), Overdue{this});
}

asio::awaitable<adapters::PayOutcome> BillerLane::Pay(Worker& worker, const core::Payment& payment, Place place,
                                                      const core::TraceContext& trace) {
  auto start = [this, request = RequestFor(payment, 0, trace)](adapters::Deadline deadline) mutable {
    return adapter_->Pay(std::move(request), deadline);
  };
  return Ask<adapters::PayOutcome>(worker, "pay", std::move(place), std::move(start),
                                   OverduePay{{this, &pays_, &worker, payment.id}, payment.station});
}

asio::awaitable<adapters::QueryOutcome> BillerLane::Query(Worker& worker, const core::Payment& payment,
                                                          int earlier_attempts, Place place,
                                                          const core::TraceContext& trace) {
  auto start = [this, request = RequestFor(payment, earlier_attempts, trace)](adapters::Deadline deadline) mutable {
    return adapter_->Query(std::move(request), deadline);
  };
  return Ask<adapters::QueryOutcome>(worker, "query", std::move(place), std::move(start), Overdue{this});
}

asio::awaitable<adapters::ReverseOutcome> BillerLane::Reverse(Worker& worker, const core::Payment& payment,
                                                              int earlier_attempts, Place place,
                                                              const core::TraceContext& trace) {
  auto start = [this, request = RequestFor(payment, earlier_attempts, trace)](adapters::Deadline deadline) mutable {
    return adapter_->Reverse(std::move(request), deadline);
  };
  return Ask<adapters::ReverseOutcome>(worker, "reverse", std::move(place), std::move(start), Overdue{this});
}

asio::awaitable<adapters::CancelOutcome> BillerLane::Cancel(Worker& worker, const core::Payment& payment,
                                                            int earlier_attempts, Place place,
                                                            const core::TraceContext& trace) {
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_late_.erase(payment.id) > 0) co_return adapters::TakenBack{};
  }
  auto start = [this, request = RequestFor(payment, earlier_attempts, trace)](adapters::Deadline deadline) mutable {
    return adapter_->Cancel(std::move(request), deadline);
  };
  OverdueCancel late{{this, &cancels_, &worker, payment.id}};
  asio::awaitable<adapters::CancelOutcome> asked =
      Ask<adapters::CancelOutcome>(worker, "cancel", std::move(place), std::move(start), late);
  co_return co_await std::move(asked);
}

// --- probes ---

void BillerLane::ProbeAt(Worker& worker, std::optional<LaneHealth::Probing> probing) {
  if (!probing.has_value()) return;
  worker.RunAt(probing->at, [this, &worker, epoch = probing->epoch] { worker.Spawn(Probe(worker, epoch)); });
}

asio::awaitable<void> BillerLane::Probe(Worker& worker, uint64_t epoch) {
  // What the resolver asked may have been answered meanwhile.
  if (epoch != health_.epoch()) co_return;
  // One that has not come back yet is answer enough.
  if (!probe_overdue_) {
    auto start = [this](adapters::Deadline deadline) { return adapter_->Probe(deadline); };
    asio::awaitable<bool> asked = Ask<bool>(worker, "probe", std::nullopt, std::move(start), OverdueProbe{this});
    co_await std::move(asked);
  }
  // Once it is answered the breaker is not open any more.
  ProbeAt(worker, health_.NextProbe(epoch));
}

LaneStatus BillerLane::status() const {
  std::optional<std::string> out_of_service = OutOfService();
  const bool is_tried = health_.state() == CircuitBreaker::State::kHalfOpen;
  if (!out_of_service.has_value() && is_tried && !places_.HasRoom(Places::Kind::kTrial)) {
    out_of_service = health_.BeingTried();
  }
  return {.health = health_.status(),
          .out_of_service = std::move(out_of_service),
          .of_stations = places_.taken(Places::Kind::kStations),
          .of_resolver = places_.taken(Places::Kind::kResolver),
          .waiting = places_.waiting(),
          .overdue = overdue_.load(std::memory_order_relaxed)};
}

}  // namespace waystation::flow
