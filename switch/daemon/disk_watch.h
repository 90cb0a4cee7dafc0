#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waystation::daemon {

// The disk under the data folder, as far as the watch needs it.
class Disk {
 public:
  virtual ~Disk() = default;
  // What this process's user can still write.
  virtual absl::StatusOr<uint64_t> FreeBytes() = 0;
  // The ballast: a file that takes space for no other purpose than to give it back. 0: there is none.
  virtual uint64_t BallastBytes() = 0;
  // Really allocated when it returns OK; replaces one of another size.
  virtual absl::Status MakeBallast(uint64_t bytes) = 0;
  virtual absl::Status ReleaseBallast() = 0;
};

// The real one: statvfs, and the file `ballast` in `data_folder`, which exists.
class DataDisk final : public Disk {
 public:
  explicit DataDisk(const std::string& data_folder) : folder_(data_folder), ballast_(data_folder + "/ballast") {}
  absl::StatusOr<uint64_t> FreeBytes() override;
  uint64_t BallastBytes() override;
  absl::Status MakeBallast(uint64_t bytes) override;
  absl::Status ReleaseBallast() override;

 private:
  const std::string folder_;
  const std::string ballast_;
};

struct DiskLimits {
  uint64_t low_below = 0;    // bytes free; below a quarter of it the ballast is released
  uint64_t enough_from = 0;  // at least low_below
  uint64_t ballast = 0;
};

// Looks at the free space when it is told to, so that a disk that fills up costs new work first and the outcomes of
// what is held last:
//
//   free space below low_below                 new work is refused, outcomes are still recorded
//   below a quarter of it                      the ballast is released: the last reserve, for outcomes
//   enough_from again, with the ballast back   new work is taken again
//
// As long as the ballast is not there, its size does not count as free. What happens, and what to do, is logged.
//
// Threads: any.
class DiskWatch {
 public:
  // `on_change(low)` is called, on the thread that looked, when new work is to be refused and when to be taken again;
  // it is taken at first. All outlive the watch.
  DiskWatch(Disk* disk, const DiskLimits& limits, std::function<void(bool low)> on_change);

  struct State {
    uint64_t free_bytes = 0;
    uint64_t ballast_bytes = 0;
    bool low = false;
  };
  // One look, at once.
  State Look();
  // As the last look found it.
  State state() const;
  const DiskLimits& limits() const { return limits_; }

 private:
  uint64_t ReleaseBelow() const { return limits_.low_below / 4; }
  bool MakeBallast(State* now);
  void ReleaseBallast(State* now);
  void Announce(const State& now);
  void LogFailure(const std::string& what);

  Disk* const disk_;
  const DiskLimits limits_;
  const std::function<void(bool low)> on_change_;

  std::mutex looking_;        // one look at a time
  std::string last_failure_;  // guarded by looking_: logged once, not at every look

  mutable std::mutex mutex_;
  State state_;  // guarded by mutex_
};

}  // namespace waystation::daemon
