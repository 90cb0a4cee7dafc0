#include "switch/daemon/late_approval_post.h"

#include <string>
#include <utility>

#include "spdlog/spdlog.h"

namespace waystation::daemon {

void LateApprovalPost::OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                                      Recorded recorded) {
  const std::string reference = approved.biller_reference;
  if (const absl::Status status = backend_->admission->CheckConfirmed(); !status.ok()) {
    spdlog::error("a late approval of payment {} (biller reference \"{}\") is not taken: {}", payment.ToString(),
                  reference, std::string(status.message()));
    return recorded(false);
  }
  backend_->FlowOf(station).LateApproval(
      biller_id_, payment, std::move(approved),
      [payment, reference, recorded = std::move(recorded)](flow::PaymentFlow::Result result) mutable {
        if (!result.status.ok()) {
          spdlog::error("a late approval of payment {} (biller reference \"{}\") is not taken: {}", payment.ToString(),
                        reference, std::string(result.status.message()));
        } else if (result.payment.state == core::PaymentState::kReview) {
          spdlog::error(
              "payment {} is a late success: the biller has it and the station was not charged; see switchctl "
              "exceptions show {}",
              payment.ToString(), payment.ToString());
        } else {
          spdlog::info("payment {}: an approval came late; it is {}", payment.ToString(),
                       core::Name(result.payment.state));
        }
        recorded(result.status.ok());
      });
}

}  // namespace waystation::daemon
