#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/json/value.hpp"

namespace waystation::bench {

enum class Verdict { kSame, kBetter, kWorse };

struct DiffLine {
  std::string name;
  double old_value = 0;
  double new_value = 0;
  double ratio = 0;  // new to old; 0 where the old one is 0
  Verdict verdict = Verdict::kSame;
};

struct Diff {
  // Where the two were not measured alike ("machine: ..., now ..."): their figures may differ for that. Also figures
  // that only one of the two has.
  std::vector<std::string> unlike;
  std::vector<DiffLine> lines;
};

// Rates, ratios and latencies of two results that switchbench wrote, of `run`, `compare` or `rows`. A figure counts as
// the same while it differs by no more than `tolerance` of the old one. InvalidArgument, with what to do: either is no
// such result, or they are of different kinds, schemas or profiles, or have no figure in common.
absl::StatusOr<Diff> DiffResults(const boost::json::value& old_result, const boost::json::value& new_result,
                                 double tolerance);

// Of two files.
absl::StatusOr<Diff> DiffFiles(const std::string& old_path, const std::string& new_path, double tolerance);

bool IsAnyWorse(const Diff& diff);
std::string DiffText(const Diff& diff);

}  // namespace waystation::bench
