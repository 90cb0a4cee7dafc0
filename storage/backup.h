#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocks_commit_log.h"
#include "storage/verify.h"
#include "switch/core/clock.h"

namespace rocksdb {
class BackupEngine;
}

// Backups of a ledger, in a folder of their own (RocksDB's BackupEngine: checksums over all files; table files that
// several backups have in common are stored once). A backup folder belongs to one ledger. Only the ledger is in a
// backup: no lock, no high-water mark (a restore makes its own), and no token.key, which is a secret and is made anew
// on first use.
namespace waystation::storage {

struct Backup {
  uint32_t id = 0;
  core::TimePoint time;        // when it was begun, to the second
  uint64_t bytes = 0;          // also of files that other backups share
  uint64_t last_sequence = 0;  // every leg up to it is in it; a few later ones may be
};

// Makes backups of a ledger that is being written to. One thread at a time, but for Stop and copied_bytes.
class BackupMaker {
 public:
  // `folder` is made when missing, its parent is not. After each backup all but the newest `keep` are deleted.
  BackupMaker(std::string folder, uint32_t keep) : folder_(std::move(folder)), keep_(keep) {}

  // Returns when the backup is complete and synced; the writer goes on meanwhile. Every block that is durable when it
  // is called is in the backup; `last_sequence` is where that ends, for the record. What fails, fails the backup alone:
  // kFailedPrecondition for a folder that can't be used or holds another ledger's backups, kCancelled after Stop,
  // kUnavailable for a write that failed (a full disk), kDataLoss for a ledger that can't be read.
  absl::StatusOr<Backup> Make(RocksCommitLog& log, uint64_t last_sequence);

  // Ends a Make that is under way, and any later one, before long. Any thread.
  void Stop();

  // Of the Make under way, or else the last one; counted every few megabytes. Any thread.
  uint64_t copied_bytes() const { return copied_bytes_.load(std::memory_order_relaxed); }

 private:
  const std::string folder_;
  const uint32_t keep_;
  std::atomic<uint64_t> copied_bytes_{0};
  std::mutex mutex_;
  bool stopped_ = false;                      // guarded by mutex_
  rocksdb::BackupEngine* running_ = nullptr;  // guarded by mutex_
};

// The backups of a folder, oldest first. kNotFound when there is none, kDataLoss when the folder can't be read. A
// backup that is being made meanwhile does not show yet.
absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& backup_folder);

struct RestoredLedger {
  Backup backup;
  VerifyReport verified;
};

// Restores backup `id` (0: the newest) into `data_folder`, which is empty or missing, checks the checksum of every
// file, and verifies what is there then as storage/verify does. Durable when it returns; a folder whose restore did
// not come to its end, or whose ledger is not clean, is refused by switchd (restored_marker.h).
//
// Errors: kNotFound when there is no such backup, kFailedPrecondition when the folder is not empty, kDataLoss when a
// file is damaged, kUnavailable when the copy could not be written. Faults of the ledger are in `verified`.
absl::StatusOr<RestoredLedger> RestoreBackup(const std::string& backup_folder, uint32_t id,
                                             const std::string& data_folder);

}  // namespace waystation::storage
