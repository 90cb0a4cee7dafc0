#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/commit_log.h"
#include "storage/sha256.h"
#include "storage/wire_writer.h"
#include "switch/core/leg.h"
#include "waystation/journal/v1/journal.pb.h"

namespace waystation::storage {

// Where a chain of blocks has got to.
struct ChainPosition {
  uint64_t last_sequence = 0;  // 0: no block yet
  Sha256Digest sha256{};       // of the last block; zeros: no block yet
  core::TimePoint time;        // of the last block
};

inline constexpr uint32_t kJournalFormatVersion = 3;

// Gathers legs and seals them into one block, chained to `position`. One thread. Reused from block to block, so that
// its memory is.
class BlockBuilder {
 public:
  void Start(const ChainPosition& position, const core::BlockStamp& stamp);
  void Add(const core::Leg& leg);
  bool empty() const { return block_.empty(); }
  // Fills `sealed` and moves `position` to the block's end. Not for an empty block.
  void Seal(ChainPosition* position, SealedBlock* sealed);

 private:
  ChainPosition previous_;
  core::BlockStamp stamp_;
  uint64_t first_sequence_ = 0;
  uint64_t last_sequence_ = 0;
  WireWriter block_;  // as far as it has got
  WireWriter sealed_;
};

// Checks the hash and the format version, and parses the block; what is in it is not looked at. Errors as OpenBlock's.
absl::StatusOr<Sha256Digest> UnsealBlock(std::string_view sealed_block, journal::v1::Block* block);

// A block read back.
struct OpenedBlock {
  journal::v1::BlockHeader header;
  core::BlockStamp stamp;
  Sha256Digest sha256{};
  std::vector<core::Leg> legs;
};

// Checks the hash, the format version and the numbering within the block, and decodes it. kDataLoss with a cause where
// anything is wrong; kUnimplemented for a format version that is newer than ours.
absl::StatusOr<OpenedBlock> OpenBlock(std::string_view sealed_block);

// The same, and that the block follows `position`, which is then moved to the block's end.
absl::StatusOr<OpenedBlock> OpenNextBlock(std::string_view sealed_block, ChainPosition* position);

}  // namespace waystation::storage
