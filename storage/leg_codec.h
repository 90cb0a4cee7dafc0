#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/wire_writer.h"
#include "switch/core/account.h"
#include "switch/core/command.h"
#include "switch/core/leg.h"
#include "switch/core/payment.h"
#include "waystation/journal/v1/journal.pb.h"

// Between the ledger's types and their stored form (proto/waystation/journal/v1). Encoding appends to `out`. Decoding
// checks every enum, date and presence; a fault is kDataLoss and names the field.
namespace waystation::storage {

namespace pb = waystation::journal::v1;

// pb::Leg
void EncodeLeg(const core::Leg& leg, WireWriter* out);
absl::StatusOr<core::Leg> DecodeLeg(const pb::Leg& leg);

// pb::PaymentRecord
void EncodePayment(const core::Payment& payment, WireWriter* out);
absl::StatusOr<core::Payment> DecodePayment(const pb::PaymentRecord& record);

// pb::RequestRecord, of a payment (where its row is) and of a purchase.
void EncodePointer(const core::Payment& payment, WireWriter* out);
void EncodePurchase(const core::Purchase& purchase, WireWriter* out);
absl::StatusOr<core::Purchase> DecodePurchase(const pb::PurchaseRecord& record);

// pb::AccountRecord
void EncodeAccount(const core::Account& account, WireWriter* out);
absl::StatusOr<core::Account> DecodeAccount(const pb::AccountRecord& record);

}  // namespace waystation::storage
