#pragma once

#include "adapters/biller_adapter.h"
#include "waystation/adapter/v1/biller_adapter.pb.h"

// Requests and outcomes between the domain and the wire. What an answer should have and has not makes it Unknown.
namespace waystation::adapters::remote {

void ToProto(const InquiryRequest& request, adapter::v1::InquireRequest* out);
void ToProto(const PaymentRequest& request, adapter::v1::PaymentRequest* out);

InquiryOutcome FromProto(const adapter::v1::InquireResponse& response, const CapabilityCard& card);
PayOutcome FromProto(const adapter::v1::PayResponse& response, const CapabilityCard& card);
QueryOutcome FromProto(const adapter::v1::QueryResponse& response, const CapabilityCard& card);
ReverseOutcome FromProto(const adapter::v1::ReverseResponse& response, const CapabilityCard& card);
CancelOutcome FromProto(const adapter::v1::CancelResponse& response, const CapabilityCard& card);

// Whether it can be taken for an approval: it has a reference, and the voucher that the card promises.
bool IsReadable(const adapter::v1::Approved& approved, const CapabilityCard& card);
Approved FromProto(const adapter::v1::Approved& approved);

}  // namespace waystation::adapters::remote
