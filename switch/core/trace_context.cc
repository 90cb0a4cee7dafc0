#include "switch/core/trace_context.h"

#include <algorithm>
#include <span>

namespace waystation::core {
namespace {

// version "-" trace-id "-" parent-id "-" flags
constexpr size_t kTraceIdAt = 3;
constexpr size_t kSpanIdAt = 36;
constexpr size_t kFlagsAt = 53;
constexpr size_t kVersion00Bytes = 55;
constexpr uint8_t kInvalidVersion = 0xff;
constexpr uint8_t kSampled = 0x01;

// Lower case only. -1: no digit.
int ValueOf(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

bool ReadHex(std::string_view digits, std::span<uint8_t> into) {
  for (size_t i = 0; i < into.size(); ++i) {
    const int high = ValueOf(digits[2 * i]);
    const int low = ValueOf(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

void AppendHex(std::span<const uint8_t> bytes, std::string* text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    text->push_back(kDigits[byte >> 4]);
    text->push_back(kDigits[byte & 0x0f]);
  }
}

bool IsZero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

}  // namespace

std::string TraceContext::TraceId() const {
  std::string text;
  AppendHex(trace_id, &text);
  return text;
}

std::string TraceContext::ToTraceparent() const {
  std::string text = "00-";
  text.reserve(kVersion00Bytes);
  AppendHex(trace_id, &text);
  text += '-';
  AppendHex(span_id, &text);
  text += sampled ? "-01" : "-00";
  return text;
}

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  TraceContext trace;
  uint8_t version = 0;
  uint8_t flags = 0;
  if (text.size() < kVersion00Bytes) return std::nullopt;
  if (text[kTraceIdAt - 1] != '-' || text[kSpanIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') return std::nullopt;
  if (!ReadHex(text, {&version, 1}) || version == kInvalidVersion) return std::nullopt;
  if (version == 0 && text.size() != kVersion00Bytes) return std::nullopt;
  if (text.size() > kVersion00Bytes && text[kVersion00Bytes] != '-') return std::nullopt;
  if (!ReadHex(text.substr(kTraceIdAt), trace.trace_id) || IsZero(trace.trace_id)) return std::nullopt;
  if (!ReadHex(text.substr(kSpanIdAt), trace.span_id) || IsZero(trace.span_id)) return std::nullopt;
  if (!ReadHex(text.substr(kFlagsAt), {&flags, 1})) return std::nullopt;
  trace.sampled = (flags & kSampled) != 0;
  return trace;
}

}  // namespace waystation::core
