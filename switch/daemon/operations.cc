#include "switch/daemon/operations.h"

#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "fmt/format.h"
#include "switch/core/log.h"

namespace waystation::daemon {

using core::Log;
using core::LogLevel;

namespace {

int64_t Milliseconds(core::TimePoint time) {
  return time.time_since_epoch().count();
}

v1::Backup ToProto(const storage::Backup& backup) {
  v1::Backup proto;
  proto.set_backup_id(backup.id);
  proto.set_made_at_ms(Milliseconds(backup.time));
  proto.set_bytes(backup.bytes);
  proto.set_last_sequence(backup.last_sequence);
  return proto;
}

// A folder that is not there yet is made in the one above it.
bool OnSameDisk(const std::string& data_folder, std::filesystem::path backup_folder) {
  struct stat data;
  struct stat backup;
  if (stat(data_folder.c_str(), &data) != 0) return false;
  if (stat(backup_folder.c_str(), &backup) != 0) {
    backup_folder = std::filesystem::absolute(backup_folder).parent_path();
    if (stat(backup_folder.c_str(), &backup) != 0) return false;
  }
  return data.st_dev == backup.st_dev;
}

}  // namespace

Operations::Operations(const config::v1::Storage& storage, storage::RocksCommitLog* log, const DiskWatch* disk,
                       const AsyncLog* process_log, rpc::Admission* admission, const core::Clock* clock,
                       std::optional<storage::RestoredMarker> restored, std::function<void()> on_confirmed)
    : storage_(storage),
      log_(log),
      disk_(disk),
      process_log_(process_log),
      admission_(admission),
      clock_(clock),
      on_confirmed_(std::move(on_confirmed)),
      maker_(storage.backup_dir(), storage.backups_kept()),
      restored_(std::move(restored)) {
  backup_.set_folder(storage_.backup_dir());
}

Operations::~Operations() {
  Stop();
}

void Operations::Stop() {
  maker_.Stop();
  std::thread last;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

v1::SwitchStatus Operations::Status() const {
  v1::SwitchStatus status;
  const DiskWatch::State disk = disk_->state();
  status.mutable_disk()->set_free_bytes(disk.free_bytes);
  status.mutable_disk()->set_low(disk.low);
  status.mutable_disk()->set_low_below_bytes(disk_->limits().low_below);
  status.mutable_disk()->set_enough_from_bytes(disk_->limits().enough_from);
  status.mutable_disk()->set_ballast_bytes(disk.ballast_bytes);
  *status.mutable_log() = LogStatus();
  const std::lock_guard lock(mutex_);
  *status.mutable_backup() = backup_;
  if (backup_.running_since_ms() != 0) status.mutable_backup()->set_copied_bytes(maker_.copied_bytes());
  if (restored_.has_value()) {
    status.mutable_restored()->set_backup_id(restored_->backup_id);
    status.mutable_restored()->set_backup_at_ms(Milliseconds(restored_->backup_time));
    status.mutable_restored()->set_last_sequence(restored_->last_sequence);
  }
  return status;
}

namespace {

v1::LogLevel ToProto(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return v1::LOG_LEVEL_DEBUG;
    case LogLevel::kInfo: return v1::LOG_LEVEL_INFO;
    case LogLevel::kWarn: return v1::LOG_LEVEL_WARN;
    case LogLevel::kError:
    case LogLevel::kCritical: return v1::LOG_LEVEL_ERROR;
  }
  return v1::LOG_LEVEL_ERROR;
}

// Of a level that the service has checked.
LogLevel FromProto(v1::LogLevel level) {
  if (level == v1::LOG_LEVEL_DEBUG) return LogLevel::kDebug;
  if (level == v1::LOG_LEVEL_INFO) return LogLevel::kInfo;
  return level == v1::LOG_LEVEL_WARN ? LogLevel::kWarn : LogLevel::kError;
}

std::string NameOf(LogLevel level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "critical"};
  return std::string(kNames[static_cast<size_t>(level)]);
}

}  // namespace

v1::LogStatus Operations::LogStatus() const {
  v1::LogStatus status;
  status.set_level(ToProto(core::CurrentLogLevel()));
  status.set_lost_lines(process_log_->lost_lines());
  return status;
}

