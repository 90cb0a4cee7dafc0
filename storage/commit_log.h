#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "storage/rows.h"

namespace waystation::storage {

// A block ready to be stored: a serialized journal.v1.SealedBlock.
struct SealedBlock {
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  std::string bytes;
};

enum class CommitOutcome {
  kDurable,   // stored, and will be there after a crash
  kConflict,  // another writer has stored a block at this sequence number
  kUnknown,   // the write or the sync failed: it may be there or not
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kUnknown;
  std::string cause;  // empty when durable
};

// Where blocks become durable: the seam under the sequencer.
//
// One writer. Blocks are appended in order of their sequence numbers, and `done` is called once a block, in that order,
// on any thread, possibly before Append returns; several blocks may be on their way at once. A block and its rows stand
// or fall together. After any result but kDurable nothing more is appended: the writer stops.
class CommitLog {
 public:
  virtual ~CommitLog() = default;

  using Done = absl::AnyInvocable<void(CommitResult)>;

  // `block` may be null: then only rows are written. Neither is used after Append returns.
  virtual void Append(const SealedBlock* block, const RowBatch& rows, Done done) = 0;

  // Blocks in order, from the one that holds `from_sequence` (or, where the journal starts later, the first), until
  // `visit` returns false. Any thread.
  using VisitBlock = absl::FunctionRef<bool(uint64_t first_sequence, std::string_view sealed_block)>;
  virtual absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const = 0;
};

}  // namespace waystation::storage
