#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "adapters/biller_adapter.h"
#include "adapters/iso8583/link_thread.h"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::iso8583 {

// Tells the switch of approvals that came when nobody waited for them any more, and tells it again, after a pause, of
// what it has not recorded: the protocol has nothing by which the host would be asked for them once more.
//
// Threads: the link's; what the switch says to it may come on any. Limits: each for kWindow, kMost that wait to be told
// again; then an alarm names the payment, and a query has what became of it, as it has for those that are kept when the
// link closes.
class LateTeller : public std::enable_shared_from_this<LateTeller> {
 public:
  static constexpr std::chrono::milliseconds kPause{200};
  static constexpr std::chrono::minutes kWindow{30};
  static constexpr size_t kMost = 10'000;

  // `address`: whom alarms are about.
  LateTeller(const std::shared_ptr<LinkThread>& thread, std::string address);

  void Tell(LateApprovals* late, core::StationId station, core::PaymentId payment, Approved approved);
  // Nothing is told any more.
  void Close();

 private:
  struct Approval {
    LateApprovals* late;
    core::StationId station;
    core::PaymentId payment;
    Approved approved;
    std::chrono::steady_clock::time_point until;
  };
  struct Waiting {
    std::chrono::steady_clock::time_point due;
    std::shared_ptr<const Approval> approval;
  };

  void TellOnce(const std::shared_ptr<const Approval>& approval);
  void TellLater(const std::shared_ptr<const Approval>& approval);
  void WaitForTheFirst();

  const std::weak_ptr<LinkThread> thread_;  // which ends while somebody may still hold what he was to call
  const std::string address_;
  std::deque<Waiting> waiting_;  // by when they are due
  boost::asio::steady_timer timer_;
  bool closed_ = false;
};

}  // namespace waystation::adapters::iso8583
