#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/commit_log.h"
#include "storage/high_water.h"

// What an operator does to a store that was found damaged. The switch must not be running on it.
namespace waystation::storage {

struct Rebuilt {
  uint64_t blocks = 0;
  ChainPosition end;
};

// Copies the journal of `from` into `to`, which is empty, byte for byte, together with the index rows that it gives
// and, at the end, its snapshot. The chain and every leg are checked on the way. kDataLoss, naming the place, when the
// journal is damaged; kUnavailable when `to` can't be written. Then `to` is of no use.
absl::StatusOr<Rebuilt> CopyWithNewRows(const CommitLog& from, CommitLog* to);

// Where things lie in a data folder.
struct LedgerFolders {
  std::string data;     // switchd.lock, high_water
  std::string ledger;   // the database
  std::string scratch;  // an empty folder for RocksDB's own log
};

// Makes the index and the snapshot anew: into a new database beside the ledger, which takes its place once it verifies.
// The ledger as it was stays beside it, under the name that is returned. A crash in the middle leaves one of the two in
// place, whole. kDataLoss when the journal is damaged or short of its high-water mark: nothing is changed then.
// kFailedPrecondition when a switchd runs on the folder.
struct RebuiltLedger {
  Rebuilt rebuilt;
  std::string replaced;
};
absl::StatusOr<RebuiltLedger> RebuildLedger(const LedgerFolders& folders);

// Takes the journal's end as it stands for right, though legs after it were durable once: marks the folder as a
// restored one is (see RestoredMarker), writes the high-water mark there, and keeps the one that was under another
// name. `last_sequence` must be that end, so that whoever decides this has seen it; kInvalidArgument otherwise.
// kFailedPrecondition when the mark and the journal agree, or a switchd runs on the folder. kDataLoss when the journal
// is damaged before its end.
struct AcceptedEnd {
  ChainPosition end;
  std::optional<ChainPosition> given_up;  // what the mark was; null when it could not be read
  std::string kept_mark;                  // where it is kept
};
absl::StatusOr<AcceptedEnd> AcceptEnd(const LedgerFolders& folders, uint64_t last_sequence);

}  // namespace waystation::storage
