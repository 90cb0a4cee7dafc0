// From the stored form back to the ledger's types; leg_encode.cc is the way there.

#include "storage/leg_codec.h"

#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

using core::Money;
using core::PaymentId;
using core::StationId;

absl::Status Damaged(std::string_view field, std::string_view fault) {
  return absl::DataLossError(fmt::format("{}: {}", field, fault));
}

core::TimePoint FromMillis(int64_t ms) {
  return core::TimePoint(std::chrono::milliseconds(ms));
}

core::AccountAfter Decode(const pb::AccountAfter& after) {
  return {Money::Fen(after.balance_fen()), Money::Fen(after.reserved_fen()), Money::Fen(after.forwarded_fen())};
}

absl::StatusOr<core::Decline> Decode(const pb::DeclineFact& decline) {
  const auto reason = core::DeclineReasonFromNumber(decline.reason());
  if (!reason) return Damaged("decline.reason", fmt::format("{} is no reason", decline.reason()));
  return core::Decline{*reason, decline.biller_code(), decline.text()};
}

absl::StatusOr<core::Resolution> Decode(const pb::ResolutionFact& resolution) {
  const auto verdict = core::VerdictFromNumber(resolution.verdict());
  if (!verdict) return Damaged("resolution.verdict", fmt::format("{} is no verdict", resolution.verdict()));
  return core::Resolution{*verdict, resolution.reason(), resolution.proposed_by(), resolution.confirmed_by(),
                          resolution.sequence()};
}

std::vector<StationId> DecodeInstitutions(const google::protobuf::RepeatedField<uint64_t>& numbers) {
  std::vector<StationId> ids;
  for (uint64_t number : numbers) ids.push_back(StationId::FromNumber(number));
  return ids;
}

absl::StatusOr<core::Fact> DecodeStatusSet(const pb::StationStatusSet& f) {
  const auto status = core::StationStatusFromNumber(f.status());
  if (!status) return Damaged("station_status_set.status", fmt::format("{} is no status", f.status()));
  return core::StationStatusSet{StationId::FromNumber(f.station()), *status, f.reason()};
}

absl::StatusOr<core::Fact> DecodeDayCut(const pb::DayCut& f) {
  auto closed = core::BusinessDate::FromNumber(f.closed_date());
  auto opened = core::BusinessDate::FromNumber(f.opened_date());
  if (!closed.ok()) return Damaged("day_cut.closed_date", std::string(closed.status().message()));
  if (!opened.ok()) return Damaged("day_cut.opened_date", std::string(opened.status().message()));
  return core::DayCut{*closed, *opened};
}

absl::StatusOr<core::Fact> DecodeAccepted(const pb::PaymentAccepted& f) {
  const auto state = core::PaymentStateFromNumber(f.state());
  const bool declined = state == core::PaymentState::kDeclined;
  if (!declined && state != core::PaymentState::kHeld) {
    return Damaged("payment_accepted.state", fmt::format("{} is neither held nor declined", f.state()));
  }
  if (declined != f.has_decline()) return Damaged("payment_accepted.decline", "does not go with the state");
  core::PaymentAccepted fact{.station = StationId::FromNumber(f.station()),
                             .operator_id = f.operator_id(),
                             .request_id = f.request_id(),
                             .biller_id = f.biller_id(),
                             .customer_number = f.customer_number(),
                             .customer_name = f.customer_name(),
                             .amount = Money::Fen(f.amount_fen()),
                             .decline = std::nullopt,
                             .after = Decode(f.after())};
  if (declined) {
    auto decline = Decode(f.decline());
    if (!decline.ok()) return decline.status();
    fact.decline = *std::move(decline);
  }
  return fact;
}

