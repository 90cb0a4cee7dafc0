#include "storage/backup.h"

#include <fcntl.h>
#include <rocksdb/utilities/backup_engine.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "storage/block.h"
#include "storage/durable_file.h"
#include "storage/high_water.h"
#include "storage/restored_marker.h"
#include "storage/sha256.h"
#include "switch/core/check.h"

namespace waystation::storage {
namespace {

namespace fs = std::filesystem;

// What a backup says of itself, in RocksDB's metadata: this, then the ledger, then the sequence number.
constexpr std::string_view kNoteBegins = "waystation 1 ";
constexpr uint64_t kProgressBytes = 4 << 20;

rocksdb::BackupEngineOptions EngineOptions(const std::string& folder) {
  rocksdb::BackupEngineOptions options(folder);
  options.sync = true;
  options.callback_trigger_interval_size = kProgressBytes;
  return options;
}

// The ledger's name: the hash of its first block, which no other ledger has.
absl::StatusOr<std::string> NameOfLedger(const CommitLog& log) {
  std::string name;
  absl::Status read = log.ReadBlocks(1, [&name](uint64_t, std::string_view sealed) {
    name = ToHex(Sha256(sealed));
    return false;
  });
  if (!read.ok()) return read;
  if (name.empty()) return absl::FailedPreconditionError("the ledger is empty: there is nothing to back up yet");
  return name;
}

std::string Note(const std::string& ledger, uint64_t last_sequence) {
  return fmt::format("{}{} {}", kNoteBegins, ledger, last_sequence);
}

struct Described {
  Backup backup;
  std::string ledger;
};

std::optional<Described> Describe(const rocksdb::BackupInfo& info) {
  std::string_view note = info.app_metadata;
  if (!note.starts_with(kNoteBegins)) return std::nullopt;
  note.remove_prefix(kNoteBegins.size());
  const size_t space = note.find(' ');
  if (space == note.npos) return std::nullopt;
  Described described{{.id = info.backup_id,
                       .time = core::TimePoint(std::chrono::seconds(info.timestamp)),
                       .bytes = info.size,
                       .last_sequence = 0},
                      std::string(note.substr(0, space))};
  const char* end = note.data() + note.size();
  const auto [parsed_to, error] = std::from_chars(note.data() + space + 1, end, described.backup.last_sequence);
  if (error != std::errc() || parsed_to != end) return std::nullopt;
  return described;
}

absl::StatusOr<std::vector<Described>> DescribeAll(const rocksdb::BackupEngineReadOnlyBase& engine,
                                                   const std::string& folder) {
  std::vector<rocksdb::BackupInfo> infos;
  engine.GetBackupInfo(&infos);
  std::vector<Described> all;
  for (const rocksdb::BackupInfo& info : infos) {
    std::optional<Described> described = Describe(info);
    if (!described.has_value()) {
      return absl::FailedPreconditionError(
          fmt::format("backup {} in {} is not of a Waystation ledger; expected a folder for one ledger's backups alone",
                      info.backup_id, folder));
    }
    all.push_back(*std::move(described));
  }
  return all;
}

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenToRead(const std::string& folder) {
  const auto not_found = [&folder](const std::string& why) {
    return absl::NotFoundError(fmt::format(
        "\"{}\" {}; expected the folder that storage.backup_dir of switchd's configuration names", folder, why));
  };
  std::error_code error;
  // RocksDB would make the folder.
  if (!fs::is_directory(folder, error)) return not_found("is not a folder");
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::IOStatus opened =
      rocksdb::BackupEngineReadOnly::Open(EngineOptions(folder), rocksdb::Env::Default(), &engine);
  if (opened.IsNotFound() || opened.IsPathNotFound()) return not_found("has no backups in it");
  if (!opened.ok()) return absl::DataLossError(fmt::format("{} can't be read: {}", folder, opened.ToString()));
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

absl::StatusOr<std::vector<Described>> DescribeFolder(const rocksdb::BackupEngineReadOnly& engine,
                                                      const std::string& folder) {
  absl::StatusOr<std::vector<Described>> all = DescribeAll(engine, folder);
  if (all.ok() && all->empty()) {
    return absl::NotFoundError(fmt::format("\"{}\" has no complete backup in it; expected one", folder));
  }
  return all;
}

absl::Status SyncPath(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  const std::string cause = std::strerror(errno);
  if (file >= 0) close(file);
  return synced ? absl::OkStatus() : absl::UnavailableError(fmt::format("{} can't be synced: {}", path, cause));
}

// Whether RocksDB has synced each file and folder that it restored is nothing that its contract says.
absl::Status SyncAll(const std::string& data_folder, const std::string& ledger) {
  std::error_code error;
  for (fs::directory_iterator it(ledger, error), end; !error && it != end; it.increment(error)) {
    if (absl::Status status = SyncPath(it->path().string()); !status.ok()) return status;
  }
  if (error) return absl::UnavailableError(fmt::format("{} can't be read: {}", ledger, error.message()));
  if (absl::Status status = SyncFolder(ledger); !status.ok()) return status;
  return SyncFolder(data_folder);
}

absl::Status MakeEmptyFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  const bool empty = !error && fs::is_empty(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("\"{}\" can't be used: {}; expected an empty folder, or a path where one can be made", folder,
                    error.message()));
  }
  if (empty) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("\"{}\" is not empty; expected an empty folder: a restore never writes over a ledger", folder));
}

