#include "bench/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::seconds kStopLimit{10};
// Of its output only the beginning is kept, of its stderr only the end is shown.
constexpr size_t kLinesKept = 100;
constexpr size_t kComplaintBytes = 4'096;

// In the child, between fork and exec: only what is safe after a fork of a process with threads.
[[noreturn]] void Become(char* const* arguments, int output, int errors, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
  // The parent may have gone before the line above.
  if (getppid() != parent) _exit(127);
  // Our handlers would swallow a signal that comes before exec, and an ignored SIGPIPE would be inherited.
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execv(arguments[0], arguments);
  constexpr char kFailed[] = "can't be executed\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kFailed, sizeof(kFailed) - 1);
  _exit(127);
}

std::string Describe(int wait_status) {
  if (WIFEXITED(wait_status)) return fmt::format("ended with exit status {}", WEXITSTATUS(wait_status));
  return fmt::format("was ended by signal {}", WTERMSIG(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::vector<std::string>& command,
                                                                  const std::string& error_file) {
  if (access(command.front().c_str(), X_OK) != 0) {
    return absl::NotFoundError(
        fmt::format("{}: {}; expected a program, built beside switchbench", command.front(), std::strerror(errno)));
  }
  std::vector<std::string> copy = command;
  std::vector<char*> arguments;
  for (std::string& argument : copy) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  const int errors = open(error_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (errors < 0) return absl::UnavailableError(fmt::format("{}: {}", error_file, std::strerror(errno)));
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) {
    close(errors);
    return absl::UnavailableError(fmt::format("pipe: {}", std::strerror(errno)));
  }
  const pid_t parent = getpid();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // Until the child has put its handlers back.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) Become(arguments.data(), output[1], errors, parent);
  const int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(errors);
  close(output[1]);
  if (pid < 0) {
    close(output[0]);
    return absl::UnavailableError(fmt::format("fork: {}", std::strerror(fork_error)));
  }
  const std::string name = std::filesystem::path(command.front()).filename().string();
  return std::unique_ptr<ChildProcess>(new ChildProcess(name, error_file, pid, output[0]));
}

ChildProcess::ChildProcess(std::string name, std::string error_file, pid_t pid, int output)
    : name_(std::move(name)), error_file_(std::move(error_file)), pid_(pid), output_(output) {
  reader_ = std::thread([this] { ReadOutput(); });
}

ChildProcess::~ChildProcess() {
  Stop(kStopLimit).IgnoreError();
  reader_.join();
  close(output_);
}

void ChildProcess::ReadOutput() {
  std::string line;
  char buffer[4'096];
  for (;;) {
    const ssize_t got = read(output_, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (got <= 0) {
      output_ended_ = true;
      line_read_.notify_all();
      return;
    }
    for (ssize_t i = 0; i < got && first_lines_.size() < kLinesKept; ++i) {
      if (buffer[i] != '\n') {
        line += buffer[i];
        continue;
      }
      first_lines_.push_back(std::exchange(line, {}));
      line_read_.notify_all();
    }
  }
}

absl::StatusOr<std::string> ChildProcess::WaitForLine(std::string_view prefix, std::chrono::milliseconds limit,
                                                      absl::FunctionRef<bool()> interrupted) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  std::unique_lock lock(mutex_);
  for (size_t looked_at = 0;;) {
    for (; looked_at < first_lines_.size(); ++looked_at) {
      const std::string& line = first_lines_[looked_at];
      if (line.compare(0, prefix.size(), prefix) == 0) return line.substr(prefix.size());
    }
    if (output_ended_) break;
    if (interrupted()) return absl::CancelledError("interrupted while " + name_ + " started");
    if (std::chrono::steady_clock::now() >= give_up) {
      return absl::DeadlineExceededError(
          fmt::format("{} did not print a line \"{}...\" within {} ms{}", name_, prefix, limit.count(), Complaint()));
    }
    line_read_.wait_for(lock, kTick);
  }
  lock.unlock();
  const std::optional<int> wait_status = WaitForEnd(kStopLimit);
  return absl::UnavailableError(fmt::format("{} {} before it printed a line \"{}...\"{}", name_,
                                            wait_status.has_value() ? Describe(*wait_status) : "closed its output",
                                            prefix, Complaint()));
}

absl::Status ChildProcess::WaitForSuccess(std::chrono::milliseconds limit) {
  const std::optional<int> wait_status = WaitForEnd(limit);
  if (!wait_status.has_value()) {
    return absl::DeadlineExceededError(fmt::format("{} did not end within {} ms{}", name_, limit.count(), Complaint()));
  }
  if (WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) == 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{} {}{}", name_, Describe(*wait_status), Complaint()));
}

absl::Status ChildProcess::Stop(std::chrono::milliseconds limit) {
  if (ended_) return absl::OkStatus();
  kill(pid_, SIGTERM);
  std::optional<int> wait_status = WaitForEnd(limit);
  if (!wait_status.has_value()) {
    kill(pid_, SIGKILL);
    WaitForEnd(kStopLimit);
    return absl::DeadlineExceededError(
        fmt::format("{} did not end within {} ms of SIGTERM and was killed{}", name_, limit.count(), Complaint()));
  }
  if (WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) == 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{} {} after SIGTERM{}", name_, Describe(*wait_status), Complaint()));
}

std::optional<int> ChildProcess::WaitForEnd(std::chrono::milliseconds limit) {
  // The pid is ours until it is waited for, so the descriptor can't be another process's.
  // The system call itself: glibc 2.36 declares its wrapper without C linkage.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0U));
  if (descriptor >= 0) {
    pollfd ended = {.fd = descriptor, .events = POLLIN, .revents = 0};
    const auto give_up = std::chrono::steady_clock::now() + limit;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
      const int polled = poll(&ended, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
      if (polled >= 0 || errno != EINTR) break;
    }
    close(descriptor);
  }
  int wait_status = 0;
  if (waitpid(pid_, &wait_status, WNOHANG) != pid_) return std::nullopt;
  ended_ = true;
  return wait_status;
}

std::string ChildProcess::Complaint() const {
  std::ifstream file(error_file_, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  std::string complaint = text.str();
  if (complaint.size() > kComplaintBytes) complaint.erase(0, complaint.size() - kComplaintBytes);
  if (complaint.empty()) return "; its stderr is empty";
  return "; its stderr:\n" + complaint;
}

}  // namespace waystation::bench
