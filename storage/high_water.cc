#include "storage/high_water.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "storage/durable_file.h"
#include "storage/key.h"

namespace waystation::storage {
namespace {

constexpr std::string_view kMagic = "wshwater";
constexpr uint32_t kVersion = 1;
// Each on a sector of its own, so that a write torn by a power cut harms one of them.
constexpr size_t kSlotBytes = 4096;
constexpr size_t kSlots = 2;
constexpr size_t kVersionAt = 8;
constexpr size_t kGenerationAt = 12;
constexpr size_t kSequenceAt = 20;
constexpr size_t kTimeAt = 28;
constexpr size_t kHashAt = 36;
constexpr size_t kChecksumAt = 68;
constexpr size_t kEnd = 100;

// Of the journal: programs that wrote format 1 may have kept no mark.
constexpr uint32_t kFirstFormatWithMark = 2;

struct Slot {
  uint64_t generation = 0;
  ChainPosition position;
};

std::string Encode(const Slot& slot) {
  std::string bytes(kMagic);
  AppendNumber(&bytes, kVersion);
  AppendNumber(&bytes, slot.generation);
  AppendNumber(&bytes, slot.position.last_sequence);
  AppendNumber(&bytes, static_cast<uint64_t>(slot.position.time.time_since_epoch().count()));
  bytes += AsText(slot.position.sha256);
  bytes += AsText(Sha256(bytes));
  bytes.resize(kSlotBytes, '\0');
  return bytes;
}

enum class SlotState { kWhole, kNeverWritten, kDamaged, kNewer };

SlotState Decode(std::string_view bytes, Slot* slot) {
  if (bytes.size() != kSlotBytes) return SlotState::kDamaged;
  if (bytes.find_first_not_of('\0') == bytes.npos) return SlotState::kNeverWritten;
  if (bytes.substr(kChecksumAt, kEnd - kChecksumAt) != AsText(Sha256(bytes.substr(0, kChecksumAt)))) {
    return SlotState::kDamaged;
  }
  if (bytes.substr(0, kMagic.size()) != kMagic) return SlotState::kDamaged;
  if (ReadNumber<uint32_t>(bytes.substr(kVersionAt)) > kVersion) return SlotState::kNewer;
  slot->generation = ReadNumber<uint64_t>(bytes.substr(kGenerationAt));
  slot->position.last_sequence = ReadNumber<uint64_t>(bytes.substr(kSequenceAt));
  slot->position.time =
      core::TimePoint(std::chrono::milliseconds(static_cast<int64_t>(ReadNumber<uint64_t>(bytes.substr(kTimeAt)))));
  std::copy_n(bytes.begin() + kHashAt, slot->position.sha256.size(), slot->position.sha256.begin());
  return SlotState::kWhole;
}

struct Slots {
  Slot newest;
  size_t whole = 0;
  size_t damaged = 0;
};

absl::StatusOr<Slots> DecodeAll(std::string_view file, const std::string& path) {
  Slots slots;
  for (size_t i = 0; i < kSlots; ++i) {
    Slot slot;
    switch (Decode(file.substr(std::min(file.size(), i * kSlotBytes), kSlotBytes), &slot)) {
      case SlotState::kWhole:
        ++slots.whole;
        if (slot.generation > slots.newest.generation) slots.newest = slot;
        break;
      case SlotState::kNeverWritten: break;
      case SlotState::kDamaged: ++slots.damaged; break;
      case SlotState::kNewer:
        return absl::UnimplementedError(
            fmt::format("{} is of a format that is newer than {}, which this program reads up to; use a newer one",
                        path, kVersion));
    }
  }
  return slots;
}

// All of the file, or null when there is none.
absl::StatusOr<std::optional<std::string>> ReadWhole(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::nullopt;
  std::string bytes(kSlots * kSlotBytes, '\0');
  const ssize_t size = file < 0 ? -1 : pread(file, bytes.data(), bytes.size(), 0);
  const int cause = errno;
  if (file >= 0) close(file);
  if (size < 0) return absl::UnavailableError(fmt::format("{} can't be read: {}", path, std::strerror(cause)));
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

std::string TimeText(core::TimePoint time) {
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(time))));
}

absl::StatusOr<OpenedBlock> BlockWith(const CommitLog& log, uint64_t sequence) {
  absl::StatusOr<OpenedBlock> block =
      absl::DataLossError(fmt::format("the journal has no block with leg {}", sequence));
  const absl::Status read = log.ReadBlocks(sequence, [&](uint64_t, std::string_view bytes) {
    block = OpenBlock(bytes);
    return false;
  });
  if (!read.ok()) return read;
  return block;
}

