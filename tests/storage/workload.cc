#include "tests/storage/workload.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace waystation::storage {
namespace {

using core::Money;
using core::PaymentEvent;
using core::PaymentState;

constexpr uint32_t kStations = 3;
constexpr const char* kBillers[] = {"gas", "mobile"};

core::StationId StationNumber(uint32_t number) {
  return core::StationId::FromNumber(440'106'000'001 + number);
}

bool NeedsDecline(PaymentEvent event) {
  return event == PaymentEvent::kDeclinedByBiller || event == PaymentEvent::kNotSent ||
         event == PaymentEvent::kNeverReceived || event == PaymentEvent::kCancelRefused;
}

}  // namespace

core::StationId Workload::AnyStation() {
  return StationNumber(Below(kStations));
}

std::string Workload::AnyBiller() {
  return kBillers[Below(std::size(kBillers))];
}

std::vector<core::Command> Workload::Opening() const {
  std::vector<core::Command> commands;
  for (const char* biller : kBillers) commands.push_back(core::RegisterBiller{biller});
  for (uint32_t i = 0; i < kStations; ++i) {
    const core::StationId station = StationNumber(i);
    commands.push_back(core::RegisterStation{station, fmt::format("Shop {}", i), {StationNumber(9)}});
    commands.push_back(core::SetStationStatus{station, core::StationStatus::kApproved, ""});
    commands.push_back(core::SetStationStatus{station, core::StationStatus::kActive, ""});
    commands.push_back(core::RecordCounterPurchase{station, "opening", Money::Fen(400'000), "clerk"});
  }
  return commands;
}

core::Command Workload::NextPayment() {
  if (!sent_.empty() && Below(8) == 0) return sent_[Below(static_cast<uint32_t>(sent_.size()))];
  core::AcceptPayment pay{.station = AnyStation(),
                          .operator_id = fmt::format("{:010}", Below(3)),
                          .request_id = fmt::format("R{}", ++requests_),
                          .biller_id = AnyBiller(),
                          .customer_number = fmt::format("138{:08}", Below(1000)),
                          .customer_name = Below(2) == 0 ? "" : "*明",
                          .amount = Money::Fen(1 + Below(40'000)),
                          .presented = std::nullopt};
  if (Below(12) == 0) pay.presented = core::Decline{core::DeclineReason::kAmountTooSmall, "", "too small"};
  sent_.push_back(pay);
  return pay;
}

core::Command Workload::NextOutcome(const core::Payment& payment) {
  if (payment.state == PaymentState::kSucceeded) {
    return core::StartCancel{payment.station, "0000000002", payment.id, std::nullopt};
  }
  if (payment.state == PaymentState::kReview && Below(4) != 0) {
    if (payment.resolution.has_value()) {
      return core::ConfirmResolution{payment.id, payment.resolution->sequence, payment.resolution->verdict,
                                     Below(4) == 0 ? "clerk 1" : "clerk 2"};
    }
    const core::Verdict verdict = *core::VerdictFromNumber(1 + Below(core::kLastVerdict));
    return core::ProposeResolution{payment.id, verdict, "asked the biller", "clerk 1"};
  }
  std::vector<PaymentEvent> events;
  for (PaymentEvent event : core::kAllPaymentEvents) {
    const bool old_news = event == PaymentEvent::kLateApproval && !payment.biller_reference.empty();
    if (core::NextState(payment.state, event).has_value() && !old_news) events.push_back(event);
  }
  if (events.empty()) return core::ReadPayment{payment.id};
  core::RecordOutcome outcome;
  outcome.payment_id = payment.id;
  outcome.event = events[Below(static_cast<uint32_t>(events.size()))];
  if (outcome.event == PaymentEvent::kApproved || outcome.event == PaymentEvent::kLateApproval) {
    outcome.biller_reference = fmt::format("B{}", payment.id.number());
    if (Below(2) == 0) outcome.voucher = fmt::format("{:020}", payment.id.number());
  }
  if (outcome.event == PaymentEvent::kOutcomeUnknown) outcome.unknown_cause = "no answer in time";
  if (NeedsDecline(outcome.event)) outcome.decline = core::Decline{core::DeclineReason::kBillerDeclined, "E7", "no"};
  return outcome;
}

core::Command Workload::Next() {
  const uint32_t draw = Below(100);
  if (draw < 40) return NextPayment();
  if (draw < 85 && !payments_.empty()) {
    // Mostly one of the newest, so that payments come to rest soon after they began; sometimes an old one.
    const uint32_t back = Below(Below(4) == 0 ? static_cast<uint32_t>(payments_.size()) : 12);
    auto it = payments_.end();
    for (uint32_t i = 0; i <= back && it != payments_.begin(); ++i) --it;
    return NextOutcome(it->second);
  }
  if (draw < 91) {
    return core::RecordCounterPurchase{AnyStation(), fmt::format("P{}", ++requests_), Money::Fen(50'000 + Below(9)),
                                       "clerk"};
  }
  if (draw < 94) return core::GrantCredit{AnyStation(), Money::Fen(10'000 * Below(4)), "season"};
  if (draw < 97) return core::SetBillerStatus{AnyBiller(), Below(4) != 0, "maintenance"};
  if (draw < 98) return core::CloseDay{date_, date_.NextDay()};
  return core::ReadAccount{AnyStation()};
}

void Workload::Saw(const core::Reply& reply) {
  if (const auto* payment = std::get_if<core::Payment>(&reply.value); payment != nullptr && payment->id.number() != 0) {
    core::Payment& known = payments_[payment->id];
    if (known.history.empty() || known.last_sequence() <= payment->last_sequence()) known = *payment;
  }
  if (const auto* day = std::get_if<core::BusinessDay>(&reply.value)) date_ = day->date;
}

void Workload::Run(RunningLedger& running, ManualClock& clock, int batches) {
  if (!std::exchange(opened_, true)) {
    for (core::Command& command : Opening()) Saw(running.Do(std::move(command)));
  }
  for (int i = 0; i < batches; ++i) {
    std::vector<Ticket*> tickets;
    for (uint32_t left = 1 + Below(8); left > 0; --left) tickets.push_back(running.Submit(Next()));
    if (Below(20) == 0) {
      const auto at = static_cast<uint64_t>(clock.Now().time_since_epoch().count()) * 1'000;
      tickets.push_back(running.Submit(core::ResumeJournal{at, "8000000001", "restored"}));
    }
    for (Ticket* ticket : tickets) {
      running.port().WaitFor(ticket);
      Saw(ticket->reply);
    }
    clock.Advance(std::chrono::milliseconds(Below(5'000)));
  }
}

bool Workload::SawState(PaymentState state) const {
  return std::any_of(payments_.begin(), payments_.end(), [&](const auto& entry) {
    const auto& history = entry.second.history;
    return std::any_of(history.begin(), history.end(), [&](const auto& change) { return change.state == state; });
  });
}

}  // namespace waystation::storage
