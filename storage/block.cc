#include "storage/block.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "storage/leg_codec.h"
#include "switch/core/check.h"

namespace waystation::storage {
namespace {

absl::Status Damaged(uint64_t first_sequence, std::string_view fault) {
  return absl::DataLossError(fmt::format("block at sequence {}: {}", first_sequence, fault));
}

}  // namespace

void BlockBuilder::Start(const ChainPosition& position, const core::BlockStamp& stamp) {
  previous_ = position;
  stamp_ = stamp;
  block_.Clear();
}

void BlockBuilder::Add(const core::Leg& leg) {
  if (empty()) {
    first_sequence_ = leg.sequence;
    block_.Message(pb::Block::kHeaderFieldNumber, [this] {
      using Fields = pb::BlockHeader;
      block_.Number(Fields::kFormatVersionFieldNumber, kJournalFormatVersion);
      block_.Number(Fields::kFirstSequenceFieldNumber, first_sequence_);
      block_.Number(Fields::kTimeMsFieldNumber, static_cast<uint64_t>(stamp_.time.time_since_epoch().count()));
      block_.Number(Fields::kBusinessDateFieldNumber, stamp_.business_date.number());
      block_.Text(Fields::kPreviousSha256FieldNumber, AsText(previous_.sha256));
    });
  }
  last_sequence_ = leg.sequence;
  block_.Message(pb::Block::kLegsFieldNumber, [&] { EncodeLeg(leg, &block_); });
}

void BlockBuilder::Seal(ChainPosition* position, SealedBlock* sealed) {
  WS_CHECK(!empty(), "an empty block is not sealed");
  const Sha256Digest digest = Sha256(block_.bytes());
  sealed_.Clear();
  sealed_.Text(pb::SealedBlock::kSha256FieldNumber, AsText(digest));
  sealed_.Text(pb::SealedBlock::kBlockFieldNumber, block_.bytes());
  sealed->bytes = sealed_.bytes();
  sealed->first_sequence = first_sequence_;
  sealed->last_sequence = last_sequence_;
  *position = {last_sequence_, digest, stamp_.time};
}

absl::StatusOr<Sha256Digest> UnsealBlock(std::string_view sealed_block, pb::Block* block) {
  pb::SealedBlock sealed;
  if (!sealed.ParseFromArray(sealed_block.data(), static_cast<int>(sealed_block.size()))) {
    return absl::DataLossError("a stored block does not parse");
  }
  const Sha256Digest sha256 = Sha256(sealed.block());
  if (sealed.sha256() != AsText(sha256)) return absl::DataLossError("a stored block does not match its SHA-256");
  if (!block->ParseFromString(sealed.block())) return absl::DataLossError("a stored block does not parse");
  if (block->header().format_version() > kJournalFormatVersion) {
    return absl::UnimplementedError(
        fmt::format("block at sequence {}: is of journal format {}; this program reads up to {}, use a newer one",
                    block->header().first_sequence(), block->header().format_version(), kJournalFormatVersion));
  }
  return sha256;
}

absl::StatusOr<OpenedBlock> OpenBlock(std::string_view sealed_block) {
  pb::Block block;
  const absl::StatusOr<Sha256Digest> sha256 = UnsealBlock(sealed_block, &block);
  if (!sha256.ok()) return sha256.status();
  OpenedBlock opened;
  opened.sha256 = *sha256;
  opened.header = block.header();
  const uint64_t first = opened.header.first_sequence();
  const auto date = core::BusinessDate::FromNumber(opened.header.business_date());
  if (!date.ok()) return Damaged(first, std::string(date.status().message()));
  opened.stamp = {core::TimePoint(std::chrono::milliseconds(opened.header.time_ms())), *date};
  if (block.legs().empty()) return Damaged(first, "has no legs");
  opened.legs.reserve(static_cast<size_t>(block.legs_size()));
  for (const pb::Leg& stored : block.legs()) {
    if (stored.sequence() != first + opened.legs.size()) {
      return Damaged(first, fmt::format("holds leg {}; expected {}", stored.sequence(), first + opened.legs.size()));
    }
    absl::StatusOr<core::Leg> leg = DecodeLeg(stored);
    if (!leg.ok()) return leg.status();
    opened.legs.push_back(*std::move(leg));
  }
  return opened;
}

absl::StatusOr<OpenedBlock> OpenNextBlock(std::string_view sealed_block, ChainPosition* position) {
  absl::StatusOr<OpenedBlock> opened = OpenBlock(sealed_block);
  if (!opened.ok()) {
    if (!absl::IsDataLoss(opened.status())) return opened;
    return absl::DataLossError(
        fmt::format("after leg {}: {}", position->last_sequence, std::string(opened.status().message())));
  }
  const uint64_t first = opened->header.first_sequence();
  const bool resumed = std::holds_alternative<core::JournalResumed>(opened->legs.front().fact);
  if (first != position->last_sequence + 1 && !(resumed && first > position->last_sequence)) {
    return Damaged(first, fmt::format("follows leg {}; legs between them are missing", position->last_sequence));
  }
  if (opened->header.previous_sha256() != AsText(position->sha256)) {
    return Damaged(first, "is not chained to the block before it");
  }
  if (opened->stamp.time < position->time) return Damaged(first, "is earlier than the block before it");
  *position = {opened->legs.back().sequence, opened->sha256, opened->stamp.time};
  return opened;
}

}  // namespace waystation::storage
