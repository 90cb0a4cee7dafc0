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

// {"p50", "p90", "p99", "p99_9", "max"}, microseconds.
boost::json::object LatencyJson(const LatencyHistogram& latency);

// Middle, least and most of some values.
struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
// All zero where there are no values.
Spread SpreadOf(std::vector<double> values);

// What `kind` and `schema` of the JSON of `compare` and `rows` say, and what `kind` of the others says. The schema goes
// up when a field is taken away or changes its meaning.
inline constexpr char kCompareKind[] = "switchbench compare";
inline constexpr char kRowsKind[] = "switchbench rows";
inline constexpr char kWireKind[] = "switchbench wire";
inline constexpr int kCompareSchema = 1;

// Writes `text` to `path`; "-" is stdout. `option`: what asked for it, for messages.
absl::Status WriteText(std::string_view option, const std::string& path, const std::string& text);
// The same with `value` and a line end, for --json.
absl::Status WriteJson(const std::string& path, const boost::json::object& value);

}  // namespace waystation::bench
