#pragma once

#include "adapters/biller_adapter.h"
#include "switch/rpc/backend.h"

namespace waystation::daemon {

// Hands the adapters' late approvals to the flow of their station, and logs what a person must see to. Any thread.
class LateApprovalPost final : public adapters::LateApprovals {
 public:
  // `backend` outlives the post, and has its flows before any operation of an adapter.
  explicit LateApprovalPost(const rpc::Backend* backend) : backend_(backend) {}

  void OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved) override;

 private:
  const rpc::Backend* const backend_;
};

}  // namespace waystation::daemon
