#include "switch/rpc/convert.h"

#include <algorithm>

#include "fmt/format.h"

namespace waystation::rpc {
namespace {

// The kind of a station's prepaid account, at the front of its number.
constexpr std::string_view kStationAccountKind = "10";

int64_t Millis(core::TimePoint time) {
  return time.time_since_epoch().count();
}

v1::InquiryRule ToProto(adapters::InquiryRule rule) {
  switch (rule) {
    case adapters::InquiryRule::kNone: return v1::INQUIRY_RULE_NONE;
    case adapters::InquiryRule::kOptional: return v1::INQUIRY_RULE_OPTIONAL;
    case adapters::InquiryRule::kRequired: return v1::INQUIRY_RULE_REQUIRED;
  }
  return v1::INQUIRY_RULE_UNSPECIFIED;
}

v1::AmountRule ToProto(adapters::AmountRule rule) {
  switch (rule) {
    case adapters::AmountRule::kFree: return v1::AMOUNT_RULE_FREE;
    case adapters::AmountRule::kAtLeastOwed: return v1::AMOUNT_RULE_AT_LEAST_OWED;
    case adapters::AmountRule::kExact: return v1::AMOUNT_RULE_EXACT;
  }
  return v1::AMOUNT_RULE_UNSPECIFIED;
}

v1::CancelRule ToProto(adapters::CancelRule rule) {
  switch (rule) {
    case adapters::CancelRule::kNone: return v1::CANCEL_RULE_NONE;
    case adapters::CancelRule::kSameDay: return v1::CANCEL_RULE_SAME_DAY;
  }
  return v1::CANCEL_RULE_UNSPECIFIED;
}

// The API's enums have the numbers of the ledger's.
static_assert(static_cast<int>(core::PaymentState::kAdjusted) == v1::PAYMENT_STATE_ADJUSTED);
static_assert(v1::PaymentState_ARRAYSIZE == core::kAllPaymentStates.size() + 1);
static_assert(static_cast<int>(core::DeclineReason::kCancelDatePassed) == v1::DECLINE_REASON_CANCEL_DATE_PASSED);
static_assert(v1::DeclineReason_ARRAYSIZE == core::kLastDeclineReason + 1);
static_assert(static_cast<int>(core::StationStatus::kClosed) == v1::STATION_STATUS_CLOSED);
static_assert(static_cast<int>(flow::Owner::kPerson) == v1::PAYMENT_OWNER_PERSON);
static_assert(static_cast<int>(flow::NextAction::kConfirm) == v1::NEXT_ACTION_CONFIRM);
static_assert(static_cast<int>(core::Verdict::kWriteOff) == v1::VERDICT_WRITE_OFF);
static_assert(v1::Verdict_ARRAYSIZE == core::kLastVerdict + 1);

}  // namespace

void ToProto(const core::Decline& decline, v1::Decline* out) {
  out->set_reason(static_cast<v1::DeclineReason>(decline.reason));
  out->set_biller_code(decline.biller_code);
  out->set_text(decline.text);
}

void ToProto(const core::Payment& payment, const flow::NextStep& next, v1::Payment* out) {
  out->set_payment_id(payment.id.ToString());
  out->set_station_id(payment.station.ToString());
  out->set_operator_id(payment.operator_id);
  out->set_request_id(payment.request_id);
  out->set_biller_id(payment.biller_id);
  out->set_customer_number(payment.customer_number);
  out->set_customer_name(payment.customer_name);
  out->set_amount_fen(payment.amount.fen());
  out->set_state(static_cast<v1::PaymentState>(payment.state));
  if (payment.decline.has_value()) ToProto(*payment.decline, out->mutable_decline());
  out->set_biller_reference(payment.biller_reference);
  out->set_voucher(payment.voucher);
  out->set_business_date(payment.business_date.ToString());
  out->set_accepted_at_ms(Millis(payment.accepted_at()));
  out->set_changed_at_ms(Millis(payment.history.back().time));
  out->set_sequence(payment.last_sequence());
  for (const core::StateChange& change : payment.history) {
    v1::StateChange* entry = out->add_history();
    entry->set_sequence(change.sequence);
    entry->set_state(static_cast<v1::PaymentState>(change.state));
    entry->set_changed_at_ms(Millis(change.time));
    entry->set_business_date(change.business_date.ToString());
  }
  out->set_unknown_cause(payment.unknown_cause);
  out->set_owner(static_cast<v1::PaymentOwner>(next.owner));
  out->set_next_action(static_cast<v1::NextAction>(next.action));
  if (next.at.has_value()) out->set_next_action_at_ms(Millis(*next.at));
  if (next.deadline.has_value()) out->set_deadline_ms(Millis(*next.deadline));
  if (payment.resolution.has_value()) {
    out->mutable_resolution()->set_verdict(static_cast<v1::Verdict>(payment.resolution->verdict));
    out->mutable_resolution()->set_reason(payment.resolution->reason);
    out->mutable_resolution()->set_proposed_by(payment.resolution->proposed_by);
    out->mutable_resolution()->set_confirmed_by(payment.resolution->confirmed_by);
    out->mutable_resolution()->set_proposal(payment.resolution->sequence);
  }
  if (const auto verdict = SuggestedVerdict(payment)) out->set_suggested_verdict(static_cast<v1::Verdict>(*verdict));
}

void ToProto(const core::Account& account, uint64_t as_of_sequence, v1::Account* out) {
  out->set_station_id(account.station.ToString());
  out->set_account_number(fmt::format("{}{}", kStationAccountKind, account.station.ToString()));
  out->set_name(account.name);
  out->set_balance_fen(account.balance.fen());
  out->set_available_fen(account.available().fen());
  out->set_credit_limit_fen(account.credit_limit.fen());
  out->set_reserved_fen(account.reserved.fen());
  out->set_forwarded_fen(account.forwarded.fen());
  if (!account.signing_institutions.empty()) {
    out->set_signing_institution(account.signing_institutions.front().ToString());
  }
  out->set_opened_date(account.opened.ToString());
  out->set_is_signed(!account.signing_institutions.empty());
  out->set_signing_institution_count(static_cast<uint32_t>(account.signing_institutions.size()));
  out->set_status(static_cast<v1::StationStatus>(account.status));
  out->set_status_reason(account.status_reason);
  out->set_as_of_sequence(as_of_sequence);
}

void ToProto(const core::Purchase& purchase, v1::CounterPurchase* out) {
  out->set_sequence(purchase.sequence);
  out->set_station_id(purchase.station.ToString());
  out->set_request_id(purchase.request_id);
  out->set_amount_fen(purchase.amount.fen());
  out->set_clerk_id(purchase.clerk_id);
  out->set_balance_after_fen(purchase.balance_after.fen());
  out->set_business_date(purchase.business_date.ToString());
  out->set_recorded_at_ms(Millis(purchase.time));
}

void ToProto(const core::BusinessDay& day, uint64_t last_sequence, v1::BusinessDay* out) {
  out->set_business_date(day.date.ToString());
  out->set_opened_at_ms(Millis(day.opened_at));
  out->set_opened_sequence(day.opened_sequence);
  out->set_last_sequence(last_sequence);
}

void ToProto(const flow::BillerLane& lane, const core::BillerState& state, v1::Biller* out) {
  const adapters::CapabilityCard& card = lane.card();
  out->set_biller_id(lane.biller_id());
  out->set_name(lane.name());
  out->set_service(card.service);
  out->set_status(state.enabled ? v1::BILLER_STATUS_ENABLED : v1::BILLER_STATUS_DISABLED);
  out->set_status_reason(state.reason);
  out->set_inquiry(ToProto(card.inquiry));
  out->set_amount_rule(ToProto(card.amount_rule));
  out->set_least_fen(card.least.fen());
  out->set_most_fen(card.most.fen());
  out->set_step_fen(card.step.fen());
  out->set_customer_number_pattern(card.customer_number_pattern);
  out->set_customer_number_hint(card.customer_number_hint);
  out->set_cancel(ToProto(card.cancel));
  out->set_can_query(card.can_query);
  out->set_can_reverse(card.can_reverse);
  out->set_issues_voucher(card.issues_voucher);
  out->set_time_limit_ms(static_cast<uint32_t>(card.time_limit.count()));
  out->set_max_in_flight(card.max_in_flight);
  out->set_max_waiting(card.max_waiting);
  out->set_service_hours(card.service_hours.ToString());
  out->set_settling_time_ms(static_cast<uint32_t>(card.settling_time.count()));
}

void ToProto(const flow::LaneStatus& status, v1::BillerLane* out) {
  const flow::LaneHealth::Status& health = status.health;
  out->set_breaker(static_cast<v1::BreakerState>(health.breaker));
  out->set_breaker_since_ms(Millis(health.breaker_since));
  if (health.probe_at.has_value()) out->set_next_probe_at_ms(Millis(*health.probe_at));
  out->set_out_of_service(status.out_of_service.value_or(""));
  out->set_in_flight(status.of_stations);
  out->set_waiting(status.waiting);
  out->set_resolving(status.of_resolver);
  out->set_overdue(status.overdue);
  const auto of = [&health](flow::LaneOutcome outcome) { return health.last_minute[static_cast<size_t>(outcome)]; };
  v1::LaneOutcomes& outcomes = *out->mutable_last_minute();
  outcomes.set_approved(of(flow::LaneOutcome::kApproved));
  outcomes.set_declined(of(flow::LaneOutcome::kDeclined));
  outcomes.set_not_sent(of(flow::LaneOutcome::kNotSent));
  outcomes.set_unknown(of(flow::LaneOutcome::kUnknown));
  outcomes.set_refused(of(flow::LaneOutcome::kRefused));
  if (!health.last_error.has_value()) return;
  out->mutable_last_error()->set_at_ms(Millis(health.last_error->time));
  out->mutable_last_error()->set_operation(health.last_error->operation);
  out->mutable_last_error()->set_cause(health.last_error->cause);
}

std::optional<core::Verdict> SuggestedVerdict(const core::Payment& payment) {
  if (payment.state != core::PaymentState::kReview) return std::nullopt;
  switch (payment.state_before_review()) {
    // Nothing but an approval that came late leads from these to REVIEW.
    case core::PaymentState::kDeclined:
    case core::PaymentState::kReversed: return core::Verdict::kChargeStation;
    // From these the deadline does; the biller's reference is there only when an approval came all the same.
    case core::PaymentState::kUnknown:
    case core::PaymentState::kReversing:
      if (!payment.biller_reference.empty()) return core::Verdict::kChargeStation;
      return std::nullopt;
    // Whether the biller took it back, it alone knows.
    case core::PaymentState::kCancelling:
    case core::PaymentState::kHeld:
    case core::PaymentState::kSucceeded:
    case core::PaymentState::kCancelled:
    case core::PaymentState::kReview:
    case core::PaymentState::kAdjusted: break;
  }
  return std::nullopt;
}

core::Payment AsOf(const core::Payment& payment, size_t index) {
  core::Payment past = payment;
  // Proposed only after REVIEW was reached, and posted with ADJUSTED.
  if (payment.history[index].state != core::PaymentState::kAdjusted) past.resolution.reset();
  if (index + 1 == payment.history.size()) return past;
  past.history.resize(index + 1);
  past.state = past.history.back().state;
  past.decline.reset();
  past.unknown_cause.clear();
  const bool approved = std::any_of(past.history.begin(), past.history.end(), [](const core::StateChange& change) {
    return change.state == core::PaymentState::kSucceeded;
  });
  if (!approved) {
    past.biller_reference.clear();
    past.voucher.clear();
  }
  return past;
}

}  // namespace waystation::rpc
