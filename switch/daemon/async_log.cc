#include "switch/daemon/async_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "spdlog/async_logger.h"
#include "spdlog/details/null_mutex.h"
#include "spdlog/details/thread_pool.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/base_sink.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::daemon {
namespace {

// What a line is made of besides LineText or LineMembers.
constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
constexpr std::string_view kComponent = "log";

std::unique_ptr<spdlog::formatter> FormatterFor(bool is_json) {
  if (!is_json) return std::make_unique<spdlog::pattern_formatter>(kTextPattern);
  return std::make_unique<spdlog::pattern_formatter>(kJsonPattern, spdlog::pattern_time_type::utc);
}

spdlog::level::level_enum LevelOf(core::LogLevel level) {
  switch (level) {
    case core::LogLevel::kDebug: return spdlog::level::debug;
    case core::LogLevel::kInfo: return spdlog::level::info;
    case core::LogLevel::kWarn: return spdlog::level::warn;
    case core::LogLevel::kError: return spdlog::level::err;
    case core::LogLevel::kCritical: return spdlog::level::critical;
  }
  return spdlog::level::critical;
}

std::string BodyOf(bool is_json, std::string_view component, std::string_view message, core::LogFields fields) {
  return is_json ? LineMembers(component, message, fields) : LineText(message, fields);
}

// Writes to a file descriptor, a write(2) a line, on spdlog's thread only.
class Descriptor final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Descriptor(int file, bool is_json, std::shared_ptr<AsyncLog::Counts> counts)
      : base_sink(FormatterFor(is_json)), file_(file), is_json_(is_json), counts_(std::move(counts)) {}
  ~Descriptor() override {
    if (file_ != STDERR_FILENO) close(file_);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (!Put(line)) counts_->lost.fetch_add(1, std::memory_order_relaxed);
    TellLost(line);
    counts_->done.fetch_add(1, std::memory_order_release);
  }
  void flush_() override {}

 private:
  bool Put(const spdlog::details::log_msg& line) {
    spdlog::memory_buf_t text;
    // What was left of a line that could not be written whole ends here.
    if (torn_) text.push_back('\n');
    formatter_->format(line, text);
    for (size_t at = 0; at < text.size();) {
      const ssize_t written = write(file_, text.data() + at, text.size() - at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        torn_ = torn_ || at > 0;
        return false;
      }
      at += static_cast<size_t>(written);
    }
    torn_ = false;
    return true;
  }

  // After a line that could be written, and at its time.
  void TellLost(const spdlog::details::log_msg& after) {
    const uint64_t lost = counts_->lost.load(std::memory_order_relaxed);
    if (lost == told_lost_) return;
    const std::string body = BodyOf(is_json_, kComponent, "lines of the log were lost: more came than could be written",
                                    {{"lost_lines", lost - told_lost_}});
    if (Put({after.time, after.source, after.logger_name, spdlog::level::warn, body})) told_lost_ = lost;
  }

  const int file_;
  const bool is_json_;
  const std::shared_ptr<AsyncLog::Counts> counts_;
  uint64_t told_lost_ = 0;
  bool torn_ = false;
};

// `text` with what would break a line or a terminal escaped as JSON has it; `quoted`: what a JSON string may not have
// as well.
std::string Escaped(std::string_view text, bool quoted) {
  const std::string clean = core::CutToUtf8(text, core::kMaxLogTextBytes);
  std::string escaped;
  escaped.reserve(clean.size());
  for (const char c : clean) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      escaped += fmt::format("\\u{:04x}", byte);
    } else if (quoted && (c == '"' || c == '\\')) {
      escaped += {'\\', c};
    } else {
      escaped += c;
    }
  }
  return escaped;
}

bool NeedsQuotes(std::string_view value) {
  return value.find_first_of(" =\"\\") != value.npos;
}

}  // namespace

std::string LineText(std::string_view message, core::LogFields fields) {
  std::string line = Escaped(message, false);
  for (const core::LogField& field : fields) {
    if (field.value.empty()) continue;
    const bool quoted = NeedsQuotes(field.value);
    line += fmt::format(" {}={}{}{}", field.key, quoted ? "\"" : "", Escaped(field.value, quoted), quoted ? "\"" : "");
  }
  return line;
}

std::string LineMembers(std::string_view component, std::string_view message, core::LogFields fields) {
  std::string line = fmt::format(R"("component":"{}","message":"{}")", component, Escaped(message, true));
  for (const core::LogField& field : fields) {
    if (field.value.empty()) continue;
    const char* const quote = field.is_number ? "" : "\"";
    line += fmt::format(R"(,"{}":{}{}{})", field.key, quote, Escaped(field.value, true), quote);
  }
  return line;
}

core::LogLevel LogLevelOf(std::string_view name) {
  if (name == "debug") return core::LogLevel::kDebug;
  if (name == "info") return core::LogLevel::kInfo;
  return name == "warn" ? core::LogLevel::kWarn : core::LogLevel::kError;
}

absl::StatusOr<std::unique_ptr<AsyncLog>> AsyncLog::Open(const config::v1::Log& log) {
  int file = STDERR_FILENO;
  if (!log.file().empty()) {
    file = open(log.file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) {
      return absl::InvalidArgumentError(fmt::format(
          "log.file: {} can't be written to: {}; expected a file that switchd's user may append to, in a folder that "
          "is there",
          log.file(), std::strerror(errno)));
    }
  }
  return std::unique_ptr<AsyncLog>(new AsyncLog(file, log.format() == "json"));
}

AsyncLog::AsyncLog(int file, bool is_json)
    : file_(file),
      is_json_(is_json),
      counts_(std::make_shared<Counts>()),
      // One more than are ever taken: a place in the queue is free before the line is counted as done, never after.
      thread_(std::make_shared<spdlog::details::thread_pool>(core::kMaxLogLinesOfTrouble + 1, 1,
                                                             [] { pthread_setname_np(pthread_self(), "log"); })),
      logger_(std::make_shared<spdlog::async_logger>("switchd", std::make_shared<Descriptor>(file, is_json, counts_),
                                                     thread_)) {
  // What is logged was decided before (core::IsLogged).
  logger_->set_level(spdlog::level::trace);
}

AsyncLog::~AsyncLog() = default;

void AsyncLog::Write(core::LogLevel level, std::string_view component, std::string_view message,
                     core::LogFields fields) {
  const size_t most = level >= core::LogLevel::kWarn ? core::kMaxLogLinesOfTrouble : core::kMaxLogLines;
  // First, so that it is never ahead of `before`.
  const uint64_t done = counts_->done.load(std::memory_order_acquire);
  const uint64_t before = counts_->taken.fetch_add(1, std::memory_order_relaxed);
  if (before - done >= most) {
    counts_->taken.fetch_sub(1, std::memory_order_relaxed);
    counts_->lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  logger_->log(LevelOf(level), BodyOf(is_json_, component, message, fields));
}

void AsyncLog::Flush() {
  WaitUntilWritten(core::kLogFlushLimit);
}

bool AsyncLog::WaitUntilWritten(std::chrono::milliseconds limit) const {
  // Lines are written in the order in which they were taken, so those before this call are once so many are.
  const uint64_t taken = counts_->taken.load(std::memory_order_relaxed);
  for (std::chrono::milliseconds waited{0}; counts_->done.load(std::memory_order_acquire) < taken;
       waited += std::chrono::milliseconds(1)) {
    if (waited >= limit) return false;
    const timespec millisecond{.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  return true;
}

}  // namespace waystation::daemon
