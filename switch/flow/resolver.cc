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
  const core::PaymentId id = payment.id;
  const auto [it, added] =
      cases_.try_emplace(id, Case{.payment = std::move(payment), .serial = ++adopted_, .attempts = 0, .due = {}});
  WS_CHECK(added, "a payment is adopted once");
  ++queues_[it->second.payment.biller_id].cases;
  Schedule(it->second, clock_.Now());
}

void Resolver::OnMoved(core::Payment payment) {
  auto it = cases_.find(payment.id);
  if (it == cases_.end()) return;
  if (HasSettled(payment.state)) return Close(payment.id);
  it->second.payment = std::move(payment);
}

size_t Resolver::unresolved(const std::string& biller_id) const {
  auto it = queues_.find(biller_id);
  return it == queues_.end() ? 0 : it->second.cases;
}

void Resolver::Schedule(Case& open, core::TimePoint after) {
  const core::TimePoint now = clock_.Now();
  // What was found held at start-up is first written down as unknown; that needs no waiting.
  const bool held = open.payment.state == core::PaymentState::kHeld;
  const core::TimePoint at = held ? now : NextAttemptAt(open.payment, schedule_, after);
  open.due = clock_.Steady() + std::max(at - now, std::chrono::milliseconds(0));
  queues_[open.payment.biller_id].due.emplace(open.due, open.payment.id);
  SetAlarm();
}

void Resolver::Close(core::PaymentId id) {
  auto it = cases_.find(id);
  Queue& queue = queues_[it->second.payment.biller_id];
  if (!it->second.asking) queue.due.erase({it->second.due, id});
  --queue.cases;
  cases_.erase(it);
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
  for (core::PaymentId id : start) {
    cases_.at(id).asking = true;
    worker_->Spawn(Attempt(id));
  }
  SetAlarm();
}

asio::awaitable<void> Resolver::Attempt(core::PaymentId id) {
  const Case asked = cases_.at(id);
  const core::Payment& before = asked.payment;
  MaybeOutcome outcome = co_await Ask(before, asked.attempts);
  // Only after the biller was asked: a switch that was down past the deadline may find all answers waiting.
  if (!outcome.has_value() && PastReview(before)) {
    outcome = Outcome(id, core::PaymentEvent::kReviewNeeded,
                      fmt::format("no final answer from the biller since it became {}, {} attempts since the switch "
                                  "started; {}",
                                  core::Name(before.state), asked.attempts + 1, before.unknown_cause));
  }
  std::optional<core::Payment> after;
  if (outcome.has_value() && IsOpen(asked)) {
    outcome->from = before.state;
    core::Reply reply = co_await Commit(*sequencer_, *worker_, *std::move(outcome));
    // Refused: a late approval was faster; OnMoved has been or will be told.
    if (reply.status.ok()) {
      after = std::get<core::Payment>(std::move(reply.value));
      board_->Publish(*after);
    }
  }
  --queues_[before.biller_id].busy;
  // It may have been closed meanwhile, or be another case of the same payment.
  if (IsOpen(asked)) GoOn(cases_.at(id), before.state, std::move(after));
  SetAlarm();
}

bool Resolver::IsOpen(const Case& asked) const {
  auto it = cases_.find(asked.payment.id);
  return it != cases_.end() && it->second.serial == asked.serial;
}

void Resolver::GoOn(Case& open, core::PaymentState before, std::optional<core::Payment> after) {
  if (after.has_value()) open.payment = *std::move(after);
  if (HasSettled(open.payment.state)) return Close(open.payment.id);
  open.asking = false;
  if (open.payment.state != before) {
    open.attempts = 0;
    Schedule(open, open.payment.entered_at() - std::chrono::milliseconds(1));
  } else {
    ++open.attempts;
    Schedule(open, clock_.Now());
  }
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
  // By when it is asked, not by when it has answered: the request may come to the biller between the two.
  const bool settled = HasSettledAtBiller(payment, card);
  adapters::QueryOutcome answer = co_await lane->Query(payment, attempts);
  if (auto* approved = std::get_if<adapters::Approved>(&answer))
    co_return ApprovedOutcome(payment.id, std::move(*approved));
  if (auto* declined = std::get_if<adapters::Declined>(&answer)) {
    co_return DeclinedOutcome(payment.id, core::PaymentEvent::kDeclinedByBiller, core::DeclineReason::kBillerDeclined,
                              declined->biller_code, declined->text);
  }
  if (std::holds_alternative<adapters::NeverReceived>(answer)) {
    if (card.query_denial_is_final) {
      if (!settled) co_return std::nullopt;
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

bool Resolver::HasSettledAtBiller(const core::Payment& payment, const adapters::CapabilityCard& card) const {
  // The request's deadline is counted from when it was sent, which is after it was accepted; one that passed is what
  // made the payment UNKNOWN.
  const core::TimePoint deadline = std::max(payment.accepted_at() + card.time_limit, payment.entered_at());
  return clock_.Now() >= deadline + card.settling_time;
}

bool Resolver::PastReview(const core::Payment& payment) const {
  return clock_.Now() - payment.entered_at() >= schedule_.review_after;
}

}  // namespace waystation::flow
