#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "switch/core/money.h"

namespace waystation::adapters {

// The part of a capability card that configuration may set. Absent: as the adapter has it.
struct CardOverrides {
  std::optional<core::Money> least = std::nullopt;
  std::optional<core::Money> most = std::nullopt;
  std::optional<core::Money> step = std::nullopt;
  std::optional<std::string> customer_number_pattern = std::nullopt;
  std::optional<std::string> customer_number_hint = std::nullopt;
  std::optional<std::chrono::milliseconds> time_limit = std::nullopt;
  std::optional<std::chrono::milliseconds> settling_time = std::nullopt;
  std::optional<uint32_t> max_in_flight = std::nullopt;
  std::optional<uint32_t> max_waiting = std::nullopt;
  // As core::ServiceHours reads them.
  std::optional<std::string> service_hours = std::nullopt;
};

// OK, or InvalidArgument that names the field as configuration does ("card.least_fen: ..."), its fault and what was
// expected: least 1 fen .. core::kMaxAmount, most from least to core::kMaxAmount, step from 1 fen, an RE2 pattern that
// compiles, time limit 1 ms .. 5 min, settling time 0 .. 24 h, 1 .. 100,000 requests in flight, 0 .. 10,000 waiting.
absl::Status ValidateCard(const CapabilityCard& card);

// `card` with what `overrides` sets, validated; the service hours too, which come as text.
absl::StatusOr<CapabilityCard> WithOverrides(CapabilityCard card, const CardOverrides& overrides);

}  // namespace waystation::adapters
