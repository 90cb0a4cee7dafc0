#include "storage/rebuild.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/functional/function_ref.h"
#include "fmt/format.h"
#include "storage/durable_file.h"
#include "storage/folder_lock.h"
#include "storage/index.h"
#include "storage/restored_marker.h"
#include "storage/rocks_commit_log.h"
#include "storage/snapshot.h"
#include "storage/verify.h"
#include "switch/core/ledger.h"

namespace waystation::storage {
namespace {

namespace fs = std::filesystem;

absl::Status AppendAndWait(CommitLog* log, const SealedBlock* block, const RowBatch& rows) {
  std::promise<CommitResult> promise;
  log->Append(block, rows, [&promise](CommitResult result) { promise.set_value(std::move(result)); });
  const CommitResult result = promise.get_future().get();
  if (result.outcome == CommitOutcome::kDurable) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("the new ledger can't be written: {}", result.cause));
}

// Replays a journal from its beginning. `visit` gets each block once the ledger stands at its end, with the index rows
// that its legs make.
class Replay {
 public:
  using Visit = absl::FunctionRef<absl::Status(const SealedBlock& block, const RowBatch& rows)>;

  absl::Status Run(const CommitLog& from, Visit visit) {
    absl::Status status;
    absl::Status read = from.ReadBlocks(0, [&](uint64_t key, std::string_view bytes) {
      status = OnBlock(key, bytes, visit);
      return status.ok();
    });
    if (!status.ok()) return status;
    if (read.ok()) return read;
    return absl::Status(read.code(),
                        fmt::format("after leg {}: {}", position_.last_sequence, std::string(read.message())));
  }

  const ChainPosition& position() const { return position_; }
  uint64_t blocks() const { return blocks_; }
  // Null when the journal is empty.
  core::Ledger* ledger() { return ledger_.has_value() ? &*ledger_ : nullptr; }

 private:
  absl::Status OnBlock(uint64_t key, std::string_view bytes, Visit visit) {
    const absl::StatusOr<OpenedBlock> block = OpenNextBlock(bytes, &position_);
    if (!block.ok()) {
      return absl::Status(block.status().code(),
                          fmt::format("block at sequence {}: {}", key, std::string(block.status().message())));
    }
    if (block->header.first_sequence() != key) {
      return absl::DataLossError(
          fmt::format("block at sequence {}: is stored under {}", block->header.first_sequence(), key));
    }
    if (!ledger_.has_value()) ledger_.emplace(block->stamp.business_date);
    rows_.Clear();
    for (const core::Leg& leg : block->legs) {
      if (absl::Status status = ledger_->Apply(leg, block->stamp); !status.ok()) return status;
      AddRowsAfter(*ledger_, leg, &rows_);
    }
    const SealedBlock sealed{key, position_.last_sequence, std::string(bytes)};
    if (absl::Status status = visit(sealed, rows_); !status.ok()) return status;
    ledger_->ForgetAtRest(position_.last_sequence);
    ++blocks_;
    return absl::OkStatus();
  }

  ChainPosition position_;
  uint64_t blocks_ = 0;
  std::optional<core::Ledger> ledger_;
  RowBatch rows_;
};

// Two folders change places in one step.
absl::Status Exchange(const std::string& a, const std::string& b) {
  if (renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("{} and {} can't change places: {}; the second one is the rebuilt ledger, whole and verified: put it "
                  "in the first one's place by hand",
                  a, b, std::strerror(errno)));
}

// A name that is not taken: `base`, a dash, a number.
std::string FreeName(const std::string& base) {
  std::error_code ignored;
  int number = 1;
  while (fs::exists(fmt::format("{}-{}", base, number), ignored)) ++number;
  return fmt::format("{}-{}", base, number);
}

// Builds the new ledger in `building`, and proves it.
absl::StatusOr<Rebuilt> Build(const CommitLog& journal, const std::string& building,
                              const std::optional<HighWaterMark>& mark) {
  absl::StatusOr<std::unique_ptr<RocksCommitLog>> to = RocksCommitLog::OpenToBuild(building);
  if (!to.ok()) return to.status();
  absl::StatusOr<Rebuilt> rebuilt = CopyWithNewRows(journal, to->get());
  if (!rebuilt.ok()) return rebuilt;
  if (mark.has_value()) {
    if (absl::Status held = CheckHighWater(journal, rebuilt->end, mark); !held.ok()) return held;
  }
  if (absl::Status status = (*to)->Finish(); !status.ok()) return status;
  const absl::StatusOr<VerifyReport> report = Verify(**to, **to);
  if (!report.ok()) return report.status();
  if (!report->clean()) {
    return absl::InternalError(fmt::format("the rebuilt ledger does not verify: {}", report->faults.front()));
  }
  return rebuilt;
}

}  // namespace

