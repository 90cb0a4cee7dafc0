#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/call_mix.h"
#include "bench/load_generator.h"
#include "bench/machine.h"
#include "bench/profile.h"

namespace waystation::bench {

// How full the blocks of the journal were about a moment. Times count from the start of the measured time.
struct BatchSample {
  double at_s = 0;
  double legs_per_second = 0;  // since the sample before
  double legs_per_block = 0;   // of the last blocks, up to some thousand legs
};

// What happened on purpose: an outage, or, with both times the same, a day cut.
struct RunEvent {
  double from_s = 0;
  double until_s = 0;
  std::string label;
};

// All that a run of a profile gave.
struct RunResult {
  Profile profile = {};
  uint64_t seed = 0;
  std::string target = {};  // empty: a switch of its own
  Machine machine = {};
  std::chrono::system_clock::time_point started_at = {};
  bool interrupted = false;
  // The data folder of its own switch was in memory, where a sync costs nothing.
  bool work_folder_in_memory = false;
  // Most memory of its own switch, seen once a second; 0: not known.
  uint64_t most_resident_bytes = 0;
  std::chrono::nanoseconds interval{0};
  // `kinds` by CallKind.
  LoadResult load = {};
  // What was sent, the warm-up's too: by kind, and payments by the last two digits of their customer numbers.
  std::array<uint64_t, kCallKinds> made = {};
  std::array<uint64_t, 100> endings = {};
  std::vector<BatchSample> batches = {};
  std::vector<RunEvent> events = {};
};

// Results that are neither a success nor among the profile's expected ones, and what was never sent.
uint64_t UnexpectedResults(const RunResult& result);

}  // namespace waystation::bench
