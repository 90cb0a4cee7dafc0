#include "switch/rpc/trace.h"

#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string_view>

namespace waystation::rpc {
namespace {

// Not secret, only unlikely to be drawn twice.
void Draw(std::span<uint8_t> into) {
  thread_local std::mt19937_64 numbers([] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }());
  for (size_t i = 0; i < into.size(); i += sizeof(uint64_t)) {
    const uint64_t number = numbers() | 1;  // an id of zeros is none
    std::memcpy(into.data() + i, &number, sizeof(number));
  }
}

std::optional<core::TraceContext> CallersTrace(const grpc::ServerContextBase& context) {
  const auto [begin, end] = context.client_metadata().equal_range("traceparent");
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return core::ParseTraceparent(std::string_view(begin->second.data(), begin->second.size()));
}

}  // namespace

core::TraceContext TraceOf(const grpc::ServerContextBase& context) {
  std::optional<core::TraceContext> trace = CallersTrace(context);
  if (!trace.has_value()) {
    trace.emplace();
    Draw(trace->trace_id);
  }
  Draw(trace->span_id);
  return *trace;
}

}  // namespace waystation::rpc
