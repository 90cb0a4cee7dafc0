#include "storage/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/format.h"

namespace waystation::storage {

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string name = folder + "/switchd.lock";
  const int file = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::PermissionDeniedError(fmt::format("{} can't be written: {}", folder, std::strerror(errno)));
  }
  FolderLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    std::string holder(32, '\0');
    const ssize_t size = pread(file, holder.data(), holder.size(), 0);
    holder.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return absl::FailedPreconditionError(
        fmt::format("{} is in use by process {}", folder, holder.empty() ? "unknown" : holder));
  }
  const std::string self = std::to_string(getpid());
  if (ftruncate(file, 0) != 0 || pwrite(file, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size())) {
    return absl::UnavailableError(fmt::format("{} can't be written: {}", name, std::strerror(errno)));
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace waystation::storage
