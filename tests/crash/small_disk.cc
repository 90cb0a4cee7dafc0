#include "tests/crash/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "fmt/format.h"

namespace waystation::crash {
namespace {

constexpr uint64_t kMb = 1 << 20;
constexpr uint64_t kMountedMb = 512;

std::string Cause() {
  return std::strerror(errno);
}

// A mount namespace, with a user namespace around it where that is needed.
absl::Status LeaveNamespace() {
  if (unshare(CLONE_NEWNS) == 0) return absl::OkStatus();
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return absl::PermissionDeniedError("no mount namespace can be made: " + Cause());
  }
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << fmt::format("{0} {0} 1", user);
  std::ofstream("/proc/self/gid_map") << fmt::format("{0} {0} 1", group);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SmallDisk> SmallDisk::Mount(const std::string& folder) {
  if (absl::Status status = LeaveNamespace(); !status.ok()) return status;
  // What is mounted here is seen nowhere else.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("waystation", folder.c_str(), "tmpfs", 0, fmt::format("size={}m", kMountedMb).c_str()) != 0) {
    return absl::PermissionDeniedError(fmt::format("no tmpfs can be mounted on {}: {}", folder, Cause()));
  }
  SmallDisk disk(folder, true);
  disk.low_mb_ = 96;
  disk.enough_mb_ = 120;
  disk.ballast_mb_ = 24;
  return disk;
}

absl::StatusOr<SmallDisk> SmallDisk::InRelationTo(const std::string& folder) {
  SmallDisk disk(folder, false);
  const uint64_t free = disk.FreeMb();
  // Others on this machine write too: far from both limits at first.
  const uint64_t margin = std::min<uint64_t>(free / 4, 1'024);
  if (margin < 64) return absl::UnavailableError(fmt::format("{} has {} MB free; expected 256 at least", folder, free));
  disk.enough_mb_ = static_cast<uint32_t>(free - margin);
  disk.low_mb_ = static_cast<uint32_t>(free - margin - margin / 8);
  disk.ballast_mb_ = 2;
  return disk;
}

SmallDisk::SmallDisk(SmallDisk&& other) noexcept
    : folder_(std::move(other.folder_)),
      can_be_full_(std::exchange(other.can_be_full_, false)),
      low_mb_(other.low_mb_),
      enough_mb_(other.enough_mb_),
      ballast_mb_(other.ballast_mb_),
      filled_(other.filled_) {}

SmallDisk::~SmallDisk() {
  if (can_be_full_) umount2(folder_.c_str(), MNT_DETACH);
}

uint64_t SmallDisk::FreeMb() const {
  struct statvfs space;
  return statvfs(folder_.c_str(), &space) == 0 ? static_cast<uint64_t>(space.f_bavail) * space.f_frsize / kMb : 0;
}

absl::Status SmallDisk::FillTo(uint64_t free_mb) {
  const std::string path = folder_ + "/filler";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::UnavailableError(fmt::format("{}: {}", path, Cause()));
  absl::Status status;
  // Others free space meanwhile: looked at again after each part.
  for (uint64_t free = FreeMb(); free > free_mb && status.ok(); free = FreeMb()) {
    const uint64_t part = (free - free_mb) * kMb;
    const int error = posix_fallocate(file, static_cast<off_t>(filled_), static_cast<off_t>(part));
    if (error != 0) status = absl::UnavailableError(fmt::format("{} MB of {}: {}", part / kMb, path, strerror(error)));
    filled_ += part;
  }
  if (status.ok() && free_mb == 0 && can_be_full_) {
    const std::string page(4'096, 'x');
    for (ssize_t written = 1; written > 0; filled_ += static_cast<uint64_t>(std::max<ssize_t>(written, 0))) {
      written = pwrite(file, page.data(), page.size(), static_cast<off_t>(filled_));
    }
  }
  close(file);
  return status;
}

void SmallDisk::Free() {
  unlink((folder_ + "/filler").c_str());
  filled_ = 0;
}

}  // namespace waystation::crash
