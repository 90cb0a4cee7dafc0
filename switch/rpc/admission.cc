#include "switch/rpc/admission.h"

namespace waystation::rpc {

absl::Status Admission::CheckServing() const {
  if (!draining_.load(std::memory_order_relaxed)) return absl::OkStatus();
  return absl::UnavailableError("the switch is shutting down; nothing was done: send the same request again later");
}

absl::Status Admission::CheckChanges() const {
  if (absl::Status status = CheckServing(); !status.ok()) return status;
  if (!restored_.load(std::memory_order_relaxed)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this ledger was restored from a backup, or its end was given up, and nobody has confirmed that no other switch "
      "works on its accounts: only reads are answered, nothing was done. Operations: make sure of it, then `switchctl "
      "backup confirm-old-switch-dead`");
}

absl::Status Admission::CheckNewWork() const {
  if (absl::Status status = CheckChanges(); !status.ok()) return status;
  if (!low_disk_.load(std::memory_order_relaxed)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the switch's disk is nearly full: payments, cancels and counter purchases that are new are refused, nothing was "
      "done: send the same request again later. Operations: free disk space; `switchctl status` shows how much");
}

}  // namespace waystation::rpc
