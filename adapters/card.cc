#include "adapters/card.h"

#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "re2/re2.h"
#include "switch/core/limits.h"

namespace waystation::adapters {
namespace {

constexpr size_t kMaxPatternBytes = 200;
constexpr int64_t kLongestTimeLimitMs = 300'000;
constexpr int64_t kLongestSettlingMs = 86'400'000;
constexpr int64_t kMostInFlight = 100'000;
constexpr int64_t kMostWaiting = 10'000;

absl::Status InRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("card.{}: {} is out of range; expected {} .. {}", field, value, least, most));
}

absl::Status Filled(std::string_view field, const std::string& text, size_t most_bytes) {
  if (!text.empty() && text.size() <= most_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("card.{}: {} bytes long; expected 1 .. {} bytes", field, text.size(), most_bytes));
}

// The very engine that numbers are matched with: another one takes patterns that this one does not.
absl::Status Compiles(const std::string& pattern) {
  const re2::RE2 compiled(pattern, re2::RE2::Quiet);
  if (compiled.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("card.customer_number_pattern: \"{}\" does not compile ({}); expected an RE2 regular expression, "
                  "which has no look-ahead and no back-references",
                  pattern, compiled.error()));
}

}  // namespace

absl::Status ValidateCard(const CapabilityCard& card) {
  const int64_t most = core::kMaxAmount.fen();
  if (absl::Status s = InRange("least_fen", card.least.fen(), 1, most); !s.ok()) return s;
  if (absl::Status s = InRange("most_fen", card.most.fen(), card.least.fen(), most); !s.ok()) return s;
  if (absl::Status s = InRange("step_fen", card.step.fen(), 1, most); !s.ok()) return s;
  if (absl::Status s = Filled("customer_number_pattern", card.customer_number_pattern, kMaxPatternBytes); !s.ok()) {
    return s;
  }
  if (absl::Status s = Compiles(card.customer_number_pattern); !s.ok()) return s;
  if (absl::Status s = Filled("customer_number_hint", card.customer_number_hint, core::kMaxNameBytes); !s.ok()) {
    return s;
  }
  if (absl::Status s = InRange("time_limit_ms", card.time_limit.count(), 1, kLongestTimeLimitMs); !s.ok()) return s;
  if (absl::Status s = InRange("settling_time_ms", card.settling_time.count(), 0, kLongestSettlingMs); !s.ok())
    return s;
  if (absl::Status s = InRange("max_in_flight", card.max_in_flight, 2, kMostInFlight); !s.ok()) return s;
  return InRange("max_waiting", card.max_waiting, 0, kMostWaiting);
}

absl::StatusOr<CapabilityCard> WithOverrides(CapabilityCard card, const CardOverrides& overrides) {
  if (overrides.least) card.least = *overrides.least;
  if (overrides.most) card.most = *overrides.most;
  if (overrides.step) card.step = *overrides.step;
  if (overrides.customer_number_pattern) card.customer_number_pattern = *overrides.customer_number_pattern;
  if (overrides.customer_number_hint) card.customer_number_hint = *overrides.customer_number_hint;
  if (overrides.time_limit) card.time_limit = *overrides.time_limit;
  if (overrides.settling_time) card.settling_time = *overrides.settling_time;
  if (overrides.max_in_flight) card.max_in_flight = *overrides.max_in_flight;
  if (overrides.max_waiting) card.max_waiting = *overrides.max_waiting;
  if (overrides.service_hours) {
    absl::StatusOr<core::ServiceHours> hours = core::ServiceHours::Parse(*overrides.service_hours);
    if (!hours.ok()) {
      return absl::InvalidArgumentError(fmt::format("card.service_hours: {}", std::string(hours.status().message())));
    }
    card.service_hours = *std::move(hours);
  }
  if (absl::Status status = ValidateCard(card); !status.ok()) return status;
  return card;
}

}  // namespace waystation::adapters
