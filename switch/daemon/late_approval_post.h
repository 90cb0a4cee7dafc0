#pragma once

#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "adapters/biller_adapter.h"
#include "switch/rpc/backend.h"

namespace waystation::daemon {

// Hands the late approvals of a biller's adapter to the flow of their station, and logs what a person must see to.
// Closed when made, since an adapter that is connected may tell of some before there are flows, and goes on to after
// them: what comes then is not recorded, so that it is told again.
//
// Threads: any.
class LateApprovalPost final : public adapters::LateApprovals {
 public:
  // `backend` outlives the post.
  LateApprovalPost(const rpc::Backend* backend, std::string biller_id)
      : backend_(backend), biller_id_(std::move(biller_id)) {}

  // From here on `backend` has its flows, and its ledger may be written to.
  void Open();
  // When it returns, nothing is on its way to the flows any more.
  void Close();

  void OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                      Recorded recorded) override;

 private:
  // False: closed.
  bool SetOut();
  void Arrived();

  const rpc::Backend* const backend_;
  const std::string biller_id_;
  absl::Mutex mutex_;
  bool open_ = false;   // guarded by mutex_
  int on_the_way_ = 0;  // guarded by mutex_
};

}  // namespace waystation::daemon
