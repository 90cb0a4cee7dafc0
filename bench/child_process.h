#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waystation::bench {

// A program that we started. It ends with this object, and is killed by the kernel should we be killed. It is in a
// process group of its own, so a Ctrl-C at the terminal reaches only us.
//
// Threads: the one that started it (the kernel watches that very thread).
class ChildProcess {
 public:
  // `error_file` takes what it writes to stderr.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& command,
                                                             const std::string& error_file);
  // As Stop, whatever comes of it.
  ~ChildProcess();

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The rest of the first line on its stdout that begins with `prefix`. Error, with the child's stderr: it ended or was
  // silent for `limit`. kCancelled when `interrupted`.
  absl::StatusOr<std::string> WaitForLine(std::string_view prefix, std::chrono::milliseconds limit,
                                          absl::FunctionRef<bool()> interrupted);

  // Waits until it has ended by itself with exit status 0. Error, with the child's stderr: it ended otherwise, or not
  // within `limit`. Then Stop does nothing.
  absl::Status WaitForSuccess(std::chrono::milliseconds limit);

  // SIGTERM, and SIGKILL when it has not ended within `limit`. Error, with the child's stderr: it did not end by itself
  // with exit status 0. Does nothing the second time.
  absl::Status Stop(std::chrono::milliseconds limit);

  // Until Stop.
  pid_t pid() const { return pid_; }

 private:
  ChildProcess(std::string name, std::string error_file, pid_t pid, int output);

  void ReadOutput();
  // Null when it has not ended by then.
  std::optional<int> WaitForEnd(std::chrono::milliseconds limit);
  std::string Complaint() const;

  const std::string name_;
  const std::string error_file_;
  const pid_t pid_;
  const int output_;
  bool ended_ = false;

  // The child's output is read to its end, so that the child never waits for us.
  std::mutex mutex_;
  std::condition_variable line_read_;
  std::vector<std::string> first_lines_;
  bool output_ended_ = false;
  std::thread reader_;
};

}  // namespace waystation::bench
