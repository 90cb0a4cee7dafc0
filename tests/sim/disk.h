#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "storage/commit_log.h"
#include "storage/memory_commit_log.h"
#include "storage/rows.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/random.h"
#include "tests/sim/report.h"

namespace waystation::sim {

// What the switch's process has of its storage: what it appends to, and what it reads.
class Store : public storage::CommitLog, public storage::RowReader {};

// How often the disk fails, in a thousand operations, and how long a commit takes.
struct DiskProfile {
  uint32_t failed_commits = 0;
  uint32_t failed_reads = 0;
  int64_t slowest_commit_ms = 20;
};

// The disk as one life of the process sees it: commits become durable later, in order, several at once. `durable` is
// what survives. A crash loses what was not durable yet, or leaves a part of it there that nobody was told of.
class Disk final : public Store {
 public:
  // Told of each block when it has become durable.
  using OnDurable = std::function<void(std::string_view sealed_block)>;

  // All outlive the disk.
  Disk(storage::MemoryCommitLog* durable, Life life, Random* random, Report* report, const DiskProfile* profile,
       OnDurable on_durable);

  // The process is gone: nobody is told anything any more.
  void Crash();

  void Append(const storage::SealedBlock* block, const storage::RowBatch& rows, Done done) override;
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override;
  absl::StatusOr<std::optional<std::string>> Get(storage::Table table, std::string_view key) const override;
  absl::Status Scan(storage::Table table, std::string_view first, std::string_view past, Visit visit) const override;
  absl::Status ScanBackward(storage::Table table, std::string_view first, std::string_view past,
                            Visit visit) const override;

 private:
  struct Commit {
    std::optional<storage::SealedBlock> block;
    storage::RowBatch rows;
    Done done;
  };

  void Finish();
  void MakeDurable(Commit commit);
  void LeaveSomeOf();
  absl::Status MayRead() const;

  storage::MemoryCommitLog* const durable_;
  const Life life_;
  Random* const random_;
  Report* const report_;
  const DiskProfile* const profile_;
  const OnDurable on_durable_;
  std::deque<Commit> in_flight_;
  core::SteadyTime last_finish_;
  bool failed_ = false;
};

}  // namespace waystation::sim
