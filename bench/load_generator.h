#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "bench/arrival_schedule.h"
#include "bench/latency_histogram.h"
#include "bench/results.h"
#include "bench/time_series.h"
#include "grpcpp/completion_queue.h"

namespace waystation::bench {

// One call in flight, used again and again with its messages. The generator knows nothing of what it carries, so that
// echo and payment are sent by the very same code.
class Call {
 public:
  virtual ~Call() = default;
  // Sends the next request. `tag` comes out of `queue` when it has ended.
  virtual void Start(grpc::CompletionQueue& queue, void* tag) = 0;
  // What came back; once, after the tag came out.
  virtual CallResult TakeResult() = 0;
  // Gives up on the call that was started. Any thread, but not while another one is in Start.
  virtual void Cancel() = 0;
};

struct LoadShape {
  // Open loop: arrivals a second, at least 1. 0: closed loop, each call in flight starts again when it has ended.
  double rate = 0;
  // Open loop along a curve, in place of `rate`, where it has points; they count from the start of the measured time.
  std::vector<RatePoint> curve = {};
  // Threads that send and receive, 1 or more; calls are divided among them.
  size_t threads = 1;
  std::chrono::nanoseconds warm_up{0};
  std::chrono::nanoseconds measured{0};
  // How many kinds of calls there are (CallResult::kind).
  size_t kinds = 1;
  // The intervals that the measured time is told by; 0: it is told as a whole only.
  std::chrono::nanoseconds interval{0};
};

struct Progress {
  double elapsed_seconds;
  // Calls ended since the last report.
  double per_second;
  // Null: not counted.
  std::optional<uint64_t> in_flight = std::nullopt;
  // Ended with another gRPC status than OK, since the start. Null: not counted.
  std::optional<uint64_t> failed = std::nullopt;
};

// Of one kind of calls; the fields are as in LoadResult.
struct KindResult {
  uint64_t completed = 0;
  LatencyHistogram latency = {};
  ResultCounts results = {};
  TimeSeries series = {};
};

// Calls in flight during an interval, looked at 20 times a second; those that were due but not sent are not among them.
struct InFlight {
  double mean = 0;
  uint64_t most = 0;
};

struct LoadResult {
  // The measured window, shorter than asked for when interrupted.
  double seconds = 0;
  // Calls that were answered with status OK within it; others are in `results` alone.
  uint64_t completed = 0;
  // Of calls answered with status OK. Closed loop: those that ended within the window. Open loop: the arrivals that
  // were due within it, from when they were due, whenever they ended.
  LatencyHistogram latency;
  // Open loop: how late the generator sent what was due. What it shows is part of `latency` too.
  LatencyHistogram send_lag;
  // Open loop: arrivals that never found a call free to carry them; their latency so far is in `latency`.
  uint64_t never_sent = 0;
  // Of all calls, the warm-up's too.
  ResultCounts results;
  // By kind of call; what was never sent is of none.
  std::vector<KindResult> kinds;
  // With LoadShape::interval, one an interval (fewer when interrupted): calls due (open loop) and in flight.
  std::vector<uint64_t> due;
  std::vector<InFlight> in_flight;

  double per_second() const { return seconds > 0 ? static_cast<double>(completed) / seconds : 0; }
};

// Runs the load and waits for its end. `calls` are the calls in flight (open loop: the most that may be). `report` is
// called about once a second; `interrupted` is asked often, and ends the load early, once what is in flight has ended.
// What has not ended 20 seconds after the end is cancelled and counted as such.
LoadResult RunLoad(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls,
                   absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);

}  // namespace waystation::bench
