#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/compare.h"
#include "bench/report.h"

namespace waystation::bench {

// What it costs the switch to be watched.
struct ObservationCost {
  // Streamed payments a second, and switchd's CPU time for one, microseconds; the medians are of the same slices.
  struct Side {
    Spread per_second;
    Spread cpu_us;
  };
  Side on;
  Side off;
  size_t slices = 0;  // of each
  uint64_t scrapes = 0;
  uint64_t unexpected = 0;

  double ratio() const { return on.per_second.median / off.per_second.median; }
};

// Two switchds of one program, side by side: one with metrics, which are read each second while it is measured, and a
// log of level info as JSON in a file; the other without metrics, and with a log of warnings. Each in turn is paid over
// streams, in a closed loop, for a quarter of `pay.load.seconds`, four times a round; which goes first alternates.
// Error: a server could not be started, prepared or ended cleanly, or the metrics could not be read.
absl::StatusOr<ObservationCost> MeasureObservationCost(const CompareOptions& options);

}  // namespace waystation::bench