absl::StatusOr<core::Fact> DecodeMoved(const pb::PaymentMoved& f) {
  const auto event = core::PaymentEventFromNumber(f.event());
  const auto state = core::PaymentStateFromNumber(f.state());
  if (!event) return Damaged("payment_moved.event", fmt::format("{} is no event", f.event()));
  if (!state) return Damaged("payment_moved.state", fmt::format("{} is no state", f.state()));
  core::PaymentMoved fact{.payment_id = PaymentId::FromNumber(f.payment_id()),
                          .station = StationId::FromNumber(f.station()),
                          .event = *event,
                          .state = *state,
                          .decline = std::nullopt,
                          .biller_reference = f.biller_reference(),
                          .voucher = f.voucher(),
                          .customer_name = f.customer_name(),
                          .unknown_cause = f.unknown_cause(),
                          .operator_id = f.operator_id(),
                          .after = Decode(f.after()),
                          .reopened = std::nullopt,
                          .resolution = std::nullopt};
  if (f.has_decline()) {
    auto decline = Decode(f.decline());
    if (!decline.ok()) return decline.status();
    fact.decline = *std::move(decline);
  }
  if (f.has_reopened()) {
    auto reopened = DecodePayment(f.reopened());
    if (!reopened.ok()) return reopened.status();
    fact.reopened = *std::move(reopened);
  }
  if (f.has_resolution()) {
    auto resolution = Decode(f.resolution());
    if (!resolution.ok()) return resolution.status();
    fact.resolution = *std::move(resolution);
  }
  return fact;
}

absl::StatusOr<core::Fact> DecodeProposed(const pb::ResolutionProposed& f) {
  auto resolution = Decode(f.resolution());
  if (!resolution.ok()) return resolution.status();
  return core::ResolutionProposed{PaymentId::FromNumber(f.payment_id()), StationId::FromNumber(f.station()),
                                  *std::move(resolution)};
}

absl::StatusOr<core::Fact> DecodeFact(const pb::Leg& leg) {
  switch (leg.fact_case()) {
    case pb::Leg::kStationRegistered: {
      const auto& f = leg.station_registered();
      return core::StationRegistered{StationId::FromNumber(f.station()), f.name(),
                                     DecodeInstitutions(f.signing_institutions())};
    }
    case pb::Leg::kStationStatusSet: return DecodeStatusSet(leg.station_status_set());
    case pb::Leg::kCreditGranted: {
      const auto& f = leg.credit_granted();
      return core::CreditGranted{StationId::FromNumber(f.station()), Money::Fen(f.credit_limit_fen()), f.reason(),
                                 Decode(f.after())};
    }
    case pb::Leg::kCounterPurchased: {
      const auto& f = leg.counter_purchased();
      return core::CounterPurchased{StationId::FromNumber(f.station()), f.request_id(), Money::Fen(f.amount_fen()),
                                    f.clerk_id(), Decode(f.after())};
    }
    case pb::Leg::kBillerRegistered: return core::BillerRegistered{leg.biller_registered().biller_id()};
    case pb::Leg::kBillerStatusSet: {
      const auto& f = leg.biller_status_set();
      return core::BillerStatusSet{f.biller_id(), f.enabled(), f.reason()};
    }
    case pb::Leg::kDayCut: return DecodeDayCut(leg.day_cut());
    case pb::Leg::kPaymentAccepted: return DecodeAccepted(leg.payment_accepted());
    case pb::Leg::kPaymentMoved: return DecodeMoved(leg.payment_moved());
    case pb::Leg::kResolutionProposed: return DecodeProposed(leg.resolution_proposed());
    case pb::Leg::kJournalResumed: {
      const auto& f = leg.journal_resumed();
      return core::JournalResumed{f.confirmed_by(), f.reason()};
    }
    case pb::Leg::FACT_NOT_SET: break;
  }
  return Damaged("fact", "a leg of no known kind");
}

}  // namespace

absl::StatusOr<core::Leg> DecodeLeg(const pb::Leg& leg) {
  auto fact = DecodeFact(leg);
  if (!fact.ok())
    return absl::DataLossError(fmt::format("leg {}: {}", leg.sequence(), std::string(fact.status().message())));
  return core::Leg{leg.sequence(), *std::move(fact)};
}

