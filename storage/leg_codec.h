#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "switch/core/account.h"
#include "switch/core/command.h"
#include "switch/core/leg.h"
#include "switch/core/payment.h"
#include "waystation/journal/v1/journal.pb.h"

// Between the ledger's types and their stored form (proto/waystation/journal/v1). Decoding checks every enum, date and
// presence; a fault is kDataLoss and names the field.
namespace waystation::storage {

namespace pb = waystation::journal::v1;

void EncodeLeg(const core::Leg& leg, pb::Leg* out);
absl::StatusOr<core::Leg> DecodeLeg(const pb::Leg& leg);

void EncodePayment(const core::Payment& payment, pb::PaymentRecord* out);
absl::StatusOr<core::Payment> DecodePayment(const pb::PaymentRecord& record);

void EncodePurchase(const core::Purchase& purchase, pb::PurchaseRecord* out);
absl::StatusOr<core::Purchase> DecodePurchase(const pb::PurchaseRecord& record);

void EncodeAccount(const core::Account& account, pb::AccountRecord* out);
absl::StatusOr<core::Account> DecodeAccount(const pb::AccountRecord& record);

}  // namespace waystation::storage
