#include "switch/core/check.h"

#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"
#include "switch/core/log.h"

namespace waystation::core {

void CheckFailed(const char* file, int line, const char* condition, std::string_view detail) {
  const std::string what = fmt::format("{}:{}: invariant broken: {}: {}", file, line, condition, detail);
  if (IsLogged(LogLevel::kCritical)) {
    Log(LogLevel::kCritical, "check", what);
    FlushLog();
  }
  // There too, where the log is a file: nothing else may be left to say it.
  std::fprintf(stderr, "%s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace waystation::core
