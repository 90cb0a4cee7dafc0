#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "storage/commit_log.h"
#include "storage/sha256.h"
#include "waystation/journal/v1/journal.pb.h"

namespace waystation::storage {

// Walks along the journal of a ledger that is at work, some blocks at a time, and gives them as they are stored. Reads
// no more than it is told is durable. Keeps nothing between reads but its place. One thread.
class JournalReader {
 public:
  // Begins at leg `from`, 1 or greater. `log` outlives the reader.
  JournalReader(const CommitLog* log, uint64_t from) : log_(log), next_(from) {}

  // The next leg to be read.
  uint64_t next() const { return next_; }

  // Adds the blocks that follow, those that end at leg `to` or before, until they have `enough_bytes` together: at
  // least one where next() is not past `to`, which is the end of a block. Of the first block ever read, legs before
  // `from` are left out.
  //
  // kOutOfRange where next() is a number that the journal passed over when it was resumed after a restore: a leg of the
  // ledger's former life. kDataLoss, with the sequence number, where a block is damaged or missing or does not follow
  // the one before; kUnimplemented for a block of a newer format; what comes before it is read first. After an error
  // nothing is added.
  using Blocks = google::protobuf::RepeatedPtrField<journal::v1::Block>;
  absl::Status Read(uint64_t to, size_t enough_bytes, Blocks* blocks);

 private:
  // Leaves `block` without legs where it is the one before next().
  absl::Status Take(std::string_view sealed_block, journal::v1::Block* block);

  const CommitLog* const log_;
  uint64_t next_;
  // Of the block before next_; null: none was read.
  std::optional<Sha256Digest> sha256_;
  // The block before next_ that was met where none begins there; null: none was.
  struct Before {
    uint64_t past;
    Sha256Digest sha256;
  };
  std::optional<Before> before_;
};

}  // namespace waystation::storage
