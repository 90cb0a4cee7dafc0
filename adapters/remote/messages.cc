#include "adapters/remote/messages.h"

#include <string>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::adapters::remote {
namespace {

namespace v1 = adapter::v1;

Unknown NoOutcome() {
  return {"the adapter's answer has no outcome that is known here"};
}

Unknown FromProto(const v1::Unknown& unknown) {
  return {core::CutToUtf8(unknown.cause(), core::kMaxReasonBytes)};
}

NotSent FromProto(const v1::NotSent& not_sent) {
  return {core::CutToUtf8(not_sent.cause(), core::kMaxReasonBytes)};
}

Declined FromProto(const v1::Declined& declined) {
  return {core::CutToUtf8(declined.biller_code(), core::kMaxBillerCodeBytes),
          core::CutToUtf8(declined.text(), core::kMaxReasonBytes)};
}

template <typename Outcome>
Outcome ApprovedOrUnknown(const v1::Approved& approved, const CapabilityCard& card) {
  if (IsReadable(approved, card)) return remote::FromProto(approved);
  return Unknown{fmt::format("the adapter's approval has no {}",
                             approved.biller_reference().empty() ? "biller reference" : "voucher")};
}

}  // namespace

void ToProto(const InquiryRequest& request, v1::InquireRequest* out) {
  out->set_station_id(request.station.ToString());
  out->set_customer_number(request.customer_number);
}

void ToProto(const PaymentRequest& request, v1::PaymentRequest* out) {
  out->set_payment_id(request.payment_id.ToString());
  out->set_station_id(request.station.ToString());
  out->set_customer_number(request.customer_number);
  out->set_amount_fen(request.amount.fen());
  out->set_accepted_at_ms(request.accepted_at.time_since_epoch().count());
  out->set_business_date(request.business_date.ToString());
  out->set_biller_reference(request.biller_reference);
  out->set_earlier_attempts(static_cast<uint32_t>(request.earlier_attempts));
}

bool IsReadable(const v1::Approved& approved, const CapabilityCard& card) {
  return !approved.biller_reference().empty() && (!card.issues_voucher || !approved.voucher().empty());
}

Approved FromProto(const v1::Approved& approved) {
  return {core::CutToUtf8(approved.biller_reference(), core::kMaxBillerReferenceBytes),
          core::CutToUtf8(approved.voucher(), core::kMaxVoucherBytes),
          core::CutToUtf8(approved.customer_name(), core::kMaxNameBytes)};
}

InquiryOutcome FromProto(const v1::InquireResponse& response, const CapabilityCard& /*card*/) {
  switch (response.outcome_case()) {
    case v1::InquireResponse::kFound: {
      const v1::InquiryFound& found = response.found();
      if (found.owed_fen() < 0 || found.owed_fen() > core::kMaxBalance.fen()) {
        return Unknown{fmt::format("the adapter says that {} fen are owed", found.owed_fen())};
      }
      return InquiryFound{core::CutToUtf8(found.customer_name(), core::kMaxNameBytes),
                          core::Money::Fen(found.owed_fen())};
    }
    case v1::InquireResponse::kDeclined: return FromProto(response.declined());
    case v1::InquireResponse::kNotSent: return FromProto(response.not_sent());
    case v1::InquireResponse::kUnknown: return FromProto(response.unknown());
    case v1::InquireResponse::OUTCOME_NOT_SET: break;
  }
  return NoOutcome();
}

PayOutcome FromProto(const v1::PayResponse& response, const CapabilityCard& card) {
  switch (response.outcome_case()) {
    case v1::PayResponse::kApproved: return ApprovedOrUnknown<PayOutcome>(response.approved(), card);
    case v1::PayResponse::kDeclined: return FromProto(response.declined());
    case v1::PayResponse::kNotSent: return FromProto(response.not_sent());
    case v1::PayResponse::kUnknown: return FromProto(response.unknown());
    case v1::PayResponse::OUTCOME_NOT_SET: break;
  }
  return NoOutcome();
}

QueryOutcome FromProto(const v1::QueryResponse& response, const CapabilityCard& card) {
  switch (response.outcome_case()) {
    case v1::QueryResponse::kApproved: return ApprovedOrUnknown<QueryOutcome>(response.approved(), card);
    case v1::QueryResponse::kDeclined: return FromProto(response.declined());
    case v1::QueryResponse::kNeverReceived: return NeverReceived{};
    case v1::QueryResponse::kUnknown: return FromProto(response.unknown());
    case v1::QueryResponse::OUTCOME_NOT_SET: break;
  }
  return NoOutcome();
}

ReverseOutcome FromProto(const v1::ReverseResponse& response, const CapabilityCard& /*card*/) {
  switch (response.outcome_case()) {
    case v1::ReverseResponse::kTakenBack: return TakenBack{};
    case v1::ReverseResponse::kDeclined: return FromProto(response.declined());
    case v1::ReverseResponse::kNeverReceived: return NeverReceived{};
    case v1::ReverseResponse::kUnknown: return FromProto(response.unknown());
    case v1::ReverseResponse::OUTCOME_NOT_SET: break;
  }
  return NoOutcome();
}

CancelOutcome FromProto(const v1::CancelResponse& response, const CapabilityCard& /*card*/) {
  switch (response.outcome_case()) {
    case v1::CancelResponse::kTakenBack: return TakenBack{};
    case v1::CancelResponse::kDeclined: return FromProto(response.declined());
    case v1::CancelResponse::kNotSent: return FromProto(response.not_sent());
    case v1::CancelResponse::kUnknown: return FromProto(response.unknown());
    case v1::CancelResponse::OUTCOME_NOT_SET: break;
  }
  return NoOutcome();
}

}  // namespace waystation::adapters::remote
