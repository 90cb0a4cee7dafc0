#pragma once

#include <cstdint>

namespace waystation::daemon {

// What this process takes of the machine.
struct ProcessFigures {
  double cpu_seconds = 0;   // user and system, of all threads since the start
  double start_time_s = 0;  // since 1970
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t threads = 0;
  uint64_t open_files = 0;  // descriptors
  uint64_t most_files = 0;  // that it may open
};

// As the kernel tells it (/proc/self); 0 for what it does not. Any thread.
ProcessFigures ReadProcessFigures();

}  // namespace waystation::daemon
