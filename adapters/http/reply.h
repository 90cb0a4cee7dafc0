#pragma once

#include <optional>
#include <type_traits>
#include <variant>

#include "adapters/biller_adapter.h"
#include "adapters/http/client.h"

namespace waystation::adapters::http {

// The host, or what stands in front of it, says that it can't do its work now: status 5xx.
inline bool IsOutOfOrder(const Answer& answer) {
  return answer.result_int() >= 500;
}

// What a request to a host comes to, once its answer is decoded.
template <typename Decoded>
using Reply = std::variant<Decoded, NotSent, Unknown>;

// The outcome of an operation whose reply has no answer; null where it has one. For operations without NotSent, what
// never left settles nothing.
template <typename Outcome, typename Decoded>
std::optional<Outcome> WithoutAnswer(const Reply<Decoded>& reply) {
  if (const auto* unknown = std::get_if<Unknown>(&reply)) return Outcome(*unknown);
  if (const auto* not_sent = std::get_if<NotSent>(&reply)) {
    if constexpr (std::is_constructible_v<Outcome, NotSent>) {
      return Outcome(*not_sent);
    } else {
      return Outcome(Unknown{not_sent->cause});
    }
  }
  return std::nullopt;
}

}  // namespace waystation::adapters::http
