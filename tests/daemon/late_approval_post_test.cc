#include "switch/daemon/late_approval_post.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace waystation::daemon {
namespace {

class LateApprovalPostTest : public ::testing::Test {
 protected:
  std::optional<bool> Told() {
    std::optional<bool> recorded;
    adapters::Approved approved;
    approved.biller_reference = "B8";
    post_.OnLateApproval(core::StationId::FromNumber(1), core::PaymentId::FromNumber(8), std::move(approved),
                         [&recorded](bool is) { recorded = is; });
    return recorded;
  }

  rpc::Backend backend_;  // without a flow that would take it
  LateApprovalPost post_{&backend_, "mobile"};
};

// Before there are flows, and while nobody has confirmed that the ledger is no other switch's. The biller is not told
// that it is recorded, so it tells it again.
TEST_F(LateApprovalPostTest, NothingIsRecordedBeforeItIsOpen) {
  EXPECT_EQ(Told(), false);
}

TEST_F(LateApprovalPostTest, NothingIsRecordedOnceItIsClosed) {
  post_.Open();
  post_.Close();
  EXPECT_EQ(Told(), false);
}

}  // namespace
}  // namespace waystation::daemon
