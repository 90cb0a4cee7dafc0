#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bench/load_generator.h"
#include "boost/json/object.hpp"

// How results are shown, to people and as JSON.
namespace waystation::bench {

// Rate, latencies and counts by result, some lines. `what` is the plural of what was sent: "payments", "echoes".
std::string LoadText(std::string_view what, const LoadResult& result);

// {"seconds", "completed", "per_second", "latency_us": {"p50", "p90", "p99", "p99_9", "max"}, "never_sent", "results":
// {name: count}}; open loop: "send_lag_us" too.
boost::json::object LoadJson(const LoadResult& result);

// Middle, least and most of some values.
struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
// All zero where there are no values.
Spread SpreadOf(std::vector<double> values);

// Writes `value` and a line end to `path`; "-" is stdout.
absl::Status WriteJson(const std::string& path, const boost::json::object& value);

// Rewrites one line while the load runs, where stdout is a terminal; else nothing.
void ShowProgress(std::string_view what, const Progress& progress);
// Clears that line.
void EndProgress();

}  // namespace waystation::bench
