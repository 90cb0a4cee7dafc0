#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/biller_adapter.h"

namespace waystation::adapters {

// Keeps what comes late, so that a test can wait for it; says that it is not recorded as often as the test wants.
class LateBox final : public LateApprovals {
 public:
  struct Late {
    core::StationId station;
    core::PaymentId payment;
    Approved approved;
  };

  void OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved, Recorded recorded) override {
    bool refused = false;
    {
      const std::lock_guard lock(mutex_);
      refused = refusals_ > 0;
      if (refused) --refusals_;
      came_.push_back({station, payment, std::move(approved)});
    }
    something_.notify_all();
    if (recorded) recorded(!refused);
  }
  void Refuse(size_t times) {
    const std::lock_guard lock(mutex_);
    refusals_ = times;
  }

  // The first that came, once there is one.
  Late First() { return Nth(0); }
  Late Nth(size_t n) {
    std::unique_lock lock(mutex_);
    something_.wait(lock, [&] { return came_.size() > n; });
    return came_[n];
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return came_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable something_;
  std::vector<Late> came_;
  size_t refusals_ = 0;
};

}  // namespace waystation::adapters
