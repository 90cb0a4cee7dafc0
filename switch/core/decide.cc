// What each command leads to. Nothing here changes the ledger; ledger.cc applies.

#include <algorithm>
#include <iterator>
#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/ledger.h"
#include "switch/core/limits.h"
#include "switch/core/money_move.h"
#include "switch/core/utf8.h"

namespace waystation::core {
namespace {

Decision Refuse(absl::Status status) {
  Decision decision;
  decision.reply.status = std::move(status);
  return decision;
}

template <typename T>
Decision Answer(T value, uint64_t sequence, uint64_t rests_on) {
  Decision decision;
  decision.reply.value = std::move(value);
  decision.reply.sequence = sequence;
  decision.reply.rests_on = rests_on;
  return decision;
}

template <typename T>
Decision Answer(T value, uint64_t sequence) {
  return Answer(std::move(value), sequence, sequence);
}

Decision NoSuchStation(StationId station) {
  return Refuse(absl::NotFoundError(fmt::format(
      "station_id: {} is not registered; expected a registered station's institution code", station.ToString())));
}

Decision NoSuchBiller(std::string_view biller_id) {
  return Refuse(absl::NotFoundError(
      fmt::format("biller_id: \"{}\" is not a biller of this switch; ListBillers names those it has", biller_id)));
}

Decision OtherContent(std::string_view request_id, std::string_view what) {
  return Refuse(absl::AlreadyExistsError(
      fmt::format("request_id: \"{}\" was used by this station for {}; expected a new id, or the very same content",
                  request_id, what)));
}

bool SameContent(const AcceptPayment& c, const Payment& first) {
  return c.operator_id == first.operator_id && c.biller_id == first.biller_id &&
         c.customer_number == first.customer_number && c.amount == first.amount;
}

Decline Because(DeclineReason reason, std::string text) {
  return {reason, "", std::move(text)};
}

AccountAfter FiguresOf(const Account& account) {
  return {account.balance, account.reserved, account.forwarded};
}

// What a station must be to send anything to a biller, and the biller to take it.
std::optional<Decline> StatusDecline(const Account& station, const Account& payable) {
  if (station.status != StationStatus::kActive) {
    return Because(DeclineReason::kStationNotActive,
                   fmt::format("the station is {}; expected ACTIVE", Name(station.status)));
  }
  if (!payable.biller_enabled) {
    return Because(DeclineReason::kBillerDisabled,
                   fmt::format("biller {} is disabled by operations{}{}", payable.biller_id,
                               payable.status_reason.empty() ? "" : ": ", payable.status_reason));
  }
  return std::nullopt;
}

}  // namespace

Decision Ledger::Decide(const Command& command, const Prior& prior) const {
  return std::visit([&](const auto& c) { return On(c, prior); }, command);
}

template <typename OneFact>
Decision Ledger::Record(OneFact fact) const {
  Decision decision;
  Leg& leg = decision.leg.emplace();
  leg.sequence = last_sequence_ + 1;
  leg.fact.emplace<OneFact>(std::move(fact));
  return decision;
}

Decision Ledger::On(const RegisterStation& c, const Prior&) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return Record(StationRegistered{c.station, c.name, c.signing_institutions});
  if (station->name != c.name || station->signing_institutions != c.signing_institutions) {
    return Refuse(absl::AlreadyExistsError(fmt::format(
        "station_id: {} is registered as \"{}\" with {} signing institutions; expected the same registration, "
        "or another station_id",
        c.station.ToString(), station->name, station->signing_institutions.size())));
  }
  Decision decision = Answer(*station, last_sequence_);
  decision.reply.repeated = true;
  return decision;
}

Decision Ledger::On(const SetStationStatus& c, const Prior&) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  const bool same = station->status == c.status;
  // Another reason for the same status is news; none is a repeat.
  if (same && (c.reason.empty() || c.reason == station->status_reason)) return Answer(*station, last_sequence_);
  if (!same && !CanFollow(station->status, c.status)) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("status: a station that is {} can't become {}; the steps are APPLIED, APPROVED, ACTIVE, then "
                    "SUSPENDED and back, and CLOSED for ever",
                    Name(station->status), Name(c.status))));
  }
  if (!same && c.status == StationStatus::kClosed && station->reserved + station->forwarded != Money()) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("status: station {} has {} yuan in open payments; close it once they are settled",
                    c.station.ToString(), FormatYuan(station->reserved + station->forwarded))));
  }
  return Record(StationStatusSet{c.station, c.status, c.reason});
}