// The mark that a switch would have left, so that a restored ledger that loses its end is noticed like any other.
absl::Status WriteHighWater(const std::string& data_folder, const CommitLog& log, uint64_t last_sequence) {
  absl::StatusOr<OpenedBlock> last = absl::DataLossError("the journal is empty");
  absl::Status read = log.ReadBlocks(last_sequence, [&last](uint64_t, std::string_view sealed) {
    last = OpenBlock(sealed);
    return false;
  });
  if (!read.ok()) return read;
  if (!last.ok()) return last.status();
  return HighWaterFile(data_folder + "/high_water")
      .Write({.last_sequence = last_sequence, .sha256 = last->sha256, .time = last->stamp.time});
}

absl::StatusOr<VerifyReport> VerifyRestored(const std::string& data_folder, const std::string& ledger,
                                            const Backup& backup) {
  const std::string scratch = data_folder + "/verify.scratch";
  std::error_code error;
  fs::create_directory(scratch, error);
  absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::OpenToRead(ledger, scratch);
  if (!log.ok()) return log.status();
  absl::StatusOr<VerifyReport> report = Verify(**log, **log);
  if (report.ok() && report->last_sequence < backup.last_sequence) {
    ++report->fault_count;
    report->faults.push_back(fmt::format("the journal ends at leg {}; expected at least leg {}, which backup {} has",
                                         report->last_sequence, backup.last_sequence, backup.id));
  }
  if (report.ok() && report->clean()) {
    if (absl::Status status = WriteHighWater(data_folder, **log, report->last_sequence); !status.ok()) return status;
  }
  log->reset();
  fs::remove_all(scratch, error);
  return report;
}

}  // namespace

