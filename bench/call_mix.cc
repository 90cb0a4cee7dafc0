#include "bench/call_mix.h"

#include <utility>

namespace waystation::bench {

namespace {

constexpr std::array<std::string_view, kCallKinds> kNames = {"inquire", "pay", "cancel", "get_account"};
// Payments kept to be cancelled, the newest; a place in flight pays far more often than it cancels.
constexpr size_t kKept = 4;
constexpr char kOperatorId[] = "9900000001";
// So that a maker's own draws differ from those of its payments, which have the plain seed.
constexpr uint64_t kOwnSeed = 0x6d69780000000000;

size_t EndingOf(const std::string& customer_number) {
  const size_t size = customer_number.size();
  return static_cast<size_t>((customer_number[size - 2] - '0') * 10 + (customer_number[size - 1] - '0'));
}

}  // namespace

std::string_view CallKindName(CallKind kind) {
  return kNames[static_cast<size_t>(kind)];
}

CallMaker::CallMaker(const CallMix& mix, size_t slot)
    : mix_(mix), random_(Random((mix.payments.seed ^ kOwnSeed) + slot)()), payments_(mix.payments, slot) {
  for (const uint32_t parts : mix.parts) all_parts_ += parts;
}

CallKind CallMaker::Next() {
  uint64_t left = random_.Below(all_parts_);
  size_t kind = 0;
  while (left >= mix_.parts[kind]) left -= mix_.parts[kind++];
  if (static_cast<CallKind>(kind) == CallKind::kCancel && paid_.empty()) kind = static_cast<size_t>(CallKind::kPay);
  ++made_[kind];
  return static_cast<CallKind>(kind);
}

void CallMaker::Fill(v1::InquireRequest& request) {
  const BillerShare& biller = PickBiller(mix_.payments.billers, random_);
  request.set_station_id(StationText(mix_.payments, mix_.payments.stations.Pick(random_)));
  request.set_operator_id(kOperatorId);
  request.set_biller_id(biller.id);
  WriteCustomerNumber(biller, random_, *request.mutable_customer_number());
}

void CallMaker::Fill(v1::PayRequest& request) {
  payments_.MakeNext(request);
  ++endings_[EndingOf(request.customer_number())];
}

void CallMaker::Fill(v1::CancelRequest& request) {
  const Paid paid = std::move(paid_.back());
  paid_.pop_back();
  request.set_station_id(paid.station_id);
  request.set_operator_id(kOperatorId);
  request.set_payment_id(paid.payment_id);
}

void CallMaker::Fill(v1::GetAccountRequest& request) {
  request.set_station_id(StationText(mix_.payments, mix_.payments.stations.Pick(random_)));
}

void CallMaker::NotePaid(const v1::Payment& payment) {
  for (const BillerShare& biller : mix_.payments.billers) {
    if (biller.id == payment.biller_id() && !biller.can_cancel) return;
  }
  if (paid_.size() == kKept) paid_.erase(paid_.begin());
  paid_.push_back({payment.station_id(), payment.payment_id()});
}

}  // namespace waystation::bench
