#include "switch/daemon/disk_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/log.h"

namespace waystation::daemon {

using core::Log;
using core::LogLevel;

namespace {

constexpr std::string_view kComponent = "disk";

constexpr uint64_t kMegabyte = 1 << 20;

}  // namespace

absl::StatusOr<uint64_t> DataDisk::FreeBytes() {
  struct statvfs space;
  if (statvfs(folder_.c_str(), &space) != 0) {
    return absl::UnavailableError(fmt::format("statvfs of {}: {}", folder_, std::strerror(errno)));
  }
  return static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
}

uint64_t DataDisk::BallastBytes() {
  struct stat file;
  return stat(ballast_.c_str(), &file) == 0 ? static_cast<uint64_t>(file.st_size) : 0;
}

absl::Status DataDisk::MakeBallast(uint64_t bytes) {
  if (absl::Status status = ReleaseBallast(); !status.ok()) return status;
  const int file = open(ballast_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return absl::UnavailableError(fmt::format("{}: {}", ballast_, std::strerror(errno)));
  int error = posix_fallocate(file, 0, static_cast<off_t>(bytes));
  if (error == 0 && fsync(file) != 0) error = errno;
  close(file);
  if (error == 0) return absl::OkStatus();
  // What there is of it is worth nothing, and in the way.
  unlink(ballast_.c_str());
  return absl::UnavailableError(fmt::format("{} of {} MB: {}", ballast_, bytes / kMegabyte, std::strerror(error)));
}

absl::Status DataDisk::ReleaseBallast() {
  if (unlink(ballast_.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{}: {}", ballast_, std::strerror(errno)));
}

DiskWatch::DiskWatch(Disk* disk, const DiskLimits& limits, std::function<void(bool low)> on_change)
    : disk_(disk), limits_(limits), on_change_(std::move(on_change)) {}

DiskWatch::State DiskWatch::Look() {
  const std::lock_guard looking(looking_);
  State now = state();
  const absl::StatusOr<uint64_t> free = disk_->FreeBytes();
  if (!free.ok()) {
    LogFailure(fmt::format("the free disk space can't be found out: {}; what was found last is gone by",
                           std::string(free.status().message())));
    return now;
  }
  now.free_bytes = *free;
  now.ballast_bytes = disk_->BallastBytes();
  const uint64_t missing = limits_.ballast > now.ballast_bytes ? limits_.ballast - now.ballast_bytes : 0;
  const uint64_t spare = now.free_bytes > missing ? now.free_bytes - missing : 0;
  bool low = spare < (now.low ? limits_.enough_from : limits_.low_below);
  if (!low && now.ballast_bytes != limits_.ballast) low = !MakeBallast(&now);
  if (now.ballast_bytes > 0 && now.free_bytes < ReleaseBelow()) ReleaseBallast(&now);
  if (low != std::exchange(now.low, low)) Announce(now);
  const std::lock_guard lock(mutex_);
  state_ = now;
  return now;
}

bool DiskWatch::MakeBallast(State* now) {
  if (const absl::Status made = disk_->MakeBallast(limits_.ballast); !made.ok()) {
    LogFailure(
        fmt::format("the ballast can't be made: {}. New payments, cancels and counter purchases are refused until it "
                    "can: free disk space, or see that switchd's user may write there",
                    std::string(made.message())));
    now->ballast_bytes = disk_->BallastBytes();
    return false;
  }
  last_failure_.clear();
  now->free_bytes = now->free_bytes + now->ballast_bytes - limits_.ballast;
  now->ballast_bytes = limits_.ballast;
  return true;
}

void DiskWatch::ReleaseBallast(State* now) {
  if (const absl::Status released = disk_->ReleaseBallast(); !released.ok()) {
    LogFailure(fmt::format("the ballast can't be released: {}; remove the file by hand, and free disk space",
                           std::string(released.message())));
    return;
  }
  Log(LogLevel::kError, kComponent,
      fmt::format("the disk is nearly full, {} MB are free: the ballast of {} MB is released, so that the outcomes of "
                  "payments can still be recorded. It is the last reserve: free disk space now, or switchd will stop",
                  now->free_bytes / kMegabyte, now->ballast_bytes / kMegabyte),
      {{"free_mb", now->free_bytes / kMegabyte}});
  now->free_bytes += now->ballast_bytes;
  now->ballast_bytes = 0;
}

void DiskWatch::Announce(const State& now) {
  if (now.low) {
    Log(LogLevel::kError, kComponent,
        fmt::format("{} MB of disk are free, storage.low_disk_mb is {}: new payments, cancels and counter purchases "
                    "are refused; what is held is gone on with. Free disk space, or make the disk larger: once {} MB "
                    "are free with the ballast of {} MB in place (storage.enough_disk_mb), they are taken again "
                    "without a restart",
                    now.free_bytes / kMegabyte, limits_.low_below / kMegabyte, limits_.enough_from / kMegabyte,
                    limits_.ballast / kMegabyte),
        {{"free_mb", now.free_bytes / kMegabyte}});
  } else {
    Log(LogLevel::kWarn, kComponent,
        fmt::format("{} MB of disk are free: new payments, cancels and counter purchases are taken again",
                    now.free_bytes / kMegabyte),
        {{"free_mb", now.free_bytes / kMegabyte}});
  }
  on_change_(now.low);
}

void DiskWatch::LogFailure(const std::string& what) {
  if (what == std::exchange(last_failure_, what)) return;
  Log(LogLevel::kError, kComponent, what);
}

DiskWatch::State DiskWatch::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace waystation::daemon
