#pragma once

#include "bench/run_result.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

// What `kind` and `schema` of a run's JSON say. The schema goes up when a field is taken away or changes its meaning.
inline constexpr char kRunKind[] = "switchbench run";
inline constexpr int kRunSchema = 1;

// profiles/README.md has the fields.
boost::json::object RunJson(const RunResult& result);

}  // namespace waystation::bench
