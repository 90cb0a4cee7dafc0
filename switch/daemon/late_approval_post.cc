#include "switch/daemon/late_approval_post.h"

#include <string>
#include <utility>

#include "spdlog/spdlog.h"

namespace waystation::daemon {

void LateApprovalPost::Open() {
  absl::MutexLock lock(&mutex_);
  open_ = true;
}

void LateApprovalPost::Close() {
  absl::MutexLock lock(&mutex_);
  open_ = false;
  const auto none_left = [this] { return on_the_way_ == 0; };
  mutex_.Await(absl::Condition(&none_left));
}

void LateApprovalPost::OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                                      Recorded recorded) {
  if (!SetOut()) return recorded(false);
  const std::string reference = approved.biller_reference;
  backend_->FlowOf(station).LateApproval(
      biller_id_, payment, std::move(approved),
      [payment, reference, recorded = std::move(recorded)](flow::PaymentFlow::Result result) mutable {
        if (absl::IsResourceExhausted(result.status)) {
          // The adapter tells it again.
          spdlog::debug("a late approval of payment {} waits: {}", payment.ToString(),
                        std::string(result.status.message()));
        } else if (!result.status.ok()) {
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
  Arrived();
}

bool LateApprovalPost::SetOut() {
  absl::MutexLock lock(&mutex_);
  on_the_way_ += open_ ? 1 : 0;
  return open_;
}

void LateApprovalPost::Arrived() {
  absl::MutexLock lock(&mutex_);
  --on_the_way_;
}

}  // namespace waystation::daemon
