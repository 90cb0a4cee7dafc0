#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/rows.h"
#include "switch/core/ledger.h"

// The ledger's memory as rows of kSnapshot, so that start-up replays the tail of the journal and not the whole of it.
// All rows together are of one sequence number: each snapshot writes what changed since the one before, in one batch.
//
//   'a', kind (1), station (8) or biller id   -> journal.v1.AccountRecord
//   'o', payment id (8)                       -> journal.v1.PaymentRecord, a payment not at rest
//   'z'                                       -> journal.v1.LedgerRecord
namespace waystation::storage {

// Adds what changed since the last call; `position` is where the ledger stands.
void AddSnapshotRows(const ChainPosition& position, core::Ledger* ledger, RowBatch* rows);

// What a row of kSnapshot is about, for messages: "account station 440106000017", "open payment 8".
std::string DescribeSnapshotKey(std::string_view key);
bool IsSnapshotPositionKey(std::string_view key);

// What a snapshot says of the ledger as a whole.
struct SnapshotPosition {
  ChainPosition chain;
  core::BusinessDay day;
};

// Null when there is no snapshot.
absl::StatusOr<std::optional<SnapshotPosition>> ReadSnapshotPosition(const RowReader& rows);

struct Recovered {
  ChainPosition position;
  uint64_t snapshot_sequence = 0;  // 0: no snapshot
  uint64_t legs_replayed = 0;
};

// Start-up: loads the snapshot into a new ledger and replays the journal after it, checking the chain.
absl::StatusOr<Recovered> Recover(const CommitLog& log, const RowReader& rows, core::Ledger* ledger);

}  // namespace waystation::storage
