#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waystation::e2e {

// A program of this build, run as a process of its own. Killed with this object, and by the kernel should we be killed.
//
// Threads: the one that started it (the kernel watches that very thread).
class Child {
 public:
  // `command`: the name of a program that lies beside this one, and its arguments. Its stderr goes to `error_file`. A
  // program that can't be run ends with exit status 127.
  Child(std::vector<std::string> command, std::string error_file);
  ~Child();

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit status; the signal's number, negative, when a signal ended it; null when it still runs after `limit`.
  std::optional<int> WaitForEnd(std::chrono::milliseconds limit);
  // The rest of the first line on its stdout that begins with `prefix`; null when its stdout ended, or after `limit`.
  std::optional<std::string> WaitForLine(std::string_view prefix, std::chrono::milliseconds limit);
  // Its stdout up to its end; null when that does not come within `limit`.
  std::optional<std::string> WaitForOutput(std::chrono::milliseconds limit);
  // What it has written to stderr so far.
  std::string Errors() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  // False at the end of stdout, and after `give_up`.
  bool ReadMore(TimePoint give_up);

  const std::string error_file_;
  pid_t pid_ = -1;
  int output_ = -1;
  bool output_ended_ = false;
  std::string read_;
  std::optional<int> ended_;
};

// A program that ran to its end.
struct Ended {
  int exit_status;  // as WaitForEnd; -1 when it did not end in time and was killed
  std::string output;
  std::string errors;
};

// Runs `command` (as Child does) for 60 s at most.
Ended RunToEnd(std::vector<std::string> command, const std::string& error_file);

}  // namespace waystation::e2e
