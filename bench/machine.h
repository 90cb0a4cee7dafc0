#pragma once

#include <cstdint>
#include <string>

#include "boost/json/object.hpp"

namespace waystation::bench {

// What a figure was measured on; it must stand beside it. Without the host's name.
struct Machine {
  std::string processor;  // "unknown processor" where the kernel does not say
  unsigned cores = 0;     // that this process may use
  uint64_t memory_bytes = 0;
  std::string kernel = {};  // "Linux 6.1.0"
};

Machine ThisMachine();

// "EPYC 7B13, 2 cores, 7.8 GB, Linux 6.1.0"
std::string MachineText(const Machine& machine);
// {"processor", "cores", "memory_bytes", "kernel"}
boost::json::object MachineJson(const Machine& machine);

}  // namespace waystation::bench
