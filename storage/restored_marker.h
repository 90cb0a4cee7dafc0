#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "switch/core/clock.h"

// What a data folder says of a ledger that lacks legs which were durable once: the file `restored`, there before
// anything is restored from a backup, or given up, and until an operator has confirmed that no other switch works on
// its accounts. Who said so and why is in the leg that resumes the journal then.
//
// The mark is a file and no leg, since it is about the folder and not about the ledger: a backup of a ledger that was
// once restored and confirmed must be confirmed again wherever it is restored next.
namespace waystation::storage {

struct RestoredMarker {
  bool complete = false;   // false: the restore is under way, or broke off, or what it gave was not clean
  uint32_t backup_id = 0;  // 0: no backup; the journal's end was given up
  core::TimePoint backup_time;
  uint64_t last_sequence = 0;  // of the restored ledger; 0 until it is complete
};

// Null when the folder has no such mark, or not any more. kDataLoss when the file can't be read.
absl::StatusOr<std::optional<RestoredMarker>> ReadRestoredMarker(const std::string& data_folder);

// Durable when it returns OK.
absl::Status WriteRestoredMarker(const std::string& data_folder, const RestoredMarker& marker);

// Ends the restriction, for good. Durable when it returns OK; otherwise it still stands, or is found so by the next
// start.
absl::Status RemoveRestoredMarker(const std::string& data_folder);

}  // namespace waystation::storage
