#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace waystation::ctl {

// A program that runs on a terminal of its own, and the person in front of it. For one thread.
class PseudoTerminal {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  PseudoTerminal(const std::vector<std::string>& command, unsigned short columns, unsigned short rows)
      : person_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_GE(person_, 0);
    EXPECT_EQ(grantpt(person_), 0);
    EXPECT_EQ(unlockpt(person_), 0);
    const std::string name = ptsname(person_);
    // Held, so that the settings can be seen after the program has ended.
    program_ = open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    Resize(columns, rows);
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    // The first terminal that the leader of a session opens is its own.
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, name.c_str(), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDERR_FILENO);
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID);
    EXPECT_EQ(posix_spawn(&pid_, arguments[0], &files, &how, arguments.data(), environ), 0);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  ~PseudoTerminal() {
    if (pid_ > 0 && !ended_.has_value()) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(program_);
    close(person_);
  }

  void Resize(unsigned short columns, unsigned short rows) {
    const winsize window{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(person_, TIOCSWINSZ, &window), 0);
  }
  void Type(const std::string& keys) {
    EXPECT_EQ(write(person_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void Signal(int signal) { kill(pid_, signal); }

  // Reads on until what was shown since the last call has `text` in it, and gives that back up to its end.
  std::string ReadUntil(const std::string& text) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (shown_.find(text) == shown_.npos) {
      if (!ReadMore(give_up)) {
        ADD_FAILURE() << "\"" << text << "\" was not shown, but\n" << shown_;
        return "";
      }
    }
    const size_t end = shown_.find(text) + text.size();
    std::string read = shown_.substr(0, end);
    shown_.erase(0, end);
    return read;
  }

  // Its exit status, or the signal's number, negative; what it showed meanwhile is `rest`.
  int WaitForEnd(std::string* rest) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > give_up) {
        ADD_FAILURE() << "it goes on";
        return -1;
      }
      ReadMore(std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
    }
    while (ReadMore(std::chrono::steady_clock::now())) {
    }
    *rest = std::exchange(shown_, "");
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return *ended_;
  }

  // Whether what is typed is shown, and given to the program line by line: as a shell has it.
  bool IsAsAShellHasIt() const {
    termios settings{};
    EXPECT_EQ(tcgetattr(program_, &settings), 0);
    const tcflag_t wanted = ECHO | ICANON | ISIG;
    return (settings.c_lflag & wanted) == wanted;
  }

 private:
  bool ReadMore(std::chrono::steady_clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd file{person_, POLLIN, 0};
    if (poll(&file, 1, left > 0 ? static_cast<int>(left) : 0) != 1) return false;
    char part[4'096];
    const ssize_t got = read(person_, part, sizeof(part));
    if (got <= 0) return false;
    shown_.append(part, static_cast<size_t>(got));
    return true;
  }

  const int person_;
  int program_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
  std::optional<int> ended_;
};

}  // namespace waystation::ctl
