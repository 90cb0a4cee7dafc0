#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/commit_log.h"
#include "storage/verify.h"
#include "waystation/journal/v1/journal.pb.h"

// The journal for people and programs.
namespace waystation::ctl {

// A leg as one line of JSON with '\n': "sequence", the "timeMs" and "businessDate" of its block, for a payment's leg
// the names of its "event", "state" and "verdict", as far as it has them, then the fact under its name in
// journal.proto, in proto JSON (states and reasons as numbers there).
std::string LegJson(const core::BlockStamp& stamp, const core::Leg& leg);

// The legs of a block as the change feed gives it, each as LegJson. kDataLoss for what this program does not know.
absl::StatusOr<std::string> LegsJson(const journal::v1::Block& block);

// What `journal verify` found, for a person.
std::string VerifyText(const storage::VerifyReport& report);

// The same as one line of JSON with '\n'.
std::string VerifyJson(const storage::VerifyReport& report);

// Walks along the journal, leg by leg, to its end, and later on from there. Each block's hash is checked, and from the
// second on that it follows the one before. Does not own the log. One thread.
class JournalCursor {
 public:
  // Begins at leg `from`, or at the first there is behind it.
  JournalCursor(const storage::CommitLog& log, uint64_t from) : log_(log), next_(from) {}

  // Until the journal ends, or for good once `visit` returns false; kDataLoss, with the sequence number, where a block
  // is damaged.
  using VisitLeg = absl::FunctionRef<bool(const storage::OpenedBlock& block, const core::Leg& leg)>;
  absl::Status ReadOn(VisitLeg visit);

 private:
  absl::StatusOr<storage::OpenedBlock> OpenBlock(std::string_view sealed);

  const storage::CommitLog& log_;
  uint64_t next_;
  // Where the last block read ends.
  storage::ChainPosition position_;
};

}  // namespace waystation::ctl
