// From the ledger's types to their stored form; leg_codec.cc is the way back. Fields stand in the order of their
// numbers, as protobuf would write them: rows are compared byte for byte.

#include <optional>
#include <variant>
#include <vector>

#include "storage/leg_codec.h"

namespace waystation::storage {
namespace {

uint64_t Fen(core::Money money) {
  return static_cast<uint64_t>(money.fen());
}
uint64_t Millis(core::TimePoint time) {
  return static_cast<uint64_t>(time.time_since_epoch().count());
}
template <typename Enum>
uint64_t NumberOf(Enum value) {
  return static_cast<uint64_t>(value);
}

void Encode(const core::AccountAfter& after, WireWriter* out) {
  using Fields = pb::AccountAfter;
  out->Signed(Fields::kBalanceFenFieldNumber, after.balance.fen());
  out->Number(Fields::kReservedFenFieldNumber, Fen(after.reserved));
  out->Number(Fields::kForwardedFenFieldNumber, Fen(after.forwarded));
}

void Encode(const core::Decline& decline, WireWriter* out) {
  using Fields = pb::DeclineFact;
  out->Number(Fields::kReasonFieldNumber, NumberOf(decline.reason));
  out->Text(Fields::kBillerCodeFieldNumber, decline.biller_code);
  out->Text(Fields::kTextFieldNumber, decline.text);
}

void Encode(const core::Resolution& resolution, WireWriter* out) {
  using Fields = pb::ResolutionFact;
  out->Number(Fields::kVerdictFieldNumber, NumberOf(resolution.verdict));
  out->Text(Fields::kReasonFieldNumber, resolution.reason);
  out->Text(Fields::kProposedByFieldNumber, resolution.proposed_by);
  out->Text(Fields::kConfirmedByFieldNumber, resolution.confirmed_by);
  out->Number(Fields::kSequenceFieldNumber, resolution.sequence);
}

void Encode(const core::StateChange& change, WireWriter* out) {
  using Fields = pb::ChangeRecord;
  out->Number(Fields::kSequenceFieldNumber, change.sequence);
  out->Number(Fields::kStateFieldNumber, NumberOf(change.state));
  out->Number(Fields::kTimeMsFieldNumber, Millis(change.time));
  out->Number(Fields::kBusinessDateFieldNumber, change.business_date.number());
}

void Encode(const core::Payment& payment, WireWriter* out) {
  EncodePayment(payment, out);
}

template <typename Value>
void Put(int field, const Value& value, WireWriter* out) {
  out->Message(field, [&] { Encode(value, out); });
}
template <typename Value>
void Put(int field, const std::optional<Value>& value, WireWriter* out) {
  if (value.has_value()) Put(field, *value, out);
}

void PutInstitutions(int field, const std::vector<core::StationId>& ids, WireWriter* out) {
  if (ids.empty()) return;
  out->Message(field, [&] {
    for (core::StationId id : ids) out->Bare(id.number());
  });
}

// One a fact: its fields. Which field of the leg the fact is stands below.
void Encode(const core::StationRegistered& f, WireWriter* out) {
  using Fields = pb::StationRegistered;
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Text(Fields::kNameFieldNumber, f.name);
  PutInstitutions(Fields::kSigningInstitutionsFieldNumber, f.signing_institutions, out);
}

void Encode(const core::StationStatusSet& f, WireWriter* out) {
  using Fields = pb::StationStatusSet;
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Number(Fields::kStatusFieldNumber, NumberOf(f.status));
  out->Text(Fields::kReasonFieldNumber, f.reason);
}

void Encode(const core::CreditGranted& f, WireWriter* out) {
  using Fields = pb::CreditGranted;
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Number(Fields::kCreditLimitFenFieldNumber, Fen(f.credit_limit));
  out->Text(Fields::kReasonFieldNumber, f.reason);
  Put(Fields::kAfterFieldNumber, f.after, out);
}

void Encode(const core::CounterPurchased& f, WireWriter* out) {
  using Fields = pb::CounterPurchased;
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Text(Fields::kRequestIdFieldNumber, f.request_id);
  out->Number(Fields::kAmountFenFieldNumber, Fen(f.amount));
  out->Text(Fields::kClerkIdFieldNumber, f.clerk_id);
  Put(Fields::kAfterFieldNumber, f.after, out);
}

void Encode(const core::BillerRegistered& f, WireWriter* out) {
  out->Text(pb::BillerRegistered::kBillerIdFieldNumber, f.biller_id);
}

void Encode(const core::BillerStatusSet& f, WireWriter* out) {
  using Fields = pb::BillerStatusSet;
  out->Text(Fields::kBillerIdFieldNumber, f.biller_id);
  out->Number(Fields::kEnabledFieldNumber, f.enabled ? 1 : 0);
  out->Text(Fields::kReasonFieldNumber, f.reason);
}

void Encode(const core::DayCut& f, WireWriter* out) {
  out->Number(pb::DayCut::kClosedDateFieldNumber, f.closed.number());
  out->Number(pb::DayCut::kOpenedDateFieldNumber, f.opened.number());
}

void Encode(const core::PaymentAccepted& f, WireWriter* out) {
  using Fields = pb::PaymentAccepted;
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Text(Fields::kOperatorIdFieldNumber, f.operator_id);
  out->Text(Fields::kRequestIdFieldNumber, f.request_id);
  out->Text(Fields::kBillerIdFieldNumber, f.biller_id);
  out->Text(Fields::kCustomerNumberFieldNumber, f.customer_number);
  out->Text(Fields::kCustomerNameFieldNumber, f.customer_name);
  out->Number(Fields::kAmountFenFieldNumber, Fen(f.amount));
  out->Number(Fields::kStateFieldNumber,
              NumberOf(f.decline ? core::PaymentState::kDeclined : core::PaymentState::kHeld));
  Put(Fields::kDeclineFieldNumber, f.decline, out);
  Put(Fields::kAfterFieldNumber, f.after, out);
}

void Encode(const core::PaymentMoved& f, WireWriter* out) {
  using Fields = pb::PaymentMoved;
  out->Number(Fields::kPaymentIdFieldNumber, f.payment_id.number());
  out->Number(Fields::kStationFieldNumber, f.station.number());
  out->Number(Fields::kEventFieldNumber, NumberOf(f.event));
  out->Number(Fields::kStateFieldNumber, NumberOf(f.state));
  Put(Fields::kDeclineFieldNumber, f.decline, out);
  out->Text(Fields::kBillerReferenceFieldNumber, f.biller_reference);
  out->Text(Fields::kVoucherFieldNumber, f.voucher);
  out->Text(Fields::kCustomerNameFieldNumber, f.customer_name);
  out->Text(Fields::kUnknownCauseFieldNumber, f.unknown_cause);
  out->Text(Fields::kOperatorIdFieldNumber, f.operator_id);
  Put(Fields::kAfterFieldNumber, f.after, out);
  Put(Fields::kReopenedFieldNumber, f.reopened, out);
  Put(Fields::kResolutionFieldNumber, f.resolution, out);
}

void Encode(const core::ResolutionProposed& f, WireWriter* out) {
  using Fields = pb::ResolutionProposed;
  out->Number(Fields::kPaymentIdFieldNumber, f.payment_id.number());
  out->Number(Fields::kStationFieldNumber, f.station.number());
  Put(Fields::kResolutionFieldNumber, f.resolution, out);
}

void Encode(const core::JournalResumed& f, WireWriter* out) {
  out->Text(pb::JournalResumed::kConfirmedByFieldNumber, f.confirmed_by);
  out->Text(pb::JournalResumed::kReasonFieldNumber, f.reason);
}

struct FieldOfLeg {
  int operator()(const core::StationRegistered&) const { return pb::Leg::kStationRegisteredFieldNumber; }
  int operator()(const core::StationStatusSet&) const { return pb::Leg::kStationStatusSetFieldNumber; }
  int operator()(const core::CreditGranted&) const { return pb::Leg::kCreditGrantedFieldNumber; }
  int operator()(const core::CounterPurchased&) const { return pb::Leg::kCounterPurchasedFieldNumber; }
  int operator()(const core::BillerRegistered&) const { return pb::Leg::kBillerRegisteredFieldNumber; }
  int operator()(const core::BillerStatusSet&) const { return pb::Leg::kBillerStatusSetFieldNumber; }
  int operator()(const core::DayCut&) const { return pb::Leg::kDayCutFieldNumber; }
  int operator()(const core::PaymentAccepted&) const { return pb::Leg::kPaymentAcceptedFieldNumber; }
  int operator()(const core::PaymentMoved&) const { return pb::Leg::kPaymentMovedFieldNumber; }
  int operator()(const core::ResolutionProposed&) const { return pb::Leg::kResolutionProposedFieldNumber; }
  int operator()(const core::JournalResumed&) const { return pb::Leg::kJournalResumedFieldNumber; }
};

}  // namespace

void EncodeLeg(const core::Leg& leg, WireWriter* out) {
  out->Number(pb::Leg::kSequenceFieldNumber, leg.sequence);
  std::visit([out](const auto& fact) { out->Message(FieldOfLeg()(fact), [&] { Encode(fact, out); }); }, leg.fact);
}

void EncodePayment(const core::Payment& payment, WireWriter* out) {
  using Fields = pb::PaymentRecord;
  out->Number(Fields::kPaymentIdFieldNumber, payment.id.number());
  out->Number(Fields::kStationFieldNumber, payment.station.number());
  out->Text(Fields::kOperatorIdFieldNumber, payment.operator_id);
  out->Text(Fields::kRequestIdFieldNumber, payment.request_id);
  out->Text(Fields::kBillerIdFieldNumber, payment.biller_id);
  out->Text(Fields::kCustomerNumberFieldNumber, payment.customer_number);
  out->Text(Fields::kCustomerNameFieldNumber, payment.customer_name);
  out->Number(Fields::kAmountFenFieldNumber, Fen(payment.amount));
  out->Number(Fields::kStateFieldNumber, NumberOf(payment.state));
  Put(Fields::kDeclineFieldNumber, payment.decline, out);
  out->Text(Fields::kBillerReferenceFieldNumber, payment.biller_reference);
  out->Text(Fields::kVoucherFieldNumber, payment.voucher);
  out->Text(Fields::kUnknownCauseFieldNumber, payment.unknown_cause);
  out->Number(Fields::kBusinessDateFieldNumber, payment.business_date.number());
  for (const core::StateChange& change : payment.history) Put(Fields::kHistoryFieldNumber, change, out);
  Put(Fields::kResolutionFieldNumber, payment.resolution, out);
}

void EncodePointer(const core::Payment& payment, WireWriter* out) {
  out->Message(pb::RequestRecord::kPaymentFieldNumber, [&] {
    out->Number(pb::PaymentPointer::kPaymentIdFieldNumber, payment.id.number());
    out->Number(pb::PaymentPointer::kBusinessDateFieldNumber, payment.business_date.number());
  });
}

void EncodePurchase(const core::Purchase& purchase, WireWriter* out) {
  using Fields = pb::PurchaseRecord;
  out->Message(pb::RequestRecord::kPurchaseFieldNumber, [&] {
    out->Number(Fields::kSequenceFieldNumber, purchase.sequence);
    out->Number(Fields::kStationFieldNumber, purchase.station.number());
    out->Text(Fields::kRequestIdFieldNumber, purchase.request_id);
    out->Number(Fields::kAmountFenFieldNumber, Fen(purchase.amount));
    out->Text(Fields::kClerkIdFieldNumber, purchase.clerk_id);
    out->Signed(Fields::kBalanceAfterFenFieldNumber, purchase.balance_after.fen());
    out->Number(Fields::kBusinessDateFieldNumber, purchase.business_date.number());
    out->Number(Fields::kTimeMsFieldNumber, Millis(purchase.time));
  });
}

void EncodeAccount(const core::Account& account, WireWriter* out) {
  using Fields = pb::AccountRecord;
  const bool is_station = account.kind == core::AccountKind::kStation;
  const bool is_payable = account.kind == core::AccountKind::kBillerPayable;
  out->Number(Fields::kKindFieldNumber, NumberOf(account.kind));
  if (is_station) out->Number(Fields::kStationFieldNumber, account.station.number());
  if (is_payable) out->Text(Fields::kBillerIdFieldNumber, account.biller_id);
  out->Signed(Fields::kBalanceFenFieldNumber, account.balance.fen());
  if (is_station) {
    out->Number(Fields::kReservedFenFieldNumber, Fen(account.reserved));
    out->Number(Fields::kForwardedFenFieldNumber, Fen(account.forwarded));
    out->Number(Fields::kCreditLimitFenFieldNumber, Fen(account.credit_limit));
    out->Number(Fields::kStatusFieldNumber, NumberOf(account.status));
  }
  if (is_station || is_payable) out->Text(Fields::kStatusReasonFieldNumber, account.status_reason);
  if (is_station) {
    out->Text(Fields::kNameFieldNumber, account.name);
    PutInstitutions(Fields::kSigningInstitutionsFieldNumber, account.signing_institutions, out);
    out->Number(Fields::kOpenedDateFieldNumber, account.opened.number());
  }
  if (is_payable) out->Number(Fields::kBillerEnabledFieldNumber, account.biller_enabled ? 1 : 0);
}

}  // namespace waystation::storage
