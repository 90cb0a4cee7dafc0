#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waystation::core {

// Which trace a request belongs to, as the W3C recommendation Trace Context has it: what the switch does for it is one
// span. Carried with the request, never stored: what a start finds open belongs to no trace any more.
//
// Not carried: tracestate, whose up to 512 bytes a request would be other people's.
struct TraceContext {
  std::array<uint8_t, 16> trace_id{};  // all zero: no trace
  std::array<uint8_t, 8> span_id{};    // of the sender: read from a caller, his; passed on, the switch's
  bool sampled = false;

  bool has_value() const { return trace_id != decltype(trace_id){}; }
  // 32 hexadecimal digits.
  std::string TraceId() const;
  // The header `traceparent` for whom the request is passed on to, of version 00.
  std::string ToTraceparent() const;

  bool operator==(const TraceContext&) const = default;
};

// Of the value of `traceparent`; null where it is not well-formed: the receiver then begins a new trace, as though
// there were none. Of a version above 00 what 00 has is read.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

}  // namespace waystation::core
