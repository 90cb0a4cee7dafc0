#pragma once

#include <string_view>

namespace waystation::core {

// Says in the log which invariant broke and where (on stderr, where there is no log), and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, std::string_view detail);

}  // namespace waystation::core

// An invariant of our own: when it is broken the process stops, in release builds too, before a wrong figure can be
// committed. Bad input never reaches one.
#define WS_CHECK(condition, detail)                                              \
  do {                                                                           \
    if (!(condition)) [[unlikely]]                                               \
      ::waystation::core::CheckFailed(__FILE__, __LINE__, #condition, (detail)); \
  } while (false)
