#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waystation::crash {

struct IoErrorReport {
  uint64_t runs = 0;
  // What came of the error: the start was refused, the process stopped in service, or nothing needed to stop.
  uint64_t refused = 0;
  uint64_t stopped = 0;
  uint64_t went_on = 0;
  uint64_t payments = 0;
  uint64_t answers = 0;
  std::vector<std::string> faults;  // each names the operation and the error
};

// Lets each of the first `operations` changes to a ledger's disk, from its making on and over some restarts, fail with
// EIO and with ENOSPC, once and from then on; and each of the first `operations` reads with EIO. After each: a process
// that stops must say what failed; and once the disk is well again (after a power loss, every other time) the ledger is
// started and held against the books. Stops at the first fault. `errors_are_hidden` plants one: failed writes and syncs
// are reported as done.
IoErrorReport ProveIoErrors(uint64_t operations, uint64_t seed, bool errors_are_hidden);

}  // namespace waystation::crash
