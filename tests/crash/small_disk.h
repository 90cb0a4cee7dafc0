#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waystation::crash {

// A disk that a test fills up and frees again, with the limits that a switch on it is to keep to, in MB.
//
// One of its own: a tmpfs in a mount namespace of this process, which goes away with it, so that it can be really full;
// needs the right to mount, or to make user namespaces. Or the disk that a folder is on, filled only in relation to the
// limits, which are set a little below what is free there: that works anywhere, and fills nothing up.
class SmallDisk {
 public:
  // Before this process has any other thread. `folder` exists; not OK where mounting is not allowed.
  static absl::StatusOr<SmallDisk> Mount(const std::string& folder);
  static absl::StatusOr<SmallDisk> InRelationTo(const std::string& folder);

  SmallDisk(SmallDisk&& other) noexcept;
  SmallDisk& operator=(SmallDisk&&) = delete;
  ~SmallDisk();

  const std::string& folder() const { return folder_; }
  bool can_be_full() const { return can_be_full_; }
  uint32_t low_mb() const { return low_mb_; }
  uint32_t enough_mb() const { return enough_mb_; }
  uint32_t ballast_mb() const { return ballast_mb_; }

  // Takes space until at most so much is free; 0, where it can be full: until nothing more can be written.
  absl::Status FillTo(uint64_t free_mb);
  // Gives back all that was taken.
  void Free();
  uint64_t FreeMb() const;

 private:
  SmallDisk(std::string folder, bool can_be_full) : folder_(std::move(folder)), can_be_full_(can_be_full) {}

  std::string folder_;
  bool can_be_full_;  // it is mounted
  uint32_t low_mb_ = 0;
  uint32_t enough_mb_ = 0;
  uint32_t ballast_mb_ = 0;
  uint64_t filled_ = 0;
};

}  // namespace waystation::crash