v1::LogStatus Operations::SetLogLevel(v1::LogLevel wanted, const std::string& caller) {
  const std::lock_guard lock(mutex_);
  const LogLevel before = core::CurrentLogLevel();
  const LogLevel after = FromProto(wanted);
  // Said while the wordier of the two holds, and louder than either hides.
  core::SetLogLevel(std::min(before, after));
  Log(std::max(LogLevel::kWarn, std::min(before, after)), "log",
      fmt::format("the log's level is {} from now on, it was {}: set by a call from {}; a restart sets it back to the "
                  "configuration's",
                  NameOf(after), NameOf(before), caller),
      {{"from_level", NameOf(before)}, {"to_level", NameOf(after)}, {"caller", caller}});
  core::SetLogLevel(after);
  return LogStatus();
}

void Operations::CreateBackup(uint64_t last_sequence, BackupDone done) {
  if (absl::Status begun = Begin(last_sequence, &done); !begun.ok()) done(std::move(begun));
}

// Takes `done` only when it returns OK.
absl::Status Operations::Begin(uint64_t last_sequence, BackupDone* done) {
  if (storage_.backup_dir().empty()) {
    return absl::FailedPreconditionError(
        "storage.backup_dir is not in switchd's configuration; name the folder that backups go to, on another disk "
        "than the ledger, and restart switchd");
  }
  if (disk_->state().low && OnSameDisk(storage_.data_dir(), storage_.backup_dir())) {
    return absl::FailedPreconditionError(
        fmt::format("the disk is nearly full, and storage.backup_dir {} is on it: a backup would take what is left; "
                    "free disk space first",
                    storage_.backup_dir()));
  }
  const std::lock_guard lock(mutex_);
  if (stopped_) return absl::UnavailableError("the switch is shutting down; make the backup after its next start");
  if (backup_.running_since_ms() != 0) {
    return absl::FailedPreconditionError(
        fmt::format("a backup is being made, {} MB are copied so far; expected one at a time: wait for its end, "
                    "`switchctl status` shows it",
                    maker_.copied_bytes() >> 20));
  }
  if (thread_.joinable()) thread_.join();  // it has ended, or is about to: the last thing it did was to say so
  backup_.set_running_since_ms(Milliseconds(clock_->Now()));
  thread_ = std::thread(
      [this, last_sequence, taken = std::move(*done)]() mutable { RunBackup(last_sequence, std::move(taken)); });
  pthread_setname_np(thread_.native_handle(), "backup");
  return absl::OkStatus();
}

void Operations::RunBackup(uint64_t last_sequence, BackupDone done) {
  Log(LogLevel::kInfo, "backup",
      fmt::format("a backup into {} begins, of everything up to leg {}", storage_.backup_dir(), last_sequence),
      {{"last_sequence", last_sequence}});
  const core::SteadyTime began = clock_->Steady();
  absl::StatusOr<storage::Backup> made = maker_.Make(*log_, last_sequence);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->Steady() - began);
  if (made.ok()) {
    Log(LogLevel::kInfo, "backup",
        fmt::format("backup {} in {} is complete: {} MB, {} ms", made->id, storage_.backup_dir(), made->bytes >> 20,
                    took.count()),
        {{"backup_id", made->id}, {"bytes", made->bytes}, {"took_ms", took.count()}});
  } else {
    Log(LogLevel::kError, "backup", std::string(made.status().message()));
  }
  {
    const std::lock_guard lock(mutex_);
    backup_.set_running_since_ms(0);
    backup_.set_last_failure(std::string(made.status().message()));
    if (made.ok()) *backup_.mutable_last() = ToProto(*made);
  }
  if (made.ok()) {
    done(ToProto(*made));
  } else {
    done(made.status());
  }
}

absl::StatusOr<uint64_t> Operations::ResumeAt() const {
  const std::lock_guard lock(mutex_);
  if (!restored_.has_value()) {
    return absl::FailedPreconditionError(
        "there is nothing to confirm: this ledger was not restored from a backup and nothing of it was given up, or "
        "that is confirmed already");
  }
  // journal.proto says why: see JournalResumed.
  return static_cast<uint64_t>(Milliseconds(clock_->Now())) * 1'000;
}

absl::Status Operations::Resumed() {
  {
    const std::lock_guard lock(mutex_);
    if (!restored_.has_value()) return absl::OkStatus();  // two said it at once
    if (absl::Status removed = storage::RemoveRestoredMarker(storage_.data_dir()); !removed.ok()) return removed;
    restored_.reset();
  }
  Log(LogLevel::kWarn, "switchd",
      "it is confirmed that no other switch works on these accounts: open payments are resolved and new ones taken "
      "from now on");
  on_confirmed_();
  admission_->SetRestored(false);
  return absl::OkStatus();
}

}  // namespace waystation::daemon