absl::Status CheckMayLackMark(const CommitLog& log, const ChainPosition& end) {
  if (end.last_sequence == 0) return absl::OkStatus();
  const absl::StatusOr<OpenedBlock> newest = BlockWith(log, end.last_sequence);
  if (!newest.ok()) return newest.status();
  if (newest->header.format_version() < kFirstFormatWithMark) return absl::OkStatus();
  return absl::DataLossError(fmt::format(
      "the file high_water is gone, so whether the journal still has all that was durable can't be told: it "
      "ends at leg {}",
      end.last_sequence));
}

}  // namespace

HighWaterFile::HighWaterFile(std::string path) : path_(std::move(path)) {}

HighWaterFile::~HighWaterFile() {
  if (file_ >= 0) close(file_);
}

absl::StatusOr<std::optional<HighWaterMark>> HighWaterFile::Read() const {
  const absl::StatusOr<std::optional<std::string>> bytes = ReadWhole(path_);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  const absl::StatusOr<Slots> slots = DecodeAll(**bytes, path_);
  if (!slots.ok()) return slots.status();
  if (slots->whole == 0) {
    return absl::DataLossError(fmt::format("{}: none of its {} slots is whole", path_, kSlots));
  }
  return HighWaterMark{slots->newest.position, slots->damaged > 0};
}

absl::Status HighWaterFile::Write(const ChainPosition& position) {
  if (file_ < 0) {
    const absl::StatusOr<std::optional<std::string>> bytes = ReadWhole(path_);
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<Slots> slots = DecodeAll(bytes->value_or(""), path_);
    if (!slots.ok() || slots->whole == 0) return Make(position);
    generation_ = slots->newest.generation;
    file_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) return absl::UnavailableError(fmt::format("{} can't be opened: {}", path_, std::strerror(errno)));
  }
  ++generation_;
  const std::string slot = Encode({generation_, position});
  const auto at = static_cast<off_t>(generation_ % kSlots * kSlotBytes);
  if (pwrite(file_, slot.data(), slot.size(), at) != static_cast<ssize_t>(slot.size())) {
    return absl::UnavailableError(fmt::format("{} can't be written: {}", path_, std::strerror(errno)));
  }
  if (fdatasync(file_) != 0) {
    return absl::UnavailableError(fmt::format("{} can't be synced: {}", path_, std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status HighWaterFile::Make(const ChainPosition& position) {
  generation_ = kSlots;
  absl::Status status = WriteFileDurably(path_, Encode({generation_, position}) + std::string(kSlotBytes, '\0'));
  if (!status.ok()) return status;
  file_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (file_ < 0) return absl::UnavailableError(fmt::format("{} can't be opened: {}", path_, std::strerror(errno)));
  return absl::OkStatus();
}

absl::Status CheckHighWater(const CommitLog& log, const ChainPosition& end, const std::optional<HighWaterMark>& mark) {
  if (!mark.has_value()) return CheckMayLackMark(log, end);
  const ChainPosition& durable = mark->position;
  if (durable.last_sequence == 0) return absl::OkStatus();
  if (end.last_sequence < durable.last_sequence) {
    return absl::DataLossError(
        fmt::format("the journal ends at leg {}, but leg {} was durable at {}: what came after {} is missing",
                    end.last_sequence, durable.last_sequence, TimeText(durable.time), end.last_sequence));
  }
  const absl::StatusOr<OpenedBlock> block = BlockWith(log, durable.last_sequence);
  if (!block.ok()) return block.status();
  if (block->legs.back().sequence == durable.last_sequence && block->sha256 == durable.sha256) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("the block with leg {} is another than the one that was durable at {}: expected one that ends there "
                  "with SHA-256 {}, found one that ends at {} with {}",
                  durable.last_sequence, TimeText(durable.time), ToHex(durable.sha256), block->legs.back().sequence,
                  ToHex(block->sha256)));
}

absl::Status HoldToHighWater(HighWater* file, const CommitLog& log, const ChainPosition& end,
                             const std::optional<HighWaterMark>& mark) {
  if (absl::Status held = CheckHighWater(log, end, mark); !held.ok() || mark.has_value()) return held;
  return file->Write(end);
}

}  // namespace waystation::storage