absl::StatusOr<Rebuilt> CopyWithNewRows(const CommitLog& from, CommitLog* to) {
  Replay replay;
  absl::Status status = replay.Run(
      from, [to](const SealedBlock& block, const RowBatch& rows) { return AppendAndWait(to, &block, rows); });
  if (!status.ok()) return status;
  if (replay.ledger() != nullptr) {
    RowBatch snapshot;
    AddSnapshotRows(replay.position(), replay.ledger(), &snapshot);
    if (status = AppendAndWait(to, nullptr, snapshot); !status.ok()) return status;
  }
  return Rebuilt{replay.blocks(), replay.position()};
}

absl::StatusOr<RebuiltLedger> RebuildLedger(const LedgerFolders& folders) {
  const absl::StatusOr<FolderLock> lock = FolderLock::Take(folders.data);
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<std::optional<HighWaterMark>> mark = HighWaterFile(folders.data + "/high_water").Read();
  if (!mark.ok()) return mark.status();
  const std::string building = folders.ledger + ".building";
  std::error_code error;
  fs::remove_all(building, error);
  if (error) return absl::UnavailableError(fmt::format("{} can't be removed: {}", building, error.message()));
  absl::StatusOr<Rebuilt> rebuilt;
  {
    const absl::StatusOr<std::unique_ptr<RocksCommitLog>> journal =
        RocksCommitLog::OpenJournal(folders.ledger, folders.scratch);
    if (!journal.ok()) return journal.status();
    rebuilt = Build(**journal, building, *mark);
  }
  if (!rebuilt.ok()) {
    fs::remove_all(building, error);
    return rebuilt.status();
  }
  // Under its last name before it changes places: whatever a crash leaves under that name, nobody removes it.
  RebuiltLedger result{*rebuilt, FreeName(folders.ledger + ".before-rebuild")};
  fs::rename(building, result.replaced, error);
  if (error) return absl::UnavailableError(fmt::format("{} can't be renamed: {}", building, error.message()));
  if (absl::Status status = SyncFolder(folders.data); !status.ok()) return status;
  if (absl::Status status = Exchange(folders.ledger, result.replaced); !status.ok()) return status;
  if (absl::Status status = SyncFolder(folders.data); !status.ok()) return status;
  return result;
}

absl::StatusOr<AcceptedEnd> AcceptEnd(const LedgerFolders& folders, uint64_t last_sequence) {
  const absl::StatusOr<FolderLock> lock = FolderLock::Take(folders.data);
  if (!lock.ok()) return lock.status();
  const std::string path = folders.data + "/high_water";
  HighWaterFile file(path);
  const absl::StatusOr<std::optional<HighWaterMark>> mark = file.Read();
  if (!mark.ok() && !absl::IsDataLoss(mark.status())) return mark.status();
  const absl::StatusOr<std::unique_ptr<RocksCommitLog>> journal =
      RocksCommitLog::OpenJournal(folders.ledger, folders.scratch);
  if (!journal.ok()) return journal.status();
  Replay replay;
  absl::Status status = replay.Run(**journal, [](const SealedBlock&, const RowBatch&) { return absl::OkStatus(); });
  if (!status.ok()) return status;
  AcceptedEnd accepted{.end = replay.position(), .given_up = std::nullopt, .kept_mark = {}};
  if (accepted.end.last_sequence != last_sequence) {
    return absl::InvalidArgumentError(
        fmt::format("the journal ends at leg {}, not at {}", accepted.end.last_sequence, last_sequence));
  }
  if (mark.ok() && mark->has_value()) {
    accepted.given_up = (*mark)->position;
    const absl::Status held = CheckHighWater(**journal, accepted.end, *mark);
    if (absl::IsUnavailable(held)) return held;
    if (held.ok()) {
      return absl::FailedPreconditionError(
          fmt::format("the journal holds all that its high-water mark says, up to leg {}: there is nothing to give up",
                      (*mark)->position.last_sequence));
    }
  }
  std::error_code error;
  if (fs::exists(path, error)) {
    accepted.kept_mark = FreeName(path + ".given-up");
    fs::copy_file(path, accepted.kept_mark, error);
  }
  if (error) return absl::UnavailableError(fmt::format("{} can't be copied: {}", path, error.message()));
  // First the restriction, then what it is about. One that stands already says the same.
  const absl::StatusOr<std::optional<RestoredMarker>> restored = ReadRestoredMarker(folders.data);
  if (!restored.ok()) return restored.status();
  if (!restored->has_value()) {
    const RestoredMarker marker{
        .complete = true, .backup_id = 0, .backup_time = accepted.end.time, .last_sequence = last_sequence};
    if (status = WriteRestoredMarker(folders.data, marker); !status.ok()) return status;
  }
  if (status = file.Write(accepted.end); !status.ok()) return status;
  return accepted;
}

}  // namespace waystation::storage
