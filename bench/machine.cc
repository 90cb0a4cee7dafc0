#include "bench/machine.h"

#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <fstream>
#include <string_view>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

std::string Processor() {
  constexpr std::string_view kKey = "model name";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t value = line.find(": ");
    if (line.starts_with(kKey) && value != line.npos) return line.substr(value + 2);
  }
  return "unknown processor";
}

unsigned Cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? static_cast<unsigned>(CPU_COUNT(&allowed)) : 0;
}

}  // namespace

Machine ThisMachine() {
  Machine machine{.processor = Processor(), .cores = Cores()};
  struct sysinfo memory = {};
  if (sysinfo(&memory) == 0) machine.memory_bytes = uint64_t{memory.totalram} * memory.mem_unit;
  struct utsname kernel = {};
  if (uname(&kernel) == 0) machine.kernel = fmt::format("{} {}", kernel.sysname, kernel.release);
  return machine;
}

boost::json::object MachineJson(const Machine& machine) {
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"kernel", machine.kernel}};
}

std::string MachineText(const Machine& machine) {
  return fmt::format("{}, {} core{}, {:.1f} GB, {}", machine.processor, machine.cores, machine.cores == 1 ? "" : "s",
                     static_cast<double>(machine.memory_bytes) / 1e9, machine.kernel);
}

}  // namespace waystation::bench
