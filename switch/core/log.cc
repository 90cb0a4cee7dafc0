#include "switch/core/log.h"

namespace waystation::core {
namespace {

constexpr size_t kLeastMaskedDigits = 7;
constexpr size_t kDigitsShown = 4;

std::atomic<LogSink*> log_sink{nullptr};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void SetLogSink(LogSink* sink, LogLevel least) {
  log_sink.store(sink, std::memory_order_release);
  internal::least_logged.store(sink == nullptr ? internal::kLogNothing : static_cast<uint8_t>(least),
                               std::memory_order_relaxed);
}

void SetLogLevel(LogLevel least) {
  if (log_sink.load(std::memory_order_relaxed) == nullptr) return;
  internal::least_logged.store(static_cast<uint8_t>(least), std::memory_order_relaxed);
}

LogLevel CurrentLogLevel() {
  const uint8_t least = internal::least_logged.load(std::memory_order_relaxed);
  return least == internal::kLogNothing ? LogLevel::kCritical : static_cast<LogLevel>(least);
}

void Log(LogLevel level, std::string_view component, std::string_view message, LogFields fields) {
  if (!IsLogged(level)) return;
  if (LogSink* const sink = log_sink.load(std::memory_order_acquire); sink != nullptr) {
    sink->Write(level, component, message, fields);
  }
}

void FlushLog() {
  if (LogSink* const sink = log_sink.load(std::memory_order_acquire); sink != nullptr) sink->Flush();
}

std::string MaskNumbers(std::string_view text) {
  std::string masked(text);
  for (size_t i = 0; i < masked.size();) {
    size_t end = i;
    while (end < masked.size() && IsDigit(masked[end])) ++end;
    if (end - i >= kLeastMaskedDigits) masked.replace(i, end - i - kDigitsShown, end - i - kDigitsShown, '*');
    i = end + 1;
  }
  return masked;
}

}  // namespace waystation::core
