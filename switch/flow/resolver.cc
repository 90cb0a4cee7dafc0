#include "switch/flow/resolver.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"
#include "switch/flow/outcome.h"

namespace waystation::flow {

namespace asio = boost::asio;
using MaybeOutcome = std::optional<core::RecordOutcome>;

Resolver::Resolver(Worker* worker, storage::Sequencer* sequencer, const Router* router, WaitBoard* board,
                   ResolverSchedule schedule)
    : worker_(worker),
      sequencer_(sequencer),
      router_(router),
      board_(board),
      clock_(worker->clock()),
      schedule_(schedule),
      alarm_(worker, [this] { RunDue(); }) {}

void Resolver::Adopt(core::Payment payment) {
  WS_CHECK(!HasSettled(payment.state), "a settled payment has nothing to resolve");
  // What was found at start-up is first written down as unknown; that needs no waiting.
  const bool held = payment.state == core::PaymentState::kHeld;
  Schedule(payment, held ? std::chrono::milliseconds(0) : schedule_.first_query_after);
  const core::PaymentId id = payment.id;
  cases_.insert_or_assign(id, Case{std::move(payment), 0, schedule_.first_query_after});
}

void Resolver::Schedule(const core::Payment& payment, std::chrono::milliseconds delay) {
  queues_[payment.biller_id].due.emplace(clock_.Steady() + delay, payment.id);
  SetAlarm();
}

void Resolver::SetAlarm() {
  std::optional<TimePoint> earliest;
  for (const auto& [biller_id, queue] : queues_) {
    if (queue.busy >= core::kMaxResolvingPerBiller || queue.due.empty()) continue;
    if (!earliest.has_value() || queue.due.begin()->first < *earliest) earliest = queue.due.begin()->first;
  }
  if (earliest.has_value()) alarm_.Set(*earliest);
}

void Resolver::RunDue() {
  const TimePoint now = clock_.Steady();
  std::vector<core::PaymentId> start;
  for (auto& [biller_id, queue] : queues_) {
    while (queue.busy < core::kMaxResolvingPerBiller && !queue.due.empty() && queue.due.begin()->first <= now) {
      start.push_back(queue.due.begin()->second);
      queue.due.erase(queue.due.begin());
      ++queue.busy;
    }
  }
  for (core::PaymentId id : start) worker_->Spawn(Attempt(id));
  SetAlarm();
}

asio::awaitable<void> Resolver::Attempt(core::PaymentId id) {
  const core::Payment before = cases_.at(id).payment;
  const int attempts = cases_.at(id).attempts;
  MaybeOutcome outcome = co_await Ask(before, attempts);
  // Only after the biller was asked: a switch that was down past the deadline may find all answers waiting.
  if (!outcome.has_value() && PastReview(before)) {
    outcome = Outcome(id, core::PaymentEvent::kReviewNeeded,
                      fmt::format("no final answer from the biller since it became {}, {} attempts; {}",
                                  core::Name(before.state), attempts + 1, before.unknown_cause));
  }
  core::Payment after = before;
  if (outcome.has_value()) {
    core::Reply reply = co_await Commit(*sequencer_, *worker_, *std::move(outcome));
    WS_CHECK(reply.status.ok(), std::string(reply.status.message()));
    after = std::get<core::Payment>(std::move(reply.value));
    board_->Publish(after);
  }
  --queues_[after.biller_id].busy;

  if (HasSettled(after.state)) {
    cases_.erase(id);
    SetAlarm();
    co_return;
  }
  Case& open = cases_.at(id);
  if (after.state != before.state) {
    open.attempts = 0;
    open.interval = schedule_.first_query_after;
    // A reversal starts at once; a query leaves the biller time to finish.
    const bool at_once = after.state == core::PaymentState::kReversing;
    Schedule(after, at_once ? std::chrono::milliseconds(0) : open.interval);
  } else {
    ++open.attempts;
    Schedule(after, open.interval);
    open.interval = std::min(2 * open.interval, schedule_.longest_interval);
  }
  open.payment = std::move(after);
}

asio::awaitable<MaybeOutcome> Resolver::Ask(core::Payment payment, int attempts) {
  if (payment.state == core::PaymentState::kHeld) {
    co_return Outcome(payment.id, core::PaymentEvent::kOutcomeUnknown,
                      "the switch restarted while the request may have been with the biller");
  }
  BillerLane* lane = router_->Find(payment.biller_id);
  // A biller that was taken out of the configuration can't be asked: a person is, in the end.
  if (lane == nullptr) co_return std::nullopt;
  switch (payment.state) {
    case core::PaymentState::kUnknown: co_return co_await AskOutcome(std::move(payment), lane, attempts);
    case core::PaymentState::kReversing: co_return co_await AskReversal(std::move(payment), lane, attempts);
    case core::PaymentState::kCancelling: co_return co_await AskCancel(std::move(payment), lane, attempts);
    case core::PaymentState::kHeld:
    case core::PaymentState::kSucceeded:
    case core::PaymentState::kDeclined:
    case core::PaymentState::kReversed:
    case core::PaymentState::kCancelled:
    case core::PaymentState::kReview:
    case core::PaymentState::kAdjusted: break;
  }
  WS_CHECK(false, "a settled payment has nothing to resolve");
  co_return std::nullopt;
}

asio::awaitable<MaybeOutcome> Resolver::AskOutcome(core::Payment payment, BillerLane* lane, int attempts) {
  const adapters::CapabilityCard& card = lane->card();
  const core::RecordOutcome reversal = Outcome(payment.id, core::PaymentEvent::kReversalStarted, payment.unknown_cause);
  if (!card.can_query) {
    if (card.can_reverse) co_return reversal;
    co_return std::nullopt;
  }
  adapters::QueryOutcome answer = co_await lane->Query(payment, attempts);
  if (auto* approved = std::get_if<adapters::Approved>(&answer))
    co_return ApprovedOutcome(payment.id, std::move(*approved));
  if (auto* declined = std::get_if<adapters::Declined>(&answer)) {
    co_return DeclinedOutcome(payment.id, core::PaymentEvent::kDeclinedByBiller, core::DeclineReason::kBillerDeclined,
                              declined->biller_code, declined->text);
  }
  if (std::holds_alternative<adapters::NeverReceived>(answer)) {
    if (card.query_denial_is_final) {
      co_return DeclinedOutcome(payment.id, core::PaymentEvent::kNeverReceived,
                                core::DeclineReason::kNotReceivedByBiller, "",
                                "the biller has no such payment; nothing was paid");
    }
    if (card.can_reverse) co_return reversal;
  }
  co_return std::nullopt;
}

asio::awaitable<MaybeOutcome> Resolver::AskReversal(core::Payment payment, BillerLane* lane, int attempts) {
  adapters::ReverseOutcome answer = co_await lane->Reverse(payment, attempts);
  if (std::holds_alternative<adapters::TakenBack>(answer)) {
    co_return Outcome(payment.id, core::PaymentEvent::kReversalConfirmed, "");
  }
  if (const auto* declined = std::get_if<adapters::Declined>(&answer)) {
    co_return Outcome(payment.id, core::PaymentEvent::kReviewNeeded,
                      fmt::format("the biller refused the reversal: {} {}", declined->biller_code, declined->text));
  }
  co_return std::nullopt;
}

asio::awaitable<MaybeOutcome> Resolver::AskCancel(core::Payment payment, BillerLane* lane, int attempts) {
  // The flow has sent it once before.
  adapters::CancelOutcome answer = co_await lane->Cancel(payment, attempts + 1);
  co_return CancelOutcomeFor(payment.id, answer, CancelRepeat::kYes);
}

bool Resolver::PastReview(const core::Payment& payment) const {
  return clock_.Now() - payment.history.back().time >= schedule_.review_after;
}

}  // namespace waystation::flow
