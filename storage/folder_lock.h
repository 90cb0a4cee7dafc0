#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace waystation::storage {

// Held by the one process that may write in a data folder, for as long as the object lives: a lock on its file
// `switchd.lock`, which names the process and stays behind.
class FolderLock {
 public:
  // The folder must exist. kFailedPrecondition when another process holds it, kPermissionDenied or kUnavailable when
  // the file can't be written; the message names the folder and the cause.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_;  // -1 when moved from
};

}  // namespace waystation::storage
