#pragma once

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "switch/ctl/top_screen.h"

namespace waystation::ctl {

// The terminal of this process, while a live screen has it: a screen of its own, keys one by one and not shown. What
// was there before is there again when this ends, also where a signal ends the program (SIGINT, SIGTERM, SIGHUP are
// told as kEnd).
//
// Threads: one. Limits: one at a time in a process.
class Terminal {
 public:
  // Whether standard input and output are one.
  static bool IsThere();

  Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  struct Size {
    size_t columns = 80;
    size_t rows = 24;
  };
  Size size() const;

  // Instead of all that was there.
  void Draw(const std::vector<TopLine>& lines);

  // Waits for a key, until then.
  enum class Event { kTime, kKey, kResized, kEnd };
  struct Happened {
    Event event = Event::kTime;
    char key = 0;  // of kKey
  };
  Happened Wait(std::chrono::steady_clock::time_point until);

 private:
  static void Put(std::string_view bytes);

  termios before_{};
};

}  // namespace waystation::ctl
