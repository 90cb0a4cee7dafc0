#include "switch/flow/resolver.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"
#include "switch/flow/outcome.h"
#include "switch/flow/payment_log.h"
#include "switch/flow/spread.h"

namespace waystation::flow {

namespace asio = boost::asio;

Resolver::Resolver(Worker* worker, storage::Sequencer* sequencer, const Router* router, WaitBoard* board,
                   ResolverSchedule schedule)
    : worker_(worker),
      sequencer_(sequencer),
      router_(router),
      board_(board),
      clock_(worker->clock()),
      schedule_(schedule),
      alarm_(worker, [this] { RunDue(); }) {}

void Resolver::Adopt(core::Payment payment, const core::TraceContext& trace) {
  WS_CHECK(!HasSettled(payment.state), "a settled payment has nothing to resolve");
  const core::PaymentId id = payment.id;
  const auto [it, added] = cases_.try_emplace(id, Case{.payment = std::move(payment),
                                                       .trace = trace,
                                                       .serial = ++adopted_,
                                                       .taken_on = clock_.Steady(),
                                                       .tries = {.since = clock_.Now(), .sent = 0, .last = {}},
                                                       .due = {}});
  WS_CHECK(added, "a payment is adopted once");
  if (BillerLane* lane = router_->Find(it->second.payment.biller_id)) lane->CountUnresolved();
  Schedule(it->second, clock_.Now());
}

void Resolver::OnMoved(core::Payment payment) {
  auto it = cases_.find(payment.id);
  if (it == cases_.end()) return;
  if (HasSettled(payment.state)) return Close(payment.id);
  it->second.payment = std::move(payment);
}

void Resolver::Schedule(Case& open, core::TimePoint after) {
  const core::TimePoint now = clock_.Now();
  // What was found held at start-up is first written down as unknown; that needs no waiting.
  const bool held = open.payment.state == core::PaymentState::kHeld;
  const core::TimePoint at = held ? now : NextAttemptAt(open.payment, schedule_, after);
  open.due = clock_.Steady() + std::max(at - now, std::chrono::milliseconds(0));
  // Soon after the biller is back, however long it was away.
  if (const BillerLane* lane = router_->Find(open.payment.biller_id); lane != nullptr && lane->is_sparse()) {
    const auto within = Jittered(core::kResolverLooksWhileOpen, open.payment.id.number());
    open.due = std::min(open.due, clock_.Steady() + within);
  }
  open.due = std::max(open.due, open.not_before);
  if (held) open.due = TimePoint();  // before all that waits for a place with the biller
  queues_[open.payment.biller_id].due.emplace(open.due, open.payment.id);
  SetAlarm();
}

void Resolver::Close(core::PaymentId id) {
  auto it = cases_.find(id);
  Queue& queue = queues_[it->second.payment.biller_id];
  if (!it->second.asking) queue.due.erase({it->second.due, id});
  if (BillerLane* lane = router_->Find(it->second.payment.biller_id)) lane->CountResolved();
  cases_.erase(it);
}

void Resolver::SetAlarm() {
  std::optional<TimePoint> earliest;
  for (const auto& [biller_id, queue] : queues_) {
    if (queue.busy >= core::kMaxResolvingPerBiller || queue.due.empty()) continue;
    const TimePoint at = std::max(queue.due.begin()->first, queue.place_at);
    if (!earliest.has_value() || at < *earliest) earliest = at;
  }
  if (earliest.has_value()) alarm_.Set(*earliest);
}

Resolver::Turn Resolver::TurnOf(const Case& open, std::optional<BillerLane::Place>* place) const {
  BillerLane* lane = router_->Find(open.payment.biller_id);
  if (lane == nullptr || open.payment.state == core::PaymentState::kHeld) return Turn::kStart;
  *place = lane->EnterResolver();
  if (place->has_value()) return Turn::kStart;
  if (!lane->is_sparse()) return Turn::kNoPlace;
  return PastReview(open.payment) ? Turn::kStart : Turn::kPutOff;
}

void Resolver::RunDue() {
  const TimePoint now = clock_.Steady();
  std::vector<std::pair<core::PaymentId, std::optional<BillerLane::Place>>> start;
  for (auto& [biller_id, queue] : queues_) {
    while (queue.busy < core::kMaxResolvingPerBiller && !queue.due.empty() && queue.due.begin()->first <= now) {
      Case& open = cases_.at(queue.due.begin()->second);
      std::optional<BillerLane::Place> place;
      const Turn turn = TurnOf(open, &place);
      // The other workers' resolvers have the places too: nobody says when one of theirs is free.
      queue.place_at = turn == Turn::kNoPlace ? now + core::kResolverPlaceRetry : TimePoint();
      if (turn == Turn::kNoPlace) break;
      queue.due.erase(queue.due.begin());
      if (turn == Turn::kPutOff) {
        Schedule(open, clock_.Now());
        continue;
      }
      start.emplace_back(open.payment.id, std::move(place));
      ++queue.busy;
    }
  }
  for (auto& [id, place] : start) {
    cases_.at(id).asking = true;
    worker_->Spawn(Attempt(id, std::move(place)));
  }
  SetAlarm();
}

namespace {

// So that the first cause has room beside it.
constexpr size_t kLongestAnswerInEvidence = 60;

std::string NoFinalAnswer(const core::Payment& payment, bool may_yet_come, core::TimePoint since, int sent,
                          std::string_view last) {
  const auto time = std::chrono::floor<std::chrono::seconds>(since);
  std::string text =
      may_yet_come ? "its request may yet reach the biller; no final answer" : "no final answer from the biller";
  text += fmt::format(" since it became {}; ", core::Name(payment.state));
  if (sent == 0) {
    text += fmt::format("nothing was sent since {:%FT%TZ}: {}", time, last);
  } else {
    text += fmt::format("{} attempts since {:%FT%TZ}, the last: {}", sent, time, last);
  }
  const std::string& first = payment.unknown_cause;
  return first.empty() || last == first ? text : fmt::format("{}; at first: {}", text, first);
}

}  // namespace

asio::awaitable<void> Resolver::Attempt(core::PaymentId id, std::optional<BillerLane::Place> place) {
  const Case asked = cases_.at(id);
  const core::Payment& before = asked.payment;
  const bool had_place = place.has_value();
  Found found = co_await Ask(asked, std::move(place));
  if (had_place) queues_[before.biller_id].place_at = {};
  if (found.sent) LogStep("the biller was asked", before, asked.trace, found.said);
  Tries tries = asked.tries;
  tries.sent += found.sent ? 1 : 0;
  // What was answered once says more to a person than why nothing can be sent now.
  if (found.sent || tries.sent == 0) tries.last = core::CutToUtf8(found.said, kLongestAnswerInEvidence);
  // Only after the biller was asked, unless it does not answer: a switch that was down past the deadline may find all
  // answers waiting. And not while a denial is all there is, and will soon be enough.
  const bool review = !found.outcome.has_value() && PastReview(before);
  if (review && !found.denial_counts_at.has_value()) {
    found.outcome = Outcome(id, core::PaymentEvent::kReviewNeeded,
                            NoFinalAnswer(before, MayYetComeTo(before), tries.since, tries.sent, tries.last));
  }
  std::optional<core::Payment> after;
  if (found.outcome.has_value() && IsOpen(asked)) {
    found.outcome->from = before.state;
    core::Reply reply = co_await Commit(*sequencer_, *worker_, *std::move(found.outcome));
    // Refused: a late approval was faster; OnMoved has been or will be told.
    if (reply.status.ok()) {
      after = std::get<core::Payment>(std::move(reply.value));
      LogReached(*after, asked.trace, core::LogLevel::kInfo);
      board_->Publish(*after);
    }
  }
  --queues_[before.biller_id].busy;
  // It may have been closed meanwhile, or be another case of the same payment.
  if (IsOpen(asked)) {
    Case& open = cases_.at(id);
    open.tries = std::move(tries);
    open.not_before = review && found.denial_counts_at.has_value() ? *found.denial_counts_at : TimePoint();
    GoOn(open, before.state, std::move(after));
  }
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
    open.tries = {.since = clock_.Now(), .sent = 0, .last = {}};
    Schedule(open, open.payment.entered_at() - std::chrono::milliseconds(1));
  } else {
    Schedule(open, clock_.Now());
  }
}

