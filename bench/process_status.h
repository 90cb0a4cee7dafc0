#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace waystation::bench {

// Of a process that runs, as the kernel has it now.
struct ProcessStatus {
  uint64_t resident_bytes = 0;
  uint64_t most_resident_bytes = 0;  // since it was started
  double cpu_seconds = 0;            // of all its threads, in user and system mode, since it was started
  // How many there are of each name.
  std::map<std::string, int> threads;
};

// Unavailable: there is no such process.
absl::StatusOr<ProcessStatus> StatusOf(pid_t pid);

// Whether a thread of switchd's of that name is of its libraries (gRPC, RocksDB) and not one that it started itself.
bool IsOfALibrary(const std::string& thread);

}  // namespace waystation::bench
