#include "switch/daemon/late_approval_post.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "switch/rpc/admission.h"

namespace waystation::daemon {
namespace {

// A ledger that may be another switch's is not written to: not by a biller's message either. The biller is not told
// that it is recorded, so it tells it again.
TEST(LateApprovalPostTest, NothingIsRecordedInALedgerThatNobodyHasConfirmed) {
  rpc::Admission admission;
  admission.SetRestored(true);
  rpc::Backend backend{};  // without a flow that would take it
  backend.admission = &admission;
  LateApprovalPost post(&backend, "mobile");
  std::optional<bool> recorded;
  adapters::Approved approved;
  approved.biller_reference = "B8";
  post.OnLateApproval(core::StationId::FromNumber(1), core::PaymentId::FromNumber(8), std::move(approved),
                      [&recorded](bool is) { recorded = is; });
  EXPECT_EQ(recorded, false);
}

}  // namespace
}  // namespace waystation::daemon
