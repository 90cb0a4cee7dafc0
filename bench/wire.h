#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/runs.h"
#include "bench/server.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

struct WireOptions {
  // The address, the billers and the rate are not used.
  PayOptions pay;
  size_t rounds = 3;
  // Measures each of the three protocols alone too.
  bool each = false;
  // Payments that are with billers who take `latency_ms` for an answer; 0: that is not measured.
  size_t waiting = 4'000;
  int latency_ms = 200;
  ServerPlaces places;
  // Takes a line a round.
  std::FILE* progress = stdout;
};

// What many payments in flight take of switchd.
struct Footprint {
  LoadResult payments;
  // The most requests that were with billers at once, of those times when it was asked for.
  uint64_t most_in_flight = 0;
  // Once it served and its stations were there, and the most of what was seen while they paid.
  uint64_t idle_bytes = 0;
  uint64_t most_bytes = 0;
  // The most of each name; those of gRPC and RocksDB, and ours, the first one among them.
  std::map<std::string, int> threads;
  int threads_of_libraries() const;
  int threads_of_ours() const;
};

struct WireResult {
  // One a round.
  std::vector<LoadResult> echo;
  std::vector<LoadResult> pay;
  // By biller: payments to it alone; empty unless asked for.
  std::map<std::string, std::vector<LoadResult>> alone;
  // Unset when it was not measured.
  std::optional<Footprint> footprint;
};

// Measures the bare echo and payments to three billers over their wire protocols in turn, each against servers that
// were started for that round alone; billersim runs beside switchd. Which goes first alternates. Then, against another
// such pair, payments to billers that take their time. Error: a server could not be started, prepared or ended cleanly.
absl::StatusOr<WireResult> MeasureWire(const WireOptions& options);

// Rates, ratios, spread, and what the payments in flight took, for people.
std::string WireText(const WireResult& result);

// {"kind": kWireKind, "rates": {"echo_unary", "pay_wire", "pay_mobile"...} (medians, per second), "ratios":
// {"pay_wire/echo_unary", ...}, "rounds": [{"echo_unary", "pay_wire", ...}] (as LoadJson), "footprint": {"payments" (as
// LoadJson), "most_in_flight", "idle_bytes", "most_bytes", "above_idle_bytes", "threads_of_ours",
// "threads_of_libraries", "threads": {name: count}}}
boost::json::object WireJson(const WireResult& result);

// Of everything that was measured.
uint64_t UnexpectedResults(const WireResult& result);

}  // namespace waystation::bench