Decision Ledger::On(const GrantCredit& c, const Prior&) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  if (station->credit_limit == c.credit_limit) return Answer(*station, last_sequence_);
  if (station->status == StationStatus::kClosed) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("station_id: station {} is CLOSED; expected one that is not", c.station.ToString())));
  }
  const Money available = station->available() - station->credit_limit + c.credit_limit;
  if (available < Money()) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("credit_limit_fen: {} would leave {} fen available; expected at least {}", c.credit_limit.fen(),
                    available.fen(), (c.credit_limit - available).fen())));
  }
  return Record(CreditGranted{c.station, c.credit_limit, c.reason, FiguresOf(*station)});
}

Decision Ledger::On(const RecordCounterPurchase& c, const Prior& prior) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);

  const Purchase* first = std::get_if<Purchase>(&prior);
  bool is_payment = std::holds_alternative<Payment>(prior);
  if (auto it = requests_.find(RequestName{c.station, c.request_id}); it != requests_.end()) {
    first = std::get_if<Purchase>(&it->second);
    is_payment = first == nullptr;
  }
  if (is_payment) return OtherContent(c.request_id, "a payment");
  if (first != nullptr) {
    if (first->amount != c.amount || first->clerk_id != c.clerk_id) {
      return OtherContent(c.request_id, "another counter purchase");
    }
    Decision decision = Answer(*first, first->sequence);
    decision.reply.repeated = true;
    return decision;
  }

  if (!c.refuse_new.ok()) return Refuse(c.refuse_new);
  if (station->status == StationStatus::kApplied || station->status == StationStatus::kClosed) {
    return Refuse(absl::FailedPreconditionError(fmt::format(
        "station_id: {} is {}; expected APPROVED, ACTIVE or SUSPENDED", c.station.ToString(), Name(station->status))));
  }
  AccountAfter after = FiguresOf(*station);
  after.balance += c.amount;
  if (after.balance > kMaxBalance) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("amount_fen: {} would lift the balance to {}; expected a balance of at most {}", c.amount.fen(),
                    after.balance.fen(), kMaxBalance.fen())));
  }
  return Record(CounterPurchased{c.station, c.request_id, c.amount, c.clerk_id, after});
}

Decision Ledger::On(const RegisterBiller& c, const Prior&) const {
  if (Payable(c.biller_id) != nullptr) return Answer(std::monostate(), last_sequence_);
  return Record(BillerRegistered{c.biller_id});
}

Decision Ledger::On(const SetBillerStatus& c, const Prior&) const {
  const Account* payable = Payable(c.biller_id);
  if (payable == nullptr) return NoSuchBiller(c.biller_id);
  if (payable->biller_enabled == c.enabled && payable->status_reason == c.reason) {
    return Answer(std::monostate(), last_sequence_);
  }
  return Record(BillerStatusSet{c.biller_id, c.enabled, c.reason});
}

Decision Ledger::On(const ResumeJournal& c, const Prior&) const {
  if (c.sequence <= last_sequence_) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("the journal can't go on at leg {}, which this machine's clock gives: it is at {} already. See "
                    "that the clock is right; where it is, the journal was resumed before under one that was ahead, "
                    "and can be resumed once the clock has passed that",
                    c.sequence, last_sequence_)));
  }
  Decision decision;
  decision.leg = Leg{c.sequence, JournalResumed{c.confirmed_by, c.reason}};
  return decision;
}

Decision Ledger::On(const CloseDay& c, const Prior&) const {
  if (c.closing != day_.date) {
    return Refuse(absl::FailedPreconditionError(fmt::format(
        "closing_date: {} is not the current business date; expected {}", c.closing.ToString(), day_.date.ToString())));
  }
  if (c.opening <= c.closing || !BusinessDate::FromNumber(c.opening.number()).ok() ||
      c.opening.days() - c.closing.days() > std::chrono::days(kMaxDayCutDays)) {
    return Refuse(absl::InvalidArgumentError(
        fmt::format("opening_date: {} does not follow {}; expected a date 1 to {} days later", c.opening.ToString(),
                    c.closing.ToString(), kMaxDayCutDays)));
  }
  return Record(DayCut{c.closing, c.opening});
}