absl::StatusOr<core::Payment> DecodePayment(const pb::PaymentRecord& record) {
  const auto state = core::PaymentStateFromNumber(record.state());
  if (!state) return Damaged("payment.state", fmt::format("{} is no state", record.state()));
  const auto date = core::BusinessDate::FromNumber(record.business_date());
  if (!date.ok()) return Damaged("payment.business_date", std::string(date.status().message()));
  const size_t changes = static_cast<size_t>(record.history_size());
  if (changes == 0 || changes > core::kMaxStateChanges) {
    return Damaged("payment.history", fmt::format("has {} entries; expected 1 to {}", changes, core::kMaxStateChanges));
  }
  core::Payment payment;
  payment.id = PaymentId::FromNumber(record.payment_id());
  payment.station = StationId::FromNumber(record.station());
  payment.operator_id = record.operator_id();
  payment.request_id = record.request_id();
  payment.biller_id = record.biller_id();
  payment.customer_number = record.customer_number();
  payment.customer_name = record.customer_name();
  payment.amount = Money::Fen(record.amount_fen());
  payment.state = *state;
  if (record.has_decline()) {
    auto decline = Decode(record.decline());
    if (!decline.ok()) return decline.status();
    payment.decline = *std::move(decline);
  }
  payment.biller_reference = record.biller_reference();
  payment.voucher = record.voucher();
  payment.unknown_cause = record.unknown_cause();
  if (record.has_resolution()) {
    auto resolution = Decode(record.resolution());
    if (!resolution.ok()) return resolution.status();
    payment.resolution = *std::move(resolution);
  }
  payment.business_date = *date;
  for (const auto& entry : record.history()) {
    const auto entry_state = core::PaymentStateFromNumber(entry.state());
    const auto entry_date = core::BusinessDate::FromNumber(entry.business_date());
    if (!entry_state || !entry_date.ok()) return Damaged("payment.history", "an entry has no state or no date");
    payment.history.push_back({entry.sequence(), *entry_state, FromMillis(entry.time_ms()), *entry_date});
  }
  if (payment.history.back().state != payment.state) return Damaged("payment.history", "does not end with the state");
  if (payment.history.front().state == core::PaymentState::kReview)
    return Damaged("payment.history", "starts in REVIEW");
  return payment;
}

absl::StatusOr<core::Purchase> DecodePurchase(const pb::PurchaseRecord& record) {
  const auto date = core::BusinessDate::FromNumber(record.business_date());
  if (!date.ok()) return Damaged("purchase.business_date", std::string(date.status().message()));
  return core::Purchase{.sequence = record.sequence(),
                        .station = StationId::FromNumber(record.station()),
                        .request_id = record.request_id(),
                        .amount = Money::Fen(record.amount_fen()),
                        .clerk_id = record.clerk_id(),
                        .balance_after = Money::Fen(record.balance_after_fen()),
                        .business_date = *date,
                        .time = FromMillis(record.time_ms())};
}

absl::StatusOr<core::Account> DecodeAccount(const pb::AccountRecord& record) {
  const auto kind = core::AccountKindFromNumber(record.kind());
  if (!kind) return Damaged("account.kind", fmt::format("{} is no kind", record.kind()));
  core::Account account;
  account.kind = *kind;
  account.balance = Money::Fen(record.balance_fen());
  account.status_reason = record.status_reason();
  if (*kind == core::AccountKind::kBillerPayable) {
    account.biller_id = record.biller_id();
    account.biller_enabled = record.biller_enabled();
  }
  if (*kind == core::AccountKind::kStation) {
    const auto status = core::StationStatusFromNumber(record.status());
    const auto opened = core::BusinessDate::FromNumber(record.opened_date());
    if (!status) return Damaged("account.status", fmt::format("{} is no status", record.status()));
    if (!opened.ok()) return Damaged("account.opened_date", std::string(opened.status().message()));
    account.station = StationId::FromNumber(record.station());
    account.reserved = Money::Fen(record.reserved_fen());
    account.forwarded = Money::Fen(record.forwarded_fen());
    account.credit_limit = Money::Fen(record.credit_limit_fen());
    account.status = *status;
    account.name = record.name();
    account.signing_institutions = DecodeInstitutions(record.signing_institutions());
    account.opened = *opened;
  }
  return account;
}

}  // namespace waystation::storage
