#include "switch/daemon/late_approval_post.h"

#include <string>
#include <utility>

#include "fmt/format.h"
#include "switch/core/log.h"

namespace waystation::daemon {
namespace {

void LogArrival(core::PaymentId payment, std::string_view reference, const flow::PaymentFlow::Result& result) {
  using core::LogLevel;
  const std::string id = payment.ToString();
  const auto log = [&](LogLevel level, std::string_view message) {
    core::Log(level, "late_approval", message,
              {{"payment_id", id},
               {"station_id", result.status.ok() ? result.payment.station.ToString() : std::string()},
               {"biller", result.payment.biller_id},
               {"biller_reference", reference},
               {"cause", std::string(result.status.message())}});
  };
  if (absl::IsResourceExhausted(result.status)) {
    // The adapter tells it again.
    log(LogLevel::kDebug, fmt::format("a late approval of payment {} waits", id));
  } else if (!result.status.ok()) {
    log(LogLevel::kError, fmt::format("a late approval of payment {} (biller reference \"{}\") is not taken: {}", id,
                                      reference, std::string(result.status.message())));
  } else if (result.payment.state == core::PaymentState::kReview) {
    log(LogLevel::kError, fmt::format("payment {} is a late success: the biller has it and the station was not "
                                      "charged; see switchctl exceptions show {}",
                                      id, id));
  } else {
    log(LogLevel::kInfo,
        fmt::format("payment {}: an approval came late; it is {}", id, core::Name(result.payment.state)));
  }
}

}  // namespace

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
        LogArrival(payment, reference, result);
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