std::optional<Decline> Ledger::AdmissionDecline(const AcceptPayment& c, const Account& station,
                                                const Account& payable) const {
  if (std::optional<Decline> decline = StatusDecline(station, payable)) return decline;
  if (c.presented.has_value()) return c.presented;
  if (station.available() < c.amount) {
    return Because(DeclineReason::kInsufficientAvailableBalance,
                   fmt::format("{} yuan is available; expected at least {}", FormatYuan(station.available()),
                               FormatYuan(c.amount)));
  }
  return std::nullopt;
}

Decision Ledger::On(const AcceptPayment& c, const Prior& prior) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  const Account* payable = Payable(c.biller_id);
  if (payable == nullptr) return NoSuchBiller(c.biller_id);

  const Payment* first = std::get_if<Payment>(&prior);
  bool is_purchase = std::holds_alternative<Purchase>(prior);
  if (auto it = requests_.find(RequestName{c.station, c.request_id}); it != requests_.end()) {
    const PaymentId* id = std::get_if<PaymentId>(&it->second);
    is_purchase = id == nullptr;
    first = is_purchase ? nullptr : FindPayment(*id);
  }
  if (is_purchase) return OtherContent(c.request_id, "a counter purchase");
  if (first != nullptr) {
    if (!SameContent(c, *first)) {
      return OtherContent(c.request_id, fmt::format("payment {} with other content", first->id.ToString()));
    }
    Decision decision = Answer(*first, first->last_sequence());
    decision.reply.repeated = true;
    return decision;
  }

  if (!c.refuse_new.ok()) return Refuse(c.refuse_new);
  PaymentAccepted fact{.station = c.station,
                       .operator_id = c.operator_id,
                       .request_id = c.request_id,
                       .biller_id = c.biller_id,
                       .customer_number = c.customer_number,
                       .customer_name = c.customer_name,
                       .amount = c.amount,
                       .decline = AdmissionDecline(c, *station, *payable),
                       .after = FiguresOf(*station)};
  if (!fact.decline.has_value()) {
    fact.after = Moved(fact.after, c.amount, MoneyColumn::kNone, MoneyColumn::kReserved);
  }
  return Record(std::move(fact));
}

namespace {

// An approval that came late and tells nothing new: the payment is paid, taken back on purpose, decided by people, or
// the approval is known.
bool IsOldNews(const Payment& payment) {
  switch (payment.state) {
    case PaymentState::kSucceeded:
    case PaymentState::kCancelling:
    case PaymentState::kCancelled:
    case PaymentState::kAdjusted: return true;
    case PaymentState::kReversing:
    case PaymentState::kReview: {
      const PaymentState before = payment.history[payment.history.size() - 2].state;
      return before == payment.state || before == PaymentState::kReversed || before == PaymentState::kDeclined;
    }
    case PaymentState::kHeld:
    case PaymentState::kUnknown:
    case PaymentState::kDeclined:
    case PaymentState::kReversed: return false;
  }
  return false;
}

// What a person finds in the record once an approval came late.
std::string LateEvidence(const Payment& payment, const RecordOutcome& c) {
  if (payment.state == PaymentState::kUnknown) return "";
  if (payment.state == PaymentState::kReversing) return payment.unknown_cause;
  std::string_view before = payment.state == PaymentState::kReview ? payment.unknown_cause : std::string_view();
  return CutToUtf8(
      fmt::format("late success: the biller approved it (reference \"{}\") when it was {}{}{}", c.biller_reference,
                  Name(payment.state), before.empty() ? "" : "; before that: ", before),
      kMaxReasonBytes);
}

}  // namespace