namespace {

constexpr std::string_view kNeverHeardOfIt = "it never heard of it";

}  // namespace

asio::awaitable<Resolver::Found> Resolver::Ask(Case asked, std::optional<BillerLane::Place> place) {
  const core::Payment& payment = asked.payment;
  if (payment.state == core::PaymentState::kHeld) {
    co_return Found{.outcome = Outcome(payment.id, core::PaymentEvent::kOutcomeUnknown,
                                       "the switch restarted while the request may have been with the biller")};
  }
  BillerLane* lane = router_->Find(payment.biller_id);
  // A biller that was taken out of the configuration can't be asked: a person is, in the end.
  if (lane == nullptr) co_return Found{.outcome = {}, .said = "the biller is not in the configuration"};
  if (!place.has_value()) co_return Found{.outcome = {}, .said = "the biller is out of service"};
  switch (payment.state) {
    case core::PaymentState::kUnknown: co_return co_await AskOutcome(std::move(asked), lane, *std::move(place));
    case core::PaymentState::kReversing: co_return co_await AskReversal(std::move(asked), lane, *std::move(place));
    case core::PaymentState::kCancelling: co_return co_await AskCancel(std::move(asked), lane, *std::move(place));
    case core::PaymentState::kHeld:
    case core::PaymentState::kSucceeded:
    case core::PaymentState::kDeclined:
    case core::PaymentState::kReversed:
    case core::PaymentState::kCancelled:
    case core::PaymentState::kReview:
    case core::PaymentState::kAdjusted: break;
  }
  WS_CHECK(false, "a settled payment has nothing to resolve");
  co_return Found();
}

