#include "tests/core/ledger_steps.h"

#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::core {
namespace {

constexpr std::string_view kDeedNames[] = {"pay",           "outcome",   "any event",    "cancel",
                                           "resolve",       "purchase",  "grant credit", "station status",
                                           "biller status", "close day", "forget",       "snapshot"};
constexpr uint32_t kStations = 3;
constexpr std::string_view kBillers[] = {"mobile", "power", "gas"};

StationId StationOf(const Step& step) {
  return StationId::FromNumber(440'106'000'001 + step.station % kStations);
}

std::string BillerOf(const Step& step) {
  return std::string(kBillers[step.biller % std::size(kBillers)]);
}

bool SameRequest(const Command& a, const Command& b) {
  if (a.index() != b.index()) return false;
  if (const auto* pay = std::get_if<AcceptPayment>(&a)) {
    const auto& other = std::get<AcceptPayment>(b);
    return pay->operator_id == other.operator_id && pay->biller_id == other.biller_id &&
           pay->customer_number == other.customer_number && pay->amount == other.amount;
  }
  const auto& purchase = std::get<RecordCounterPurchase>(a);
  const auto& other = std::get<RecordCounterPurchase>(b);
  return purchase.amount == other.amount && purchase.clerk_id == other.clerk_id;
}

// The oracle's own view of which payments' money has gone from the station to the biller.
bool IsCaptured(const Payment& payment) {
  if (payment.state == PaymentState::kAdjusted) return payment.resolution->verdict == Verdict::kChargeStation;
  PaymentState state = payment.state;
  for (const StateChange& change : payment.history) {
    if (payment.state == PaymentState::kReview && change.state != PaymentState::kReview) state = change.state;
  }
  return state == PaymentState::kSucceeded || state == PaymentState::kCancelling;
}

bool IsWrittenOff(const Payment& payment) {
  return payment.state == PaymentState::kAdjusted && payment.resolution->verdict == Verdict::kWriteOff;
}

RecordOutcome OutcomeOf(PaymentId id, PaymentEvent event) {
  RecordOutcome c{.payment_id = id,
                  .event = event,
                  .decline = {},
                  .biller_reference = fmt::format("B{}", id.number()),
                  .voucher = {},
                  .customer_name = {},
                  .unknown_cause = {}};
  if (event == PaymentEvent::kOutcomeUnknown) c.unknown_cause = "no answer in time";
  if (event == PaymentEvent::kDeclinedByBiller) c.decline = Decline{DeclineReason::kBillerDeclined, "E1", "no"};
  return c;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << fmt::format("{{{}: station {}, biller {}, request {}, which {}, {} fen}}",
                            kDeedNames[static_cast<size_t>(step.deed)], step.station, step.biller, step.request,
                            step.which, step.fen);
}

StepTaker::StepTaker() {
  for (std::string_view biller : kBillers) Do(RegisterBiller{std::string(biller)});
  for (uint32_t i = 0; i < kStations; ++i) {
    const StationId station = StationOf({.station = i});
    Do(RegisterStation{station, fmt::format("shop {}", i), {StationId::FromNumber(i)}});
    Do(SetStationStatus{station, StationStatus::kApproved, ""});
    Do(SetStationStatus{station, StationStatus::kActive, ""});
  }
}

std::vector<std::string> StepTaker::Take(const Step& step) {
  faults_.clear();
  const BusinessDate today = world_.ledger().business_day().date;
  switch (step.deed) {
    case Deed::kPay: Pay(step); break;
    case Deed::kOutcome: Outcome(step); break;
    case Deed::kAnyEvent: AnyEvent(step); break;
    case Deed::kCancel: Cancel(step); break;
    case Deed::kResolve: Resolve(step); break;
    case Deed::kPurchase: Purchase(step); break;
    case Deed::kGrantCredit: Do(GrantCredit{StationOf(step), Money::Fen(step.fen), "asked for"}); break;
    case Deed::kStationStatus: SetStatus(step); break;
    case Deed::kBillerStatus: Do(SetBillerStatus{BillerOf(step), step.which % 5 != 0, ""}); break;
    case Deed::kCloseDay: Do(CloseDay{today, today.NextDay()}); break;
    case Deed::kForget: world_.ForgetAtRest(); break;
    case Deed::kSnapshot: faults_ = world_.TakeSnapshot(); break;
  }
  for (std::string& fault : FaultsOfBooks(world_.ledger())) faults_.push_back(std::move(fault));
  CheckBalances();
  return std::exchange(faults_, {});
}

LedgerWorld::Answer StepTaker::Do(const Command& command) {
  LedgerWorld::Answer answer = world_.Do(command);
  if (answer.reply.status.code() == absl::StatusCode::kInternal) {
    faults_.push_back("Apply refuses what Decide decided: " + std::string(answer.reply.status.message()));
  }
  if (answer.leg.has_value()) CheckLeg(*answer.leg);
  if (const auto* payment = std::get_if<Payment>(&answer.reply.value)) payments_[payment->id] = *payment;
  return answer;
}

void StepTaker::CheckLeg(const Leg& leg) {
  const AccountAfter* after = AfterOf(leg);
  if (after == nullptr) return;
  const StationId id = std::visit(
      [](const auto& fact) {
        if constexpr (requires { fact.station; }) return fact.station;
        return StationId();
      },
      leg.fact);
  const Account& station = *world_.ledger().FindStation(id);
  if (*after != AccountAfter{station.balance, station.reserved, station.forwarded}) {
    faults_.push_back(fmt::format("leg {} says other figures than its account has", leg.sequence));
  }
}

void StepTaker::CheckBalances() {
  std::map<StationId, Money> balances = put_in_;
  std::map<std::string, Money> owed;
  Money all_put_in;
  for (const auto& [station, amount] : put_in_) all_put_in += amount;
  Money written_off;
  for (const auto& [id, payment] : payments_) {
    if (IsWrittenOff(payment)) {
      owed[payment.biller_id] += payment.amount;
      written_off += payment.amount;
    }
    if (!IsCaptured(payment)) continue;
    balances[payment.station] -= payment.amount;
    owed[payment.biller_id] += payment.amount;
  }
  world_.ledger().ForEachAccount([&](const Account& account) {
    Money expected;
    if (account.kind == AccountKind::kStation) expected = balances[account.station];
    if (account.kind == AccountKind::kBillerPayable) expected = owed[account.biller_id];
    if (account.kind == AccountKind::kCounterClearing) expected = -all_put_in;
    if (account.kind == AccountKind::kSuspense) expected = -written_off;
    if (account.balance != expected) {
      faults_.push_back(fmt::format("{}: balance {}, but its payments and purchases come to {}", AccountKey(account),
                                    FormatYuan(account.balance), FormatYuan(expected)));
    }
  });
}

void StepTaker::CheckRequest(const std::string& key, const Command& command, const LedgerWorld::Answer& answer) {
  const Reply& reply = answer.reply;
  const auto first = requests_.find(key);
  const auto fault = [&](std::string_view what) { faults_.push_back(fmt::format("request {}: {}", key, what)); };
  if (first == requests_.end()) {
    if (reply.repeated || !answer.leg.has_value()) return fault("is new, and not recorded");
    requests_[key] = {command, answer.leg->sequence};
    return;
  }
  if (answer.leg.has_value()) return fault("is recorded a second time");
  if (!SameRequest(first->second.command, command)) {
    if (reply.status.code() != absl::StatusCode::kAlreadyExists) fault("has other content, and is not refused");
    return;
  }
  if (!reply.status.ok() || !reply.repeated) return fault("is repeated, and not answered as such");
  const auto* payment = std::get_if<Payment>(&reply.value);
  const uint64_t sequence = payment != nullptr ? payment->id.number() : std::get<core::Purchase>(reply.value).sequence;
  if (sequence != first->second.sequence) fault("is answered with another's record");
}

void StepTaker::Pay(const Step& step) {
  AcceptPayment c{.station = StationOf(step),
                  .operator_id = fmt::format("{:010}", step.which % 2),
                  .request_id = fmt::format("Q{}", step.request),
                  .biller_id = BillerOf(step),
                  .customer_number = "13800000001",
                  .customer_name = {},
                  .amount = Money::Fen(step.fen + 1),
                  .presented = {}};
  const std::string key = RequestKey(c.station, c.request_id);
  const auto first = requests_.find(key);
  if (step.which % 3 != 0 && first != requests_.end()) {
    if (const auto* same = std::get_if<AcceptPayment>(&first->second.command)) c = *same;
  }
  if (step.which % 13 == 0) c.presented = Decline{DeclineReason::kAmountTooSmall, "", "too small"};
  CheckRequest(key, c, Do(c));
}

void StepTaker::Purchase(const Step& step) {
  const RecordCounterPurchase c{StationOf(step), fmt::format("{}{}", step.which % 5 == 0 ? "Q" : "R", step.request),
                                Money::Fen(kLeastCounterPurchase.fen() + step.which % 4), "C1"};
  const std::string key = RequestKey(c.station, c.request_id);
  const LedgerWorld::Answer answer = Do(c);
  if (answer.leg.has_value()) put_in_[c.station] += c.amount;
  // A station whose status forbids it is refused, and the id is not used up.
  if (answer.reply.status.code() == absl::StatusCode::kFailedPrecondition && !requests_.contains(key)) return;
  CheckRequest(key, c, answer);
}

std::vector<PaymentId> StepTaker::OpenPayments() const {
  std::vector<PaymentId> open;
  world_.ledger().ForEachOpen([&](const Payment& payment) { open.push_back(payment.id); });
  return open;
}

void StepTaker::Outcome(const Step& step) {
  const std::vector<PaymentId> open = OpenPayments();
  if (open.empty()) return;
  const PaymentId id = open[step.which % open.size()];
  std::vector<PaymentEvent> possible;
  for (PaymentEvent event : kAllPaymentEvents) {
    if (event != PaymentEvent::kAdjusted && NextState(payments_.at(id).state, event).has_value()) {
      possible.push_back(event);
    }
  }
  if (possible.empty()) return;
  const PaymentEvent event = possible[step.request % possible.size()];
  const Reply reply = Do(OutcomeOf(id, event)).reply;
  if (!reply.status.ok()) faults_.push_back("an outcome that can happen is refused: " + reply.status.ToString());
}

void StepTaker::AnyEvent(const Step& step) {
  if (payments_.empty()) return;
  const Payment before = std::next(payments_.begin(), step.which % payments_.size())->second;
  const PaymentEvent event = kAllPaymentEvents[step.request % kAllPaymentEvents.size()];
  if (event == PaymentEvent::kLateApproval) return LateApproval(before);
  const bool asked_for = event == PaymentEvent::kCancelStarted || event == PaymentEvent::kAdjusted;
  const bool possible = !asked_for && NextState(before.state, event).has_value();
  const LedgerWorld::Answer answer = Do(OutcomeOf(before.id, event));
  if (answer.reply.status.ok() != possible || answer.leg.has_value() != possible) {
    faults_.push_back(fmt::format("payment {} in {}: \"{}\" is {}", before.id.ToString(), Name(before.state),
                                  Name(event), possible ? "refused" : "taken"));
  }
}

void StepTaker::LateApproval(const Payment& before) {
  const LedgerWorld::Answer answer = Do(OutcomeOf(before.id, PaymentEvent::kLateApproval));
  const bool never_sent = before.state == PaymentState::kDeclined && before.history.size() == 1;
  if (answer.reply.status.ok() == (before.state == PaymentState::kHeld || never_sent)) {
    return faults_.push_back("a late approval is refused, or taken where it can't be");
  }
  const Payment& after = answer.reply.status.ok() ? std::get<Payment>(answer.reply.value) : before;
  const bool free = before.state == PaymentState::kReversed || before.state == PaymentState::kDeclined;
  if (answer.reply.status.ok() && free && after.state != PaymentState::kReview) {
    faults_.push_back("a late success is shown to nobody");
  }
  if (answer.leg.has_value() && after.biller_reference.empty()) faults_.push_back("a late approval is not kept");
}

void StepTaker::Resolve(const Step& step) {
  std::vector<Payment> candidates;
  for (const auto& [id, payment] : payments_) {
    if (step.request % 8 == 0 || payment.state == PaymentState::kReview) candidates.push_back(payment);
  }
  if (candidates.empty()) return;
  const Payment before = candidates[step.which % candidates.size()];
  const Verdict verdict = *VerdictFromNumber(1 + step.request % kLastVerdict);
  const bool in_review = before.state == PaymentState::kReview;
  const LedgerWorld::Answer proposed = Do(ProposeResolution{before.id, verdict, "asked the biller", "C1"});
  if (proposed.reply.status.ok() != in_review) faults_.push_back("a proposal is refused, or taken outside REVIEW");
  const bool one_person = step.which % 3 == 0;
  const uint64_t proposal =
      in_review && proposed.reply.status.ok() ? std::get<Payment>(proposed.reply.value).resolution->sequence : 0;
  const bool replaced = step.which % 5 == 0;
  const LedgerWorld::Answer confirmed =
      Do(ConfirmResolution{before.id, proposal + (replaced ? 1 : 0), verdict, one_person ? "C1" : "C2"});
  if (confirmed.leg.has_value() && (one_person || !in_review || replaced)) {
    faults_.push_back("one person alone, or outside REVIEW, or of another proposal, has posted an adjustment");
  }
  if (in_review && !one_person && !replaced && !confirmed.leg.has_value() && verdict != Verdict::kChargeStation) {
    faults_.push_back("two people agree, and nothing is posted");
  }
}

void StepTaker::Cancel(const Step& step) {
  std::vector<Payment> candidates;
  for (const auto& [id, payment] : payments_) {
    if (step.request % 4 == 0 || payment.state == PaymentState::kSucceeded) candidates.push_back(payment);
  }
  if (candidates.empty()) return;
  const Payment& before = candidates[step.which % candidates.size()];
  const LedgerWorld::Answer answer = Do(StartCancel{before.station, "0000000001", before.id, {}});
  const Payment* after = std::get_if<Payment>(&answer.reply.value);
  const bool started = answer.leg.has_value();
  const bool repeated = before.state == PaymentState::kCancelling || before.state == PaymentState::kCancelled;
  if (!answer.reply.status.ok() || after == nullptr || answer.reply.repeated != repeated ||
      answer.reply.decline.has_value() != (!started && !repeated)) {
    return faults_.push_back("a cancel has no clear answer");
  }
  if (started ? after->state != PaymentState::kCancelling : *after != before) {
    faults_.push_back("a cancel that was not started changed the payment, or one that was did not");
  }
  if (started && before.business_date != world_.ledger().business_day().date) {
    faults_.push_back("a payment of an earlier date is cancelled");
  }
}

void StepTaker::SetStatus(const Step& step) {
  StationStatus status = StationStatus::kActive;
  if (step.which % 4 == 0) status = StationStatus::kSuspended;
  if (step.which % 64 == 0) status = StationStatus::kClosed;
  Do(SetStationStatus{StationOf(step), status, "now and then"});
}

}  // namespace waystation::core
