#pragma once

#include <string>
#include <utility>

#include "adapters/biller_adapter.h"
#include "switch/rpc/backend.h"

namespace waystation::daemon {

// Hands the late approvals of a biller's adapter to the flow of their station, and logs what a person must see to. Any
// thread.
class LateApprovalPost final : public adapters::LateApprovals {
 public:
  // `backend` outlives the post, and has its flows before any operation of an adapter.
  LateApprovalPost(const rpc::Backend* backend, std::string biller_id)
      : backend_(backend), biller_id_(std::move(biller_id)) {}

  void OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                      Recorded recorded) override;

 private:
  const rpc::Backend* const backend_;
  const std::string biller_id_;
};

}  // namespace waystation::daemon