asio::awaitable<Resolver::Found> Resolver::AskOutcome(Case asked, BillerLane* lane, BillerLane::Place place) {
  const core::Payment& payment = asked.payment;
  const adapters::CapabilityCard& card = lane->card();
  const core::RecordOutcome reversal = Outcome(payment.id, core::PaymentEvent::kReversalStarted, payment.unknown_cause);
  if (!card.can_query) {
    if (card.can_reverse) co_return Found{.outcome = reversal};
    co_return Found{.outcome = {}, .said = "the biller takes neither queries nor reversals"};
  }
  // By when it is asked, not by when it has answered: the request may come to the biller between the two.
  const Denial denial = DenialOf(asked, *lane);
  adapters::QueryOutcome answer =
      co_await lane->Query(*worker_, payment, asked.tries.sent, std::move(place), asked.trace);
  Found found{.outcome = {}, .sent = true};
  if (auto* approved = std::get_if<adapters::Approved>(&answer)) {
    found.outcome = ApprovedOutcome(payment.id, std::move(*approved));
  } else if (auto* declined = std::get_if<adapters::Declined>(&answer)) {
    found.outcome = DeclinedOutcome(payment.id, core::PaymentEvent::kDeclinedByBiller,
                                    core::DeclineReason::kBillerDeclined, declined->biller_code, declined->text);
  } else if (std::holds_alternative<adapters::NeverReceived>(answer)) {
    found.said = kNeverHeardOfIt;
    if (denial == Denial::kFrees) {
      found.outcome =
          DeclinedOutcome(payment.id, core::PaymentEvent::kNeverReceived, core::DeclineReason::kNotReceivedByBiller, "",
                          "the biller has no such payment; nothing was paid");
    } else if (denial == Denial::kWillFree) {
      found.denial_counts_at = DenialCountsAt(card, asked.taken_on);
    } else if (!card.query_denial_is_final && card.can_reverse) {
      found.outcome = reversal;
    }
  } else {
    found.said = std::move(std::get<adapters::Unknown>(answer).cause);
  }
  co_return found;
}

