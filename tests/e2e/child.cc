#include "tests/e2e/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace waystation::e2e {
namespace {

constexpr std::chrono::seconds kRunLimit{60};

// In the child, between fork and exec: only what is safe after a fork of a process with threads.
[[noreturn]] void Become(char* const* arguments, int output, int errors, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
  // The parent may have gone before the line above.
  if (getppid() != parent) _exit(127);
  std::signal(SIGPIPE, SIG_DFL);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

// Whether `descriptor` became readable by then.
bool Readable(int descriptor, std::chrono::steady_clock::time_point give_up) {
  pollfd wanted = {.fd = descriptor, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    const int polled = poll(&wanted, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (polled >= 0 || errno != EINTR) return polled > 0;
  }
}

}  // namespace

Child::Child(std::vector<std::string> command, std::string error_file) : error_file_(std::move(error_file)) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  command.front() = (self.parent_path() / command.front()).string();
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const int errors = open(error_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  int pipe_ends[2] = {-1, -1};
  const bool piped = pipe2(pipe_ends, O_CLOEXEC) == 0;
  const pid_t parent = getpid();
  if (piped && errors >= 0) pid_ = fork();
  if (pid_ == 0) Become(arguments.data(), pipe_ends[1], errors, parent);
  close(errors);
  close(pipe_ends[1]);
  output_ = pipe_ends[0];
  if (pid_ < 0) ended_ = 127;
}

Child::~Child() {
  if (!ended_.has_value()) {
    Signal(SIGKILL);
    WaitForEnd(kRunLimit);
  }
  close(output_);
}

void Child::Signal(int signal) const {
  if (!ended_.has_value()) kill(pid_, signal);
}

std::optional<int> Child::WaitForEnd(std::chrono::milliseconds limit) {
  if (ended_.has_value()) return ended_;
  // The pid is ours until it is waited for, so the descriptor can't be another process's. The system call itself:
  // glibc 2.36 declares its wrapper without C linkage.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0U));
  if (descriptor >= 0) {
    Readable(descriptor, std::chrono::steady_clock::now() + limit);
    close(descriptor);
  }
  int wait_status = 0;
  if (waitpid(pid_, &wait_status, WNOHANG) != pid_) return std::nullopt;
  ended_ = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
  return ended_;
}

bool Child::ReadMore(TimePoint give_up) {
  if (output_ended_ || !Readable(output_, give_up)) return false;
  char buffer[65'536];
  const ssize_t got = read(output_, buffer, sizeof(buffer));
  if (got > 0) read_.append(buffer, static_cast<size_t>(got));
  output_ended_ = got <= 0;
  return !output_ended_;
}

std::optional<std::string> Child::WaitForLine(std::string_view prefix, std::chrono::milliseconds limit) {
  const TimePoint give_up = std::chrono::steady_clock::now() + limit;
  do {
    std::istringstream lines(read_.substr(0, read_.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);) {
      if (line.compare(0, prefix.size(), prefix) == 0) return line.substr(prefix.size());
    }
  } while (ReadMore(give_up));
  return std::nullopt;
}

std::optional<std::string> Child::WaitForOutput(std::chrono::milliseconds limit) {
  const TimePoint give_up = std::chrono::steady_clock::now() + limit;
  while (ReadMore(give_up)) continue;
  if (!output_ended_) return std::nullopt;
  return read_;
}

std::string Child::Errors() const {
  std::ifstream file(error_file_, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Ended RunToEnd(std::vector<std::string> command, const std::string& error_file) {
  Child child(std::move(command), error_file);
  const std::optional<std::string> output = child.WaitForOutput(kRunLimit);
  const std::optional<int> status = output.has_value() ? child.WaitForEnd(kRunLimit) : std::nullopt;
  return {status.value_or(-1), output.value_or(""), child.Errors()};
}

}  // namespace waystation::e2e