Decision Ledger::On(const RecordOutcome& c, const Prior& prior) const {
  const bool late = c.event == PaymentEvent::kLateApproval;
  const Payment* payment = FindPayment(c.payment_id);
  if (payment == nullptr && late) payment = std::get_if<Payment>(&prior);
  if (payment == nullptr) {
    return Refuse(absl::NotFoundError(fmt::format("payment_id: {} is not open", c.payment_id.ToString())));
  }
  if (!c.biller_id.empty() && c.biller_id != payment->biller_id) {
    return Refuse(absl::FailedPreconditionError(fmt::format("payment_id: {} is a payment of biller {}, not of {}",
                                                            payment->id.ToString(), payment->biller_id, c.biller_id)));
  }
  if (late && IsOldNews(*payment)) return Answer(*payment, payment->last_sequence());
  std::optional<PaymentState> next = NextState(payment->state, c.event);
  // A cancel is started by StartCancel, which checks who asks; an adjustment takes two people. A payment that was
  // declined at once was never sent, so nothing of it can come late.
  if (c.event == PaymentEvent::kCancelStarted || c.event == PaymentEvent::kAdjusted) next.reset();
  if (late && payment->state == PaymentState::kDeclined && payment->history.size() == 1) next.reset();
  if (c.from.has_value() && *c.from != payment->state) next.reset();
  if (!next.has_value()) {
    Decision decision = Answer(*payment, payment->last_sequence());
    decision.reply.status = absl::FailedPreconditionError(fmt::format(
        "payment {} is {}: \"{}\" can't happen to it", payment->id.ToString(), Name(payment->state), Name(c.event)));
    return decision;
  }
  const Account* station = FindStation(payment->station);
  WS_CHECK(station != nullptr, "a payment has a station");
  return Record(PaymentMoved{
      .payment_id = payment->id,
      .station = payment->station,
      .event = c.event,
      .state = *next,
      .decline = c.decline,
      .biller_reference = c.biller_reference,
      .voucher = c.voucher,
      .customer_name = c.customer_name,
      .unknown_cause = late ? LateEvidence(*payment, c) : c.unknown_cause,
      .operator_id = {},
      .after = Moved(FiguresOf(*station), payment->amount, payment->column(), ColumnAfter(*payment, *next, {})),
      .reopened = IsAtRest(payment->state) ? std::optional<Payment>(*payment) : std::nullopt,
      .resolution = std::nullopt});
}

std::optional<Decline> Ledger::CancelDecline(const StartCancel& c, const Payment& payment, const Account& station,
                                             const Account& payable) const {
  if (std::optional<Decline> decline = StatusDecline(station, payable)) return decline;
  if (payment.state != PaymentState::kSucceeded) {
    return Because(DeclineReason::kNotCancellable,
                   fmt::format("the payment is {}; expected SUCCEEDED", Name(payment.state)));
  }
  if (payment.history.size() >= kMaxChangesBeforeCancel) {
    return Because(DeclineReason::kNotCancellable, "the biller has refused too often; back office can adjust it");
  }
  if (c.presented.has_value()) return c.presented;
  if (payment.business_date != day_.date) {
    return Because(DeclineReason::kCancelDatePassed,
                   fmt::format("the payment is of {}, and {} is open; back office can adjust it",
                               payment.business_date.ToString(), day_.date.ToString()));
  }
  return std::nullopt;
}

Decision Ledger::On(const StartCancel& c, const Prior& prior) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  const Payment* payment = FindPayment(c.payment_id);
  if (payment == nullptr) payment = std::get_if<Payment>(&prior);
  if (payment == nullptr || payment->station != c.station) {
    return Refuse(absl::NotFoundError(
        fmt::format("payment_id: station {} has no payment {}", c.station.ToString(), c.payment_id.ToString())));
  }
  if (payment->state == PaymentState::kCancelling || payment->state == PaymentState::kCancelled) {
    Decision decision = Answer(*payment, payment->last_sequence());
    decision.reply.repeated = true;
    return decision;
  }

  if (!c.refuse_new.ok()) return Refuse(c.refuse_new);
  const Account* payable = Payable(payment->biller_id);
  WS_CHECK(payable != nullptr, "a payment has a biller");
  std::optional<Decline> decline = CancelDecline(c, *payment, *station, *payable);
  if (decline.has_value()) {
    Decision decision = Answer(*payment, payment->last_sequence());
    decision.reply.decline = std::move(decline);
    return decision;
  }
  return Record(PaymentMoved{.payment_id = payment->id,
                             .station = payment->station,
                             .event = PaymentEvent::kCancelStarted,
                             .state = PaymentState::kCancelling,
                             .decline = std::nullopt,
                             .biller_reference = {},
                             .voucher = {},
                             .customer_name = {},
                             .unknown_cause = {},
                             .operator_id = c.operator_id,
                             .after = FiguresOf(*station),
                             .reopened = *payment,
                             .resolution = std::nullopt});
}

