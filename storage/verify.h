#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/commit_log.h"
#include "storage/high_water.h"
#include "storage/rows.h"

namespace waystation::storage {

struct VerifyReport {
  uint64_t blocks = 0;
  uint64_t legs = 0;
  uint64_t last_sequence = 0;
  uint64_t accounts = 0;
  uint64_t payments_at_rest = 0;
  uint64_t payments_open = 0;
  uint64_t snapshot_sequence = 0;  // 0: no snapshot
  // What is wrong, each with the sequence number or row that it is about; at most core::kMaxFaultsListed of them.
  std::vector<std::string> faults;
  uint64_t fault_count = 0;
  // The journal itself is damaged, or short of its high-water mark: only a backup mends that. Otherwise all faults are
  // of derived rows, which a rebuild makes anew.
  bool journal_damaged = false;

  bool clean() const { return fault_count == 0; }
};

// Walks the chain from its first block, replays it into a new ledger, and compares what that gives with what is stored:
// each row of the snapshot and of the index, byte for byte, none missing and none too many. After a break in the chain
// nothing behind it can be judged; the walk ends there. Not OK when it can't be told: the disk did not give all of it
// (kUnavailable). The store must not be written to meanwhile.
absl::StatusOr<VerifyReport> Verify(const CommitLog& log, const RowReader& rows);

// The high-water mark too; `mark` is what its Read returned before the journal was opened.
absl::StatusOr<VerifyReport> Verify(const CommitLog& log, const RowReader& rows,
                                    const absl::StatusOr<std::optional<HighWaterMark>>& mark);

}  // namespace waystation::storage
