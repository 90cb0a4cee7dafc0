#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "boost/json/object.hpp"

// The change feed, as one consumer sees it.
namespace waystation::bench {

struct FollowOptions {
  std::string address = "127.0.0.1:7400";
  uint64_t from = 1;
  // 0: up to the end of the journal as it is when the call comes; otherwise on and on, for so long.
  double seconds = 0;
};

struct FollowResult {
  uint64_t legs = 0;
  uint64_t messages = 0;
  uint64_t bytes = 0;   // of all messages
  double seconds = 0;   // until the last message
  uint64_t behind = 0;  // legs that were durable and not received at the last message
};

// Reads and parses every leg. Error: the switch can't be reached, the stream fails, or a leg is not the one that
// follows.
absl::StatusOr<FollowResult> Follow(const FollowOptions& options);

std::string FollowText(const FollowResult& result);
// {"seconds", "legs", "legs_per_second", "messages", "bytes", "behind"}
boost::json::object FollowJson(const FollowResult& result);

}  // namespace waystation::bench
