#pragma once

#include <atomic>

#include "absl/status/status.h"

namespace waystation::rpc {

// What the switch does not take at present, and why, in words for who asked. What was accepted before is gone on with
// in any case. Set by the daemon, looked at with every request. Any thread.
class Admission {
 public:
  void SetDraining() { draining_.store(true, std::memory_order_relaxed); }
  void SetRestored(bool unconfirmed) { restored_.store(unconfirmed, std::memory_order_relaxed); }
  void SetLowDisk(bool low) { low_disk_.store(low, std::memory_order_relaxed); }

  // Not OK: the switch is being stopped. kUnavailable.
  absl::Status CheckServing() const;

  // Not OK: nothing is changed and no biller is asked. CheckServing's, or kFailedPrecondition for a restored ledger
  // that nobody has confirmed.
  absl::Status CheckChanges() const;

  // Not OK: a payment, cancel or counter purchase that is new is refused with it; a repeat is still answered.
  // CheckChanges's, or kResourceExhausted when the disk is nearly full.
  absl::Status CheckNewWork() const;

 private:
  std::atomic<bool> draining_{false};
  std::atomic<bool> restored_{false};
  std::atomic<bool> low_disk_{false};
};

}  // namespace waystation::rpc
