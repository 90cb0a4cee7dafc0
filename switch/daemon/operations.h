#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/backup.h"
#include "storage/restored_marker.h"
#include "switch/core/clock.h"
#include "switch/daemon/async_log.h"
#include "switch/daemon/disk_watch.h"
#include "switch/rpc/admission.h"
#include "switch/rpc/operations.h"
#include "waystation/config/v1/config.pb.h"

namespace waystation::daemon {

// What OperationsService does on this machine: backups, each on a thread of its own, and the confirmation of a restored
// ledger.
class Operations final : public rpc::Operations {
 public:
  // All outlive it. `restored`: the mark of the data folder, where it has one; `on_confirmed` is called, once, when it
  // is gone, before new work is taken.
  Operations(const config::v1::Storage& storage, storage::RocksCommitLog* log, const DiskWatch* disk,
             const AsyncLog* process_log, rpc::Admission* admission, const core::Clock* clock,
             std::optional<storage::RestoredMarker> restored, std::function<void()> on_confirmed);
  ~Operations() override;

  // Ends a backup that is being made; it fails.
  void Stop();

  v1::SwitchStatus Status() const override;
  v1::LogStatus SetLogLevel(v1::LogLevel wanted, const std::string& caller) override;
  void CreateBackup(uint64_t last_sequence, BackupDone done) override;
  absl::StatusOr<uint64_t> ResumeAt() const override;
  absl::Status Resumed() override;

 private:
  v1::LogStatus LogStatus() const;
  absl::Status Begin(uint64_t last_sequence, BackupDone* done);
  void RunBackup(uint64_t last_sequence, BackupDone done);

  const config::v1::Storage storage_;
  storage::RocksCommitLog* const log_;
  const DiskWatch* const disk_;
  const AsyncLog* const process_log_;
  rpc::Admission* const admission_;
  const core::Clock* const clock_;
  const std::function<void()> on_confirmed_;
  storage::BackupMaker maker_;

  mutable std::mutex mutex_;
  bool stopped_ = false;                             // guarded by mutex_
  std::optional<storage::RestoredMarker> restored_;  // guarded by mutex_
  v1::BackupStatus backup_;                          // guarded by mutex_; but for copied_bytes
  std::thread thread_;                               // guarded by mutex_
};

}  // namespace waystation::daemon
