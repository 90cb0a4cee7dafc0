#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "storage/folder_lock.h"

namespace waystation::daemon {

// The data folder of one switch, locked for this process for as long as the object lives:
//
//   switchd.lock         held by the process whose id it contains
//   token.key            32 random bytes that seal inquiry and page tokens; made on first use
//   ledger/              the RocksDB database
//   high_water           how far the ledger is known to have been durable (storage/high_water.h)
//   ledger.log-before-start/   only while a start is under way, or after one that was refused: RocksDB's log as it was
//
// Errors of Open name the folder, what is wrong with it, and what to do.
class DataFolder {
 public:
  // Makes the folder when it is missing.
  static absl::StatusOr<DataFolder> Open(const std::string& path);

  std::string ledger_path() const { return path_ + "/ledger"; }
  std::string high_water_path() const { return path_ + "/high_water"; }
  std::string kept_log_path() const { return path_ + "/ledger.log-before-start"; }
  const std::string& path() const { return path_; }
  // Once the ledger is recovered and found whole.
  void DropKeptLog() const;
  const std::string& token_key() const { return token_key_; }

 private:
  DataFolder(std::string path, storage::FolderLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  storage::FolderLock lock_;
  std::string token_key_;
};

}  // namespace waystation::daemon
