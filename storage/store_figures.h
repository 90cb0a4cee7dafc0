#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waystation::storage {

// How a store on disk is, for those who watch it.
struct StoreFigures {
  struct TableSize {
    std::string table;   // "journal", "payments", ...
    uint64_t bytes = 0;  // in files, and in memory on the way there
  };
  std::vector<TableSize> tables;
  // The log that a start would have to replay.
  uint64_t wal_bytes = 0;
  // Writes wait, until memory has been written out or files have been merged.
  bool write_stopped = false;
  // Bytes a second that writes are slowed down to; 0: they are not.
  uint64_t delayed_write_rate = 0;
  // How long writes have been stopped or slowed down since the start, us.
  uint64_t stalled_us = 0;
  uint64_t running_flushes = 0;
  uint64_t running_compactions = 0;
  // What merging has still to rewrite.
  uint64_t pending_compaction_bytes = 0;
  // Full, and not written out yet.
  uint64_t immutable_memtables = 0;
  // Flushes and compactions that failed since the start.
  uint64_t background_errors = 0;
  std::string version;  // of the store's library, "7.8.3"
};

}  // namespace waystation::storage
