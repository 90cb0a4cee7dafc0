#include "switch/daemon/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace waystation::daemon {
namespace {

// Where fields stand in /proc/self/stat, counted from the one after the program's name; proc(5).
enum StatField : size_t {
  kUserTicks = 11,
  kSystemTicks = 12,
  kThreads = 17,
  kStartTicks = 19,
  kVirtual = 20,
  kResidentPages = 21,
  kStatFields = 22
};

std::vector<uint64_t> ReadStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // The name may have anything in it, so what follows it is found from the end.
  const size_t name_end = text.rfind(')');
  std::vector<uint64_t> fields;
  if (name_end == text.npos) return fields;
  std::istringstream rest(text.substr(name_end + 1));
  for (std::string field; rest >> field;) {
    // The state is a letter, and some that are not wanted are negative.
    const bool is_number = field.find_first_not_of("0123456789") == field.npos;
    fields.push_back(is_number ? std::stoull(field) : 0);
  }
  return fields;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

uint64_t OpenFiles() {
  std::error_code error;
  uint64_t files = 0;
  std::filesystem::directory_iterator it("/proc/self/fd", error);
  for (; !error && it != end(it); it.increment(error)) ++files;
  // One of them is the iterator's own.
  return files > 0 ? files - 1 : 0;
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  const std::vector<uint64_t> stat = ReadStat();
  if (stat.size() >= kStatFields) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    figures.cpu_seconds = static_cast<double>(stat[kUserTicks] + stat[kSystemTicks]) / ticks;
    // Once: the time of the boot moves as the clock is set, and that would look like a restart.
    static const double start_time_s = BootTime() + static_cast<double>(stat[kStartTicks]) / ticks;
    figures.start_time_s = start_time_s;
    figures.threads = stat[kThreads];
    figures.virtual_bytes = stat[kVirtual];
    figures.resident_bytes = stat[kResidentPages] * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  figures.open_files = OpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.most_files = limit.rlim_cur;
  return figures;
}

}  // namespace waystation::daemon
