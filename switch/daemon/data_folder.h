#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace waystation::daemon {

// The data folder of one switch, locked for this process for as long as the object lives:
//
//   switchd.lock         held by the process whose id it contains
//   token.key            32 random bytes that seal inquiry and page tokens; made on first use
//   ledger/              the RocksDB database
//
// Errors of Open name the folder, what is wrong with it, and what to do.
class DataFolder {
 public:
  // Makes the folder when it is missing.
  static absl::StatusOr<DataFolder> Open(const std::string& path);

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  std::string ledger_path() const { return path_ + "/ledger"; }
  const std::string& token_key() const { return token_key_; }

 private:
  DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;  // a file descriptor; -1 when moved from
  std::string token_key_;
};

}  // namespace waystation::daemon
