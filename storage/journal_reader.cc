#include "storage/journal_reader.h"

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "storage/block.h"

namespace waystation::storage {

absl::Status JournalReader::Read(uint64_t to, size_t enough_bytes, Blocks* blocks) {
  if (next_ > to) return absl::OkStatus();
  absl::Status fault = absl::DataLossError(fmt::format("leg {} is missing from the journal", next_));
  size_t bytes = 0;
  const absl::Status read = log_->ReadBlocks(next_, [&](uint64_t first_sequence, std::string_view sealed_block) {
    if (first_sequence > to) return false;
    journal::v1::Block* block = blocks->Add();
    const absl::Status taken = Take(sealed_block, block);
    const bool before = taken.ok() && block->legs().empty();
    if (!taken.ok() || before) blocks->RemoveLast();
    if (before) return true;
    // What comes before a fault is good; the next read begins with it.
    if (taken.ok() || bytes == 0) fault = taken;
    if (!taken.ok()) return false;
    bytes += sealed_block.size();
    return bytes < enough_bytes && next_ <= to;
  });
  return read.ok() ? fault : read;
}

absl::Status JournalReader::Take(std::string_view sealed_block, journal::v1::Block* block) {
  const absl::StatusOr<Sha256Digest> sha256 = UnsealBlock(sealed_block, block);
  if (!sha256.ok()) {
    if (!absl::IsDataLoss(sha256.status())) return sha256.status();
    return absl::DataLossError(fmt::format("at leg {}: {}", next_, std::string(sha256.status().message())));
  }
  const uint64_t first = block->header().first_sequence();
  const uint64_t past = first + static_cast<uint64_t>(block->legs_size());
  if (past <= next_) {
    // No leg has the number next_. This is the block before it, whole; the one behind it may resume the journal.
    before_ = Before{past, *sha256};
    block->clear_legs();
    return absl::OkStatus();
  }
  if (block->legs().empty()) return absl::DataLossError(fmt::format("block at sequence {}: has no legs", first));
  const bool resumes = first > next_ && block->legs(0).has_journal_resumed();
  if (resumes && before_.has_value() && before_->past < next_ &&
      block->header().previous_sha256() == AsText(before_->sha256)) {
    return absl::OutOfRangeError(
        fmt::format("leg {} is of a former life of this ledger, which was restored: it goes on from leg {} at leg {}",
                    next_, before_->past - 1, first));
  }
  // Blocks are read to their ends, so that only the first one may begin before next_.
  const bool passed_over = resumes && (!before_.has_value() || before_->past == next_);
  if (!passed_over && (first > next_ || (sha256_.has_value() && first != next_))) {
    return absl::DataLossError(
        fmt::format("leg {} is missing from the journal: the block at its place has {} to {}", next_, first, past - 1));
  }
  for (int i = 0; i < block->legs_size(); ++i) {
    const uint64_t expected = first + static_cast<uint64_t>(i);
    if (block->legs(i).sequence() == expected) continue;
    return absl::DataLossError(
        fmt::format("block at sequence {}: holds leg {}; expected {}", first, block->legs(i).sequence(), expected));
  }
  if (!sha256_.has_value() && resumes && before_.has_value()) sha256_ = before_->sha256;
  if (sha256_.has_value() && block->header().previous_sha256() != AsText(*sha256_)) {
    return absl::DataLossError(fmt::format("block at sequence {}: is not chained to the block before it", first));
  }
  if (!resumes) block->mutable_legs()->DeleteSubrange(0, static_cast<int>(next_ - first));
  sha256_ = *sha256;
  next_ = past;
  before_.reset();
  return absl::OkStatus();
}

}  // namespace waystation::storage
