#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/runs.h"
#include "bench/server.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

struct HangingOptions {
  // Of each of the three; the address, the biller and the rate are not used.
  PayOptions pay;
  // Open loop, to each biller.
  double rate_each = 1'000;
  size_t rounds = 3;
  ServerPlaces places;
  // Takes a line a round.
  std::FILE* progress = stdout;
};

// What the stations of the two that work got, and those of the third, which works or hangs.
struct ThreeBillers {
  LoadResult working;  // the two together
  LoadResult third;
};
struct HangingResult {
  // One a round.
  std::vector<ThreeBillers> all_work;
  std::vector<ThreeBillers> one_hangs;
};

// Pays three billers at once, at the same rate each, from the very start of a switchd that was started for that round:
// once with all three of them at work, once with the third one that answers nothing at all, so that each payment to it
// waits for its deadline until it counts as out of service. Which goes first alternates.
absl::StatusOr<HangingResult> MeasureHanging(const HangingOptions& options);

// Latencies of the two in both cases, their ratios, and what came of the third.
std::string HangingText(const HangingResult& result);
// What was not as expected, or was never sent: of the two that work in both cases, and of the third while it works.
uint64_t UnexpectedResults(const HangingResult& result);
// {"ratios": {"p99_one_hangs/p99_all_work"} (of the medians), "rounds": [{"all_work", "one_hangs"}], each {"working",
// "third"} as LoadJson}
boost::json::object HangingJson(const HangingResult& result);

}  // namespace waystation::bench
