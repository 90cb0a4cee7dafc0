#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/compare.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

struct RowsOptions {
  CompareOptions compare;
  double overload_seconds = 60;
  // A million stations, and twenty million payments: a quarter of an hour.
  bool slow_ones = false;
  // Compare, and all other rows. Without it, the result says nothing of them.
  bool quick_ones = true;
};

// What the switch promises of its speed, a row each.
struct Promise {
  std::string name;  // as in the JSON
  std::string text;
  double value = 0;
  double bound = 0;
  bool at_most = false;  // else at least

  bool kept() const { return at_most ? value <= bound : value >= bound; }
};

struct RowsResult {
  CompareResult compare;
  std::vector<Promise> promises;
  // The names of those that only `slow_ones` measures, where it is not set.
  std::vector<std::string> not_measured;
  // What stands behind some of them.
  std::vector<std::string> notes;
  // Results that are not as expected, of all rows; that overload is refused is expected.
  uint64_t unexpected = 0;
};

// Compare, and then, each against a switchd started for it: one payment at a time against its two syncs and an echo;
// all payments on one station, and on one biller; latency at half of the largest unary rate; twice the largest streamed
// rate over sixteen streams, in messages as full as the largest's, with inquiries and account inquiries asked all the
// while; and then half of the largest again, whose first 2 seconds are left out; what metrics and logs cost
// (observation_cost.h). The largest streamed rate is measured on that same switchd too, before and after: what is
// offered is of the first or of Compare's, whichever is more, and goodput is told of the larger of the two. Errors as
// Compare's.
absl::StatusOr<RowsResult> MeasureRows(const RowsOptions& options);

// Each promise with its bound and whether it was kept.
std::string RowsText(const RowsResult& result);
// As CompareJson's, of kind kRowsKind, and {"promises": {name: {"value", "at_least" or "at_most", "kept"}},
// "not_measured": [name], "notes": [...]}
boost::json::object RowsJson(const RowsResult& result);

}  // namespace waystation::bench
