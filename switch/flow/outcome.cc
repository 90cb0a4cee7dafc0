#include "switch/flow/outcome.h"

#include <utility>

#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::flow {

core::RecordOutcome Outcome(core::PaymentId id, core::PaymentEvent event, std::string_view unknown_cause) {
  core::RecordOutcome outcome;
  outcome.payment_id = id;
  outcome.event = event;
  outcome.unknown_cause = core::CutToUtf8(unknown_cause, core::kMaxReasonBytes);
  return outcome;
}

core::RecordOutcome ApprovedOutcome(core::PaymentId id, adapters::Approved approved) {
  core::RecordOutcome outcome = Outcome(id, core::PaymentEvent::kApproved, "");
  outcome.biller_reference = core::CutToUtf8(approved.biller_reference, core::kMaxBillerReferenceBytes);
  outcome.voucher = core::CutToUtf8(approved.voucher, core::kMaxVoucherBytes);
  outcome.customer_name = core::CutToUtf8(approved.customer_name, core::kMaxNameBytes);
  return outcome;
}

core::RecordOutcome DeclinedOutcome(core::PaymentId id, core::PaymentEvent event, core::DeclineReason reason,
                                    std::string_view biller_code, std::string_view text) {
  core::RecordOutcome outcome = Outcome(id, event, "");
  outcome.decline = core::Decline{reason, core::CutToUtf8(biller_code, core::kMaxBillerCodeBytes),
                                  core::CutToUtf8(text, core::kMaxReasonBytes)};
  return outcome;
}

core::RecordOutcome PayOutcomeFor(core::PaymentId id, adapters::PayOutcome answer) {
  if (auto* approved = std::get_if<adapters::Approved>(&answer)) return ApprovedOutcome(id, std::move(*approved));
  if (const auto* declined = std::get_if<adapters::Declined>(&answer)) {
    return DeclinedOutcome(id, core::PaymentEvent::kDeclinedByBiller, core::DeclineReason::kBillerDeclined,
                           declined->biller_code, declined->text);
  }
  if (const auto* not_sent = std::get_if<adapters::NotSent>(&answer)) {
    return DeclinedOutcome(id, core::PaymentEvent::kNotSent, core::DeclineReason::kNotSent, "", not_sent->cause);
  }
  return Outcome(id, core::PaymentEvent::kOutcomeUnknown, std::get<adapters::Unknown>(answer).cause);
}

std::optional<core::RecordOutcome> CancelOutcomeFor(core::PaymentId id, const adapters::CancelOutcome& answer,
                                                    CancelRepeat repeat) {
  if (std::holds_alternative<adapters::TakenBack>(answer)) {
    return Outcome(id, core::PaymentEvent::kCancelConfirmed, "");
  }
  if (const auto* declined = std::get_if<adapters::Declined>(&answer)) {
    return DeclinedOutcome(id, core::PaymentEvent::kCancelRefused, core::DeclineReason::kBillerDeclined,
                           declined->biller_code, declined->text);
  }
  if (const auto* not_sent = std::get_if<adapters::NotSent>(&answer);
      not_sent != nullptr && repeat == CancelRepeat::kNo) {
    return DeclinedOutcome(id, core::PaymentEvent::kCancelRefused, core::DeclineReason::kNotSent, "", not_sent->cause);
  }
  return std::nullopt;
}

}  // namespace waystation::flow