absl::StatusOr<Backup> BackupMaker::Make(RocksCommitLog& log, uint64_t last_sequence) {
  copied_bytes_ = 0;
  absl::StatusOr<std::string> ledger = NameOfLedger(log);
  if (!ledger.ok()) return ledger.status();
  rocksdb::BackupEngine* opened = nullptr;
  rocksdb::IOStatus status = rocksdb::BackupEngine::Open(EngineOptions(folder_), rocksdb::Env::Default(), &opened);
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  if (!status.ok()) {
    return absl::FailedPreconditionError(fmt::format(
        "storage.backup_dir: {} can't be used: {}; expected a folder that switchd's user may write to, or a "
        "path where one can be made",
        folder_, status.ToString()));
  }
  const absl::StatusOr<std::vector<Described>> present = DescribeAll(*engine, folder_);
  if (!present.ok()) return present.status();
  if (!present->empty() && present->back().ledger != *ledger) {
    return absl::FailedPreconditionError(fmt::format(
        "storage.backup_dir: {} has backups of another ledger; expected a folder for this one's alone", folder_));
  }
  {
    const std::lock_guard lock(mutex_);
    running_ = engine.get();
    if (stopped_) engine->StopBackup();
  }
  rocksdb::CreateBackupOptions options;
  // The log of what is not yet in table files is copied with them; to flush it first would only take from the payments.
  options.flush_before_backup = false;
  options.progress_callback = [this] { copied_bytes_.fetch_add(kProgressBytes, std::memory_order_relaxed); };
  options.decrease_background_thread_cpu_priority = true;
  options.background_thread_cpu_priority = rocksdb::CpuPriority::kLow;
  rocksdb::BackupID id = 0;
  status = engine->CreateNewBackupWithMetadata(options, log.database(), Note(*ledger, last_sequence), &id);
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    running_ = nullptr;
    stopped = stopped_;
  }
  if (!status.ok()) {
    if (stopped) return absl::CancelledError("the backup was given up before its end");
    return absl::UnavailableError(
        fmt::format("the backup in {} failed: {}; the backups before it are whole. See that the disk has room, and "
                    "make another",
                    folder_, status.ToString()));
  }
  rocksdb::BackupInfo info;
  if (const rocksdb::Status found = engine->GetBackupInfo(id, &info); !found.ok()) {
    return absl::DataLossError(fmt::format("backup {} in {} can't be found: {}", id, folder_, found.ToString()));
  }
  const std::optional<Described> made = Describe(info);
  WS_CHECK(made.has_value(), "a backup has lost its note");
  // The new one stands; that an old one could not be deleted is made up for by the next.
  engine->PurgeOldBackups(keep_).PermitUncheckedError();
  return made->backup;
}

void BackupMaker::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (running_ != nullptr) running_->StopBackup();
}

absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& backup_folder) {
  const absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> engine = OpenToRead(backup_folder);
  if (!engine.ok()) return engine.status();
  const absl::StatusOr<std::vector<Described>> all = DescribeFolder(**engine, backup_folder);
  if (!all.ok()) return all.status();
  std::vector<Backup> backups;
  for (const Described& described : *all) backups.push_back(described.backup);
  return backups;
}

absl::StatusOr<RestoredLedger> RestoreBackup(const std::string& backup_folder, uint32_t id,
                                             const std::string& data_folder) {
  const absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> engine = OpenToRead(backup_folder);
  if (!engine.ok()) return engine.status();
  const absl::StatusOr<std::vector<Described>> all = DescribeFolder(**engine, backup_folder);
  if (!all.ok()) return all.status();
  const auto chosen = id == 0 ? std::prev(all->end())
                              : std::find_if(all->begin(), all->end(),
                                             [id](const Described& described) { return described.backup.id == id; });
  if (chosen == all->end()) {
    return absl::NotFoundError(fmt::format("\"{}\" has no complete backup {}; it has {} to {}", backup_folder, id,
                                           all->front().backup.id, all->back().backup.id));
  }
  const Backup& backup = chosen->backup;

  if (absl::Status status = MakeEmptyFolder(data_folder); !status.ok()) return status;
  RestoredMarker marker{.complete = false, .backup_id = backup.id, .backup_time = backup.time, .last_sequence = 0};
  if (absl::Status status = WriteRestoredMarker(data_folder, marker); !status.ok()) return status;
  const std::string ledger = data_folder + "/ledger";
  const rocksdb::IOStatus restored =
      (*engine)->RestoreDBFromBackup(rocksdb::RestoreOptions(), backup.id, ledger, ledger);
  if (!restored.ok()) {
    const std::string what =
        fmt::format("backup {} in {} can't be restored: {}", backup.id, backup_folder, restored.ToString());
    return restored.IsCorruption() ? absl::DataLossError(what) : absl::UnavailableError(what);
  }
  if (absl::Status status = SyncAll(data_folder, ledger); !status.ok()) return status;
  absl::StatusOr<VerifyReport> verified = VerifyRestored(data_folder, ledger, backup);
  if (!verified.ok()) return verified.status();
  if (verified->clean()) {
    marker.complete = true;
    marker.last_sequence = verified->last_sequence;
    if (absl::Status status = WriteRestoredMarker(data_folder, marker); !status.ok()) return status;
  }
  return RestoredLedger{backup, *std::move(verified)};
}

}  // namespace waystation::storage
