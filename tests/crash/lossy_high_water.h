#pragma once

#include <random>
#include <string>

#include "storage/high_water.h"
#include "tests/crash/lossy_file_system.h"

namespace waystation::crash {

// A high-water file on the disk of a LossyFileSystem: each write of the mark counts there as one change, which may
// fail, and in the midst of which the power may go: then the mark is the old one, the new one, or a slot that is torn.
// Made anew for each run of the ledger. Threads: as of HighWater.
class LossyHighWater final : public storage::HighWater {
 public:
  // `files` outlives it.
  LossyHighWater(std::string path, LossyFileSystem* files, uint64_t seed)
      : path_(std::move(path)), file_(path_), files_(files), random_(seed) {}

  absl::StatusOr<std::optional<storage::HighWaterMark>> Read() const override { return file_.Read(); }
  absl::Status Write(const storage::ChainPosition& position) override;

 private:
  void WriteInPart(const storage::ChainPosition& position);

  const std::string path_;
  storage::HighWaterFile file_;
  LossyFileSystem* const files_;
  std::mt19937_64 random_;
};

}  // namespace waystation::crash
