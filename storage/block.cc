#include "storage/block.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "storage/leg_codec.h"
#include "switch/core/check.h"

namespace waystation::storage {
namespace {

// One full block of payments with room to spare, so that a block's messages cost no allocation of their own.
constexpr size_t kArenaBytes = 1 << 20;

google::protobuf::ArenaOptions OptionsFor(std::vector<char>& chunk) {
  google::protobuf::ArenaOptions options;
  options.initial_block = chunk.data();
  options.initial_block_size = chunk.size();
  return options;
}

absl::Status Damaged(uint64_t first_sequence, std::string_view fault) {
  return absl::DataLossError(fmt::format("block at sequence {}: {}", first_sequence, fault));
}

}  // namespace

BlockBuilder::BlockBuilder()
    : first_chunk_(kArenaBytes),
      arena_(OptionsFor(first_chunk_)),
      block_(google::protobuf::Arena::CreateMessage<pb::Block>(&arena_)) {}

void BlockBuilder::Start(const ChainPosition& position, const core::BlockStamp& stamp) {
  arena_.Reset();
  block_ = google::protobuf::Arena::CreateMessage<pb::Block>(&arena_);
  pb::BlockHeader* header = block_->mutable_header();
  header->set_format_version(kJournalFormatVersion);
  header->set_time_ms(stamp.time.time_since_epoch().count());
  header->set_business_date(stamp.business_date.number());
  header->set_previous_sha256(std::string(AsText(position.sha256)));
}

void BlockBuilder::Add(const core::Leg& leg) {
  if (empty()) block_->mutable_header()->set_first_sequence(leg.sequence);
  EncodeLeg(leg, block_->add_legs());
}

void BlockBuilder::Seal(ChainPosition* position, SealedBlock* sealed) {
  WS_CHECK(!empty(), "an empty block is not sealed");
  // The sealed form is written by hand around the block's bytes, so that they are serialized and copied once: field 1
  // (sha256, 32 bytes), then field 2 (block).
  const size_t size = block_->ByteSizeLong();
  pb::SealedBlock frame;
  frame.set_sha256(std::string(32, '\0'));
  std::string& bytes = sealed->bytes;
  bytes = frame.SerializeAsString();
  const size_t hash_at = bytes.size() - 32;
  bytes.push_back(static_cast<char>(pb::SealedBlock::kBlockFieldNumber << 3 | 2));
  for (size_t rest = size;; rest >>= 7) {
    bytes.push_back(static_cast<char>(rest < 0x80 ? rest : (rest & 0x7f) | 0x80));
    if (rest < 0x80) break;
  }
  const size_t body_at = bytes.size();
  bytes.resize(body_at + size);
  block_->SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes.data() + body_at));
  const Sha256Digest digest = Sha256(std::string_view(bytes).substr(body_at));
  std::copy(digest.begin(), digest.end(), bytes.begin() + static_cast<std::ptrdiff_t>(hash_at));

  sealed->first_sequence = block_->header().first_sequence();
  sealed->last_sequence = block_->legs(block_->legs_size() - 1).sequence();
  position->last_sequence = sealed->last_sequence;
  position->sha256 = digest;
  position->time = core::TimePoint(std::chrono::milliseconds(block_->header().time_ms()));
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
