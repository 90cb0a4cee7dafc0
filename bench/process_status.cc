#include "bench/process_status.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

double CpuSecondsOf(pid_t pid) {
  std::string line;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", pid)), line);
  // The name stands in brackets and may have anything in it; what follows is the state, ten numbers, and these two.
  std::istringstream after_name(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) after_name >> skipped;
  double user = 0;
  double system = 0;
  after_name >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

absl::StatusOr<ProcessStatus> StatusOf(pid_t pid) {
  constexpr std::string_view kResident = "VmRSS:";
  constexpr std::string_view kMostResident = "VmHWM:";
  ProcessStatus status;
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kResident)) status.resident_bytes = std::stoull(line.substr(kResident.size())) * 1024;
    if (line.starts_with(kMostResident))
      status.most_resident_bytes = std::stoull(line.substr(kMostResident.size())) * 1024;
  }
  status.cpu_seconds = CpuSecondsOf(pid);
  std::error_code error;
  for (std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid), error), end; !error && task != end;
       task.increment(error)) {
    std::string name;
    // One that has ended meanwhile has none.
    if (std::getline(std::ifstream(task->path() / "comm"), name)) ++status.threads[name];
  }
  if (status.resident_bytes == 0 || status.threads.empty()) {
    return absl::UnavailableError(fmt::format("process {} does not run any more", pid));
  }
  return status;
}

bool IsOfALibrary(const std::string& thread) {
  // As gRPC 1.51 and RocksDB 7.8 name them.
  constexpr std::array<std::string_view, 7> kPrefixes = {
      "grpc", "nexting_thread", "default-execut", "resolver-execu", "event_engine", "rocksdb:", "timer_manager"};
  for (const std::string_view prefix : kPrefixes) {
    if (thread.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace waystation::bench
