#pragma once

#include <optional>

#include "switch/core/command.h"
#include "switch/flow/biller_lane.h"
#include "switch/flow/next_step.h"
#include "waystation/v1/account_service.pb.h"
#include "waystation/v1/admin_service.pb.h"
#include "waystation/v1/payment.pb.h"

// From the ledger's types to those of the API.
namespace waystation::rpc {

void ToProto(const core::Decline& decline, v1::Decline* out);
void ToProto(const core::Payment& payment, const flow::NextStep& next, v1::Payment* out);
void ToProto(const core::Account& account, uint64_t as_of_sequence, v1::Account* out);
void ToProto(const core::Purchase& purchase, v1::CounterPurchase* out);
void ToProto(const core::BusinessDay& day, uint64_t last_sequence, v1::BusinessDay* out);
void ToProto(const flow::BillerLane& lane, const core::BillerState& state, v1::Biller* out);
void ToProto(const flow::LaneStatus& status, v1::BillerLane* out);

// What the record itself says is right for a payment in REVIEW; null where the biller must be asked, and in any other
// state.
std::optional<core::Verdict> SuggestedVerdict(const core::Payment& payment);

// The payment as it stood right after its change number `index` of history. Texts that belong to a later change are
// left out.
core::Payment AsOf(const core::Payment& payment, size_t index);

}  // namespace waystation::rpc
