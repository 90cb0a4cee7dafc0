#include "bench/process_status.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "fmt/format.h"

namespace waystation::bench {

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
