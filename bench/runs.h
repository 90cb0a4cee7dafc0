#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "bench/load_generator.h"

// The subcommands of switchbench that drive one server.
namespace waystation::bench {

// How much load, of whatever kind.
struct LoadOptions {
  std::string address = "127.0.0.1:7400";
  size_t in_flight = 900;  // within the max_in_flight of a sandbox biller
  size_t channels = 2;
  size_t threads = 2;
  double seconds = 10;
  double warm_up_seconds = 2;
  // 0: closed loop.
  double rate = 0;
  // Over a stream a connection, so many a message at most; 0: a call each.
  size_t a_message = 0;
  // Open loop over streams: what is due waits for a message that is full.
  bool full_messages = false;
  // No progress line.
  bool quiet = false;
};

struct PayOptions {
  LoadOptions load;
  size_t stations = 1'000;
  uint64_t first_station = 990'000'000'001;
  // 0: all stations alike.
  double zipf_theta = 0;
  // Each gets the same part of the payments.
  std::vector<std::string> biller_ids = {"mobile"};
  uint64_t seed = 0;
};

// What a run's request ids begin with: differs between any two runs, also those of one seed.
std::string NewRunId();

// Echoes against `load.address`. Error: it can't be reached.
absl::StatusOr<LoadResult> RunEcho(const LoadOptions& load);

// Prepares the stations, and the bills of billers that need an inquiry; calls `prepared`; then pays. Error: the switch
// can't be reached, or the stations or bills can't be prepared. What came of the payments is in the result.
absl::StatusOr<LoadResult> RunPay(
    const PayOptions& options, absl::FunctionRef<void()> prepared = [] {});

}  // namespace waystation::bench
