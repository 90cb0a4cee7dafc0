#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/biller_adapter.h"

namespace waystation::adapters {

// Keeps what comes late, so that a test can wait for it.
class LateBox final : public LateApprovals {
 public:
  struct Late {
    core::StationId station;
    core::PaymentId payment;
    Approved approved;
  };

  void OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved, Recorded recorded) override {
    {
      const std::lock_guard lock(mutex_);
      came_.push_back({station, payment, std::move(approved)});
    }
    something_.notify_all();
    if (recorded) recorded(true);
  }

  // The first that came, once there is one.
  Late First() {
    std::unique_lock lock(mutex_);
    something_.wait(lock, [this] { return !came_.empty(); });
    return came_.front();
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return came_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable something_;
  std::vector<Late> came_;
};

}  // namespace waystation::adapters
