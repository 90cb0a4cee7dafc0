#include "tests/sim/disk.h"

#include <algorithm>
#include <utility>

namespace waystation::sim {

Disk::Disk(storage::MemoryCommitLog* durable, Life life, Random* random, Report* report, const DiskProfile* profile,
           OnDurable on_durable)
    : durable_(durable),
      life_(std::move(life)),
      random_(random),
      report_(report),
      profile_(profile),
      on_durable_(std::move(on_durable)) {}

void Disk::Append(const storage::SealedBlock* block, const storage::RowBatch& rows, Done done) {
  in_flight_.push_back({block == nullptr ? std::nullopt : std::optional(*block), rows, std::move(done)});
  const core::SteadyTime soonest = std::max(last_finish_, life_.now());
  last_finish_ = soonest + random_->Millis(0, profile_->slowest_commit_ms);
  life_.At(last_finish_, [this] { Finish(); });
}

void Disk::Finish() {
  if (failed_ || random_->Chance(profile_->failed_commits)) {
    if (!std::exchange(failed_, true)) {
      report_->Trace("disk", "a commit fails, {} in flight", in_flight_.size());
      // Whether it is there is not known; what came after it may be there only if it is.
      Commit first = std::move(in_flight_.front());
      Done done = std::move(first.done);
      in_flight_.front() = {std::move(first.block), std::move(first.rows), {}};
      LeaveSomeOf();
      done({storage::CommitOutcome::kUnknown, "input/output error"});
    }
    return;
  }
  Commit commit = std::move(in_flight_.front());
  in_flight_.pop_front();
  Done done = std::move(commit.done);
  MakeDurable(std::move(commit));
  done({storage::CommitOutcome::kDurable, ""});
}

void Disk::MakeDurable(Commit commit) {
  durable_->Append(commit.block.has_value() ? &*commit.block : nullptr, commit.rows, [this](const auto& result) {
    if (result.outcome != storage::CommitOutcome::kDurable) report_->Broken("two blocks of one sequence number");
  });
  if (commit.block.has_value()) on_durable_(commit.block->bytes);
}

void Disk::LeaveSomeOf() {
  const size_t kept = random_->Chance(500) ? 0 : random_->Below(in_flight_.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    MakeDurable(std::move(in_flight_.front()));
    in_flight_.pop_front();
  }
  if (kept > 0) report_->Trace("disk", "{} commits are there that nobody was told of", kept);
  in_flight_.clear();
}

void Disk::Crash() {
  LeaveSomeOf();
  failed_ = true;
}

absl::Status Disk::MayRead() const {
  if (!random_->Chance(profile_->failed_reads)) return absl::OkStatus();
  report_->Trace("disk", "a read fails");
  return absl::UnavailableError("input/output error");
}

absl::Status Disk::ReadBlocks(uint64_t from_sequence, VisitBlock visit) const {
  absl::Status fault;
  absl::Status read = durable_->ReadBlocks(from_sequence, [&](uint64_t first, std::string_view bytes) {
    fault = MayRead();
    return fault.ok() && visit(first, bytes);
  });
  return fault.ok() ? read : fault;
}

absl::StatusOr<std::optional<std::string>> Disk::Get(storage::Table table, std::string_view key) const {
  if (absl::Status fault = MayRead(); !fault.ok()) return fault;
  return durable_->Get(table, key);
}

absl::Status Disk::Scan(storage::Table table, std::string_view first, std::string_view past, Visit visit) const {
  if (absl::Status fault = MayRead(); !fault.ok()) return fault;
  return durable_->Scan(table, first, past, visit);
}

absl::Status Disk::ScanBackward(storage::Table table, std::string_view first, std::string_view past,
                                Visit visit) const {
  if (absl::Status fault = MayRead(); !fault.ok()) return fault;
  return durable_->ScanBackward(table, first, past, visit);
}

}  // namespace waystation::sim