asio::awaitable<Resolver::Found> Resolver::AskReversal(Case asked, BillerLane* lane, BillerLane::Place place) {
  const core::Payment& payment = asked.payment;
  const Denial denial = DenialOf(asked, *lane);
  adapters::ReverseOutcome answer =
      co_await lane->Reverse(*worker_, payment, asked.tries.sent, std::move(place), asked.trace);
  Found found{.outcome = {}, .sent = true};
  if (std::holds_alternative<adapters::TakenBack>(answer)) {
    found.outcome = Outcome(payment.id, core::PaymentEvent::kReversalConfirmed, "");
  } else if (const auto* declined = std::get_if<adapters::Declined>(&answer)) {
    found.outcome =
        Outcome(payment.id, core::PaymentEvent::kReviewNeeded,
                fmt::format("the biller refused the reversal: {} {}", declined->biller_code, declined->text));
  } else if (std::holds_alternative<adapters::NeverReceived>(answer)) {
    found.said = kNeverHeardOfIt;
    if (denial == Denial::kFrees) {
      found.outcome = Outcome(payment.id, core::PaymentEvent::kReversalConfirmed, "");
    } else if (denial == Denial::kWillFree) {
      found.denial_counts_at = DenialCountsAt(lane->card(), asked.taken_on);
    }
  } else {
    found.said = std::move(std::get<adapters::Unknown>(answer).cause);
  }
  co_return found;
}

asio::awaitable<Resolver::Found> Resolver::AskCancel(Case asked, BillerLane* lane, BillerLane::Place place) {
  // By when it is asked, as a denial.
  const bool may_yet_come = MayYetComeTo(asked.payment);
  // The flow has sent it once before.
  adapters::CancelOutcome answer =
      co_await lane->Cancel(*worker_, asked.payment, asked.tries.sent + 1, std::move(place), asked.trace);
  Found found{.outcome = CancelOutcomeFor(asked.payment.id, answer, CancelRepeat::kYes), .sent = true};
  if (const auto* declined = std::get_if<adapters::Declined>(&answer); declined != nullptr && may_yet_come) {
    found.outcome.reset();
    found.said = fmt::format("refused: {} {}", declined->biller_code, declined->text);
  } else if (auto* not_sent = std::get_if<adapters::NotSent>(&answer)) {
    found.sent = false;
    found.said = std::move(not_sent->cause);
  } else if (auto* unknown = std::get_if<adapters::Unknown>(&answer)) {
    found.said = std::move(unknown->cause);
  }
  co_return found;
}

Resolver::Denial Resolver::DenialOf(const Case& asked, const BillerLane& lane) const {
  if (!lane.card().query_denial_is_final || lane.MayYetPay(asked.payment.id)) return Denial::kNothing;
  return DenialFrees(lane.card(), asked.taken_on, clock_.Steady()) ? Denial::kFrees : Denial::kWillFree;
}

bool Resolver::MayYetComeTo(const core::Payment& payment) const {
  const BillerLane* lane = router_->Find(payment.biller_id);
  if (lane == nullptr) return false;
  const bool is_cancel = payment.state == core::PaymentState::kCancelling;
  return is_cancel ? lane->MayYetCancel(payment.id) : lane->MayYetPay(payment.id);
}

bool Resolver::PastReview(const core::Payment& payment) const {
  return clock_.Now() - payment.entered_at() >= schedule_.review_after;
}

}  // namespace waystation::flow