namespace {

Decision NoSuchReview(PaymentId id, const Payment* payment) {
  if (payment == nullptr) return Refuse(absl::NotFoundError(fmt::format("payment_id: {} is not known", id.ToString())));
  return Refuse(absl::FailedPreconditionError(
      fmt::format("payment_id: {} is {}; expected a payment in REVIEW", id.ToString(), Name(payment->state))));
}

}  // namespace

Decision Ledger::On(const ProposeResolution& c, const Prior& prior) const {
  const Payment* payment = FindPayment(c.payment_id);
  if (payment == nullptr) payment = std::get_if<Payment>(&prior);
  if (payment == nullptr || payment->state != PaymentState::kReview) return NoSuchReview(c.payment_id, payment);
  Resolution resolution{c.verdict, c.reason, c.clerk_id, ""};
  if (payment->resolution.has_value()) resolution.sequence = payment->resolution->sequence;
  // One of a journal that did not number them is proposed anew.
  if (resolution.sequence != 0 && payment->resolution == resolution) {
    Decision decision = Answer(*payment, payment->last_sequence());
    decision.reply.repeated = true;
    return decision;
  }
  resolution.sequence = last_sequence_ + 1;  // of the leg that this becomes
  return Record(ResolutionProposed{payment->id, payment->station, std::move(resolution)});
}

Decision Ledger::On(const ConfirmResolution& c, const Prior& prior) const {
  const Payment* payment = FindPayment(c.payment_id);
  if (payment == nullptr) payment = std::get_if<Payment>(&prior);
  if (payment != nullptr && payment->state == PaymentState::kAdjusted && payment->resolution.has_value() &&
      payment->resolution->confirmed_by == c.clerk_id && payment->resolution->sequence == c.proposal &&
      payment->resolution->verdict == c.verdict) {
    Decision decision = Answer(*payment, payment->last_sequence());
    decision.reply.repeated = true;
    return decision;
  }
  if (payment == nullptr || payment->state != PaymentState::kReview) return NoSuchReview(c.payment_id, payment);
  if (!payment->resolution.has_value()) {
    return Refuse(absl::FailedPreconditionError(fmt::format(
        "payment_id: nothing is proposed for {}; one person proposes, another confirms", c.payment_id.ToString())));
  }
  Resolution resolution = *payment->resolution;
  if (resolution.proposed_by == c.clerk_id) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("clerk_id: {} has proposed this resolution; expected another person to confirm it", c.clerk_id)));
  }
  if (resolution.sequence != c.proposal) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("proposal: {} is not what is proposed for {} by now; {} proposes {} in proposal {}: {}", c.proposal,
                    c.payment_id.ToString(), resolution.proposed_by, Name(resolution.verdict), resolution.sequence,
                    resolution.reason)));
  }
  if (resolution.verdict != c.verdict) {
    return Refuse(absl::FailedPreconditionError(fmt::format("verdict: {} is not what proposal {} says; expected {}",
                                                            Name(c.verdict), c.proposal, Name(resolution.verdict))));
  }
  resolution.confirmed_by = c.clerk_id;
  const Account* station = FindStation(payment->station);
  WS_CHECK(station != nullptr, "a payment has a station");
  const AccountAfter after = Moved(FiguresOf(*station), payment->amount, payment->column(),
                                   ColumnAfter(*payment, PaymentState::kAdjusted, resolution));
  const Money available = after.balance + station->credit_limit - after.reserved - after.forwarded;
  if (available < Money()) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("payment_id: charging {} would leave station {} with {} yuan available; expected at least 0: let "
                    "the station pay in, or propose WRITE_OFF",
                    c.payment_id.ToString(), payment->station.ToString(), FormatYuan(available))));
  }
  return Record(PaymentMoved{.payment_id = payment->id,
                             .station = payment->station,
                             .event = PaymentEvent::kAdjusted,
                             .state = PaymentState::kAdjusted,
                             .decline = payment->decline,
                             .biller_reference = {},
                             .voucher = {},
                             .customer_name = {},
                             .unknown_cause = payment->unknown_cause,
                             .operator_id = {},
                             .after = after,
                             .reopened = std::nullopt,
                             .resolution = std::move(resolution)});
}

