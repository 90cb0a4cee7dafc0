#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "switch/core/log.h"
#include "waystation/config/v1/config.pb.h"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace waystation::daemon {

// The log of the process: lines as text or as JSON, one object a line, to standard error or to the end of a file,
// written by a thread of its own.
//
// A line that is JSON has `time` (RFC 3339, UTC, milliseconds), `level`, `component`, `message`, and the line's fields.
// Either way it is one line of UTF-8: what else is in a text is escaped.
//
// Nobody ever waits for a line. Up to kMaxLogLines wait to be written, and more of warnings and worse; beyond, what
// comes is lost, so that the beginning of a trouble is kept and not its end. So is a line that can't be written (a full
// disk). Lost lines are counted, and a line says how many there were as soon as one can be written again.
//
// Threads: any. A file is opened once: to rotate it, copy and truncate it.
class AsyncLog final : public core::LogSink {
 public:
  // `log` is checked already. InvalidArgument where its file can't be opened.
  static absl::StatusOr<std::unique_ptr<AsyncLog>> Open(const config::v1::Log& log);
  // Writes what waits.
  ~AsyncLog() override;

  void Write(core::LogLevel level, std::string_view component, std::string_view message,
             core::LogFields fields) override;
  // Waits for kLogFlushLimit at most.
  void Flush() override;
  // False: what was taken before is not yet written after `limit`. May be called by a handler of a signal.
  bool WaitUntilWritten(std::chrono::milliseconds limit) const;

  // Lines since the start that were not written and never will be.
  uint64_t lost_lines() const { return counts_->lost.load(std::memory_order_relaxed); }
  bool is_json() const { return is_json_; }
  int file() const { return file_; }

  // Shared with the thread that writes.
  struct Counts {
    std::atomic<uint64_t> taken{0};
    std::atomic<uint64_t> done{0};  // written, or failed to be
    std::atomic<uint64_t> lost{0};
  };

 private:
  AsyncLog(int file, bool is_json);

  const int file_;
  const bool is_json_;
  const std::shared_ptr<Counts> counts_;
  std::shared_ptr<spdlog::details::thread_pool> thread_;
  std::shared_ptr<spdlog::logger> logger_;
};

// What follows the time and the level in a line: for a person, or the members of a JSON object.
std::string LineText(std::string_view message, core::LogFields fields);
std::string LineMembers(std::string_view component, std::string_view message, core::LogFields fields);

// The level's name in the configuration ("debug", "info", "warn", "error"), which is checked, as a level.
core::LogLevel LogLevelOf(std::string_view name);

}  // namespace waystation::daemon
