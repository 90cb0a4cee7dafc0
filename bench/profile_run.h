#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "bench/run_result.h"
#include "bench/server.h"

namespace waystation::bench {

struct ProfileRunOptions {
  std::string profile_path;
  // host:port of a switch that runs; empty: one of its own is started, in a folder of its own, and ended.
  std::string target;
  // Whether a profile may cut the day of `target`.
  bool may_cut_day = false;
  uint64_t seed = 0;
  bool quiet = false;
  ServerPlaces places;
};

// Runs a profile from beginning to end; interrupted, it gives what there is. Error: the profile is faulty, the switch
// can't be started, reached or prepared, does not end cleanly, or what should happen meanwhile (a day cut) failed. What
// came of the calls is in the result.
absl::StatusOr<RunResult> RunProfile(const ProfileRunOptions& options);

}  // namespace waystation::bench
