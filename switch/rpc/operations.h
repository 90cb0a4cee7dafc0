#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waystation/v1/operations_service.pb.h"

namespace waystation::rpc {

// What OperationsService has done for it: the daemon implements it, since only it knows the disk. Any thread.
class Operations {
 public:
  virtual ~Operations() = default;

  // All but last_sequence.
  virtual v1::SwitchStatus Status() const = 0;

  // A level of the API but "unspecified"; `caller` is for the line that says so.
  virtual v1::LogStatus SetLogLevel(v1::LogLevel wanted, const std::string& caller) = 0;

  // Begins a backup, of everything up to `last_sequence` at least; `done` is called on another thread when it is
  // complete or has failed, or at once where it can't begin: kFailedPrecondition.
  using BackupDone = absl::AnyInvocable<void(absl::StatusOr<v1::Backup>)>;
  virtual void CreateBackup(uint64_t last_sequence, BackupDone done) = 0;

  // The sequence number at which a ledger that lacks legs would go on now: one that was never given.
  // kFailedPrecondition where this ledger need not be confirmed.
  virtual absl::StatusOr<uint64_t> ResumeAt() const = 0;

  // The journal was resumed, and that is durable: the ledger may send from now on. Durable when it returns OK,
  // otherwise the restriction still stands. May wait for the disk.
  virtual absl::Status Resumed() = 0;
};

}  // namespace waystation::rpc
