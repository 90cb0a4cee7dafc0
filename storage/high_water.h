#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/commit_log.h"

// How far the journal is known to have been durable, kept apart from it: a store that comes back shorter, or with
// another block there, is noticed. RocksDB ends its recovery at the first damage of its log and says nothing.
namespace waystation::storage {

// What was written last, and could be read.
struct HighWaterMark {
  ChainPosition position;
  // One of the two slots is damaged: `position` may be the write before the last.
  bool slot_damaged = false;
};

// Where the mark is kept. One thread at a time.
class HighWater {
 public:
  virtual ~HighWater() = default;

  // Null when none was ever written. kDataLoss when there is one that can't be trusted.
  virtual absl::StatusOr<std::optional<HighWaterMark>> Read() const = 0;

  // `position` must be durable in the journal. When it returns OK, the mark is durable too; a crash in the middle
  // leaves the one before.
  virtual absl::Status Write(const ChainPosition& position) = 0;
};

// In a file of two slots of 4 KiB, written in turn and synced each time. A slot: "wshwater", format version (4 bytes),
// generation (8), sequence number (8), time in ms (8), the block's SHA-256 (32), then the SHA-256 of all that; numbers
// big-endian. The slot of the higher generation counts.
class HighWaterFile final : public HighWater {
 public:
  // Nothing is opened or made yet: Read reads the file as it is, the first Write makes it.
  explicit HighWaterFile(std::string path);
  HighWaterFile(const HighWaterFile&) = delete;
  HighWaterFile& operator=(const HighWaterFile&) = delete;
  ~HighWaterFile() override;

  absl::StatusOr<std::optional<HighWaterMark>> Read() const override;
  // A file that Read refuses is written over: that is for who decided to give it up.
  absl::Status Write(const ChainPosition& position) override;

 private:
  absl::Status Make(const ChainPosition& position);

  const std::string path_;
  int file_ = -1;
  uint64_t generation_ = 0;
};

// Whether the journal, which ends at `end`, holds what was durable at `mark`. kDataLoss says what was expected and what
// is there; kUnavailable: the disk did not give the block. Without a mark: kDataLoss, unless the journal is empty or
// its newest block is of journal format 1, which is from before marks were kept.
absl::Status CheckHighWater(const CommitLog& log, const ChainPosition& end, const std::optional<HighWaterMark>& mark);

// Start-up, with the mark as it was read before the journal was opened and recovered up to `end`: the same check, and
// then a mark at `end` where there is none, durable before the first leg is added. From then on it must be there.
absl::Status HoldToHighWater(HighWater* file, const CommitLog& log, const ChainPosition& end,
                             const std::optional<HighWaterMark>& mark);

}  // namespace waystation::storage