Decision Ledger::On(const AdmitInquiry& c, const Prior&) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  const Account* payable = Payable(c.biller_id);
  if (payable == nullptr) {
    Decision refused = NoSuchBiller(c.biller_id);
    refused.reply.rests_on = station->status_set_by;  // without its registration another refusal
    return refused;
  }
  Decision decision =
      Answer(std::monostate(), last_sequence_, std::max(station->status_set_by, payable->status_set_by));
  decision.reply.decline = StatusDecline(*station, *payable);
  return decision;
}

Decision Ledger::On(const ReadAccount& c, const Prior&) const {
  const Account* station = FindStation(c.station);
  if (station == nullptr) return NoSuchStation(c.station);
  return Answer(*station, last_sequence_, station->changed_by);
}

Decision Ledger::AnswerWith(const Held& held) {
  return Answer(held.payment, std::max(held.payment.last_sequence(), held.changed_by), held.changed_by);
}

Decision Ledger::On(const ReadPayment& c, const Prior&) const {
  auto it = payments_.find(c.payment_id);
  if (it == payments_.end()) {
    return Refuse(absl::NotFoundError(fmt::format("payment_id: {} is not in memory", c.payment_id.ToString())));
  }
  return AnswerWith(it->second);
}

Decision Ledger::On(const ReadPaymentByRequest& c, const Prior&) const {
  auto it = requests_.find(RequestName{c.station, c.request_id});
  const PaymentId* id = it == requests_.end() ? nullptr : std::get_if<PaymentId>(&it->second);
  if (id == nullptr) {
    return Refuse(absl::NotFoundError(fmt::format("request_id: \"{}\" is not in memory", c.request_id)));
  }
  return AnswerWith(payments_.at(*id));
}

Decision Ledger::On(const ReadOpenPayments& c, const Prior&) const {
  // Of all that was decided so far: who watches a station from here on counts on it.
  if (FindStation(c.station) == nullptr) return NoSuchStation(c.station);
  std::vector<Payment> payments;
  for (auto it = payments_by_station_.lower_bound({c.station, PaymentId()});
       it != payments_by_station_.end() && it->first == c.station; ++it) {
    payments.push_back(payments_.at(it->second).payment);
  }
  return Answer(std::move(payments), last_sequence_);
}

Decision Ledger::On(const ReadUnsettled& c, const Prior&) const {
  UnsettledPage page;
  size_t rows = 0;
  for (auto it = payments_by_station_.upper_bound({c.after.station, c.after.id}); it != payments_by_station_.end();
       ++it) {
    const Payment& payment = payments_.at(it->second).payment;
    const bool wanted = std::find(c.states.begin(), c.states.end(), payment.state) != c.states.end() &&
                        !IsAtRest(payment.state) && (c.biller_id.empty() || c.biller_id == payment.biller_id);
    if (wanted) page.payments.push_back(payment);
    if (page.payments.size() == c.limit || ++rows == kMaxRowsPerPage) {
      if (std::next(it) != payments_by_station_.end()) page.next = OpenPlace{it->first, it->second};
      break;
    }
  }
  return Answer(std::move(page), last_sequence_);
}

Decision Ledger::On(const ReadStations& c, const Prior&) const {
  std::vector<Account> page;
  for (auto it = stations_in_order_.upper_bound(c.after); it != stations_in_order_.end() && page.size() < c.limit;
       ++it) {
    page.push_back(*FindStation(*it));
  }
  return Answer(std::move(page), last_sequence_);
}

Decision Ledger::On(const ReadBillers&, const Prior&) const {
  std::vector<BillerState> billers;
  for (const auto& [id, index] : payables_) {
    billers.push_back({id, accounts_[index].biller_enabled, accounts_[index].status_reason});
  }
  return Answer(std::move(billers), last_sequence_);
}

Decision Ledger::On(const ReadBusinessDay&, const Prior&) const {
  return Answer(day_, last_sequence_);
}

}  // namespace waystation::core
