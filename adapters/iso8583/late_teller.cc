#include "adapters/iso8583/late_teller.h"

#include <utility>

#include "adapters/alarm.h"
#include "boost/asio/post.hpp"
#include "fmt/format.h"

namespace waystation::adapters::iso8583 {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

LateTeller::LateTeller(const std::shared_ptr<LinkThread>& thread, std::string address)
    : thread_(thread), address_(std::move(address)), timer_(thread->io()) {}

void LateTeller::Tell(LateApprovals* late, core::StationId station, core::PaymentId payment, Approved approved) {
  TellOnce(
      std::make_shared<const Approval>(Approval{late, station, payment, std::move(approved), Clock::now() + kWindow}));
}

void LateTeller::Close() {
  closed_ = true;
  waiting_.clear();
  timer_.cancel();
}

void LateTeller::TellOnce(const std::shared_ptr<const Approval>& approval) {
  if (closed_) return;
  // May be called, and may be dropped, when the link and its thread have long gone.
  auto recorded = [weak = weak_from_this(), thread = thread_, approval](bool is_recorded) {
    if (is_recorded) return;
    const std::shared_ptr<LinkThread> alive = thread.lock();
    if (!alive) return;
    asio::post(alive->io(), [weak, approval] {
      if (const std::shared_ptr<LateTeller> self = weak.lock()) self->TellLater(approval);
    });
  };
  approval->late->OnLateApproval(approval->station, approval->payment, approval->approved, std::move(recorded));
}

void LateTeller::TellLater(const std::shared_ptr<const Approval>& approval) {
  if (closed_) return;
  const Clock::time_point due = Clock::now() + kPause;
  if (due > approval->until || waiting_.size() >= kMost) {
    return RaiseAlarm(address_, fmt::format("the late approval of payment {} (reference {}) was not recorded; a query "
                                            "has it",
                                            approval->payment.ToString(), approval->approved.biller_reference));
  }
  waiting_.push_back({due, approval});
  if (waiting_.size() == 1) WaitForTheFirst();
}

void LateTeller::WaitForTheFirst() {
  timer_.expires_at(waiting_.front().due);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (cancelled || self->closed_) return;
    const Clock::time_point now = Clock::now();
    while (!self->waiting_.empty() && self->waiting_.front().due <= now) {
      const std::shared_ptr<const Approval> approval = std::move(self->waiting_.front().approval);
      self->waiting_.pop_front();
      self->TellOnce(approval);
    }
    if (!self->waiting_.empty()) self->WaitForTheFirst();
  });
}

}  // namespace waystation::adapters::iso8583
