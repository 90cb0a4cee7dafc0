#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// What the switch says to those who run it. A seam: whoever composes the program gives the sink (daemon/async_log.h);
// without one nothing is said. Never in it: names and numbers of customers, tokens, keys.
namespace waystation::core {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kCritical };

// One of a line's facts besides its message. The key is a word of [a-z0-9_]; what several lines say of is under the
// same key everywhere: payment_id, station_id, request_id, biller, trace_id, state, cause. One whose text is empty is
// left out.
struct LogField {
  LogField(std::string_view field_key, std::string text) : key(field_key), value(std::move(text)) {}
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const char* text) : key(field_key), value(text) {}
  template <std::integral Number>
  LogField(std::string_view field_key, Number number)
      : key(field_key), value(std::to_string(number)), is_number(true) {}

  std::string_view key;  // outlives the line, as a literal does
  std::string value;
  bool is_number = false;
};
using LogFields = std::initializer_list<LogField>;

// Where lines go. Any thread; a line holds up nobody who writes it.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `component`: the part of the switch that speaks, a word. Texts may be of any bytes.
  virtual void Write(LogLevel level, std::string_view component, std::string_view message, LogFields fields) = 0;
  // Returns when what was written before is where it should be, or after a short time all the same.
  virtual void Flush() = 0;
};

namespace internal {
// One above the highest: nothing is logged.
inline constexpr uint8_t kLogNothing = static_cast<uint8_t>(LogLevel::kCritical) + 1;
inline std::atomic<uint8_t> least_logged{kLogNothing};
}  // namespace internal

// The sink of the process, which outlives all that logs, and the least level that is logged; null: nothing is.
void SetLogSink(LogSink* sink, LogLevel least);
// While there is a sink.
void SetLogLevel(LogLevel least);
LogLevel CurrentLogLevel();

// One load: what asks this before it makes a line's texts costs nothing while its level is off.
inline bool IsLogged(LogLevel level) {
  return static_cast<uint8_t>(level) >= internal::least_logged.load(std::memory_order_relaxed);
}

// Writes a line where its level is logged. On a path that many payments take, ask IsLogged first.
void Log(LogLevel level, std::string_view component, std::string_view message, LogFields fields = {});
// Where there is a sink, has it flushed.
void FlushLog();

// `text` of a biller for a line of the log: of each run of seven digits and more all but the last four are '*', since
// it may be a customer's number.
std::string MaskNumbers(std::string_view text);

}  // namespace waystation::core
