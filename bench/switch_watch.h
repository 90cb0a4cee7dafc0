#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "bench/run_result.h"
#include "grpcpp/channel.h"

namespace waystation::bench {

// Something that is done once, while the load runs.
struct TimedAction {
  std::chrono::steady_clock::time_point at;
  std::function<absl::Status()> act;
};

// Does what is due, and looks at the switch once a second, on a thread of its own, while the load runs: how many legs
// it wrote, how many lie in a block (of the newest ones, read from the journal), how much memory it has.
//
// Threads: the one that made it. What was seen is asked for after Stop.
class SwitchWatch {
 public:
  // Times of samples count from `measured_from`; before it none are kept. `pid` 0: the memory is not looked at.
  SwitchWatch(std::shared_ptr<grpc::Channel> channel, std::chrono::steady_clock::time_point measured_from, pid_t pid,
              std::vector<TimedAction> actions);
  ~SwitchWatch();

  // What is not yet due is not done any more. The first error of an action, or of a look: samples are missing then.
  absl::Status Stop();

  const std::vector<BatchSample>& batches() const { return batches_; }
  uint64_t most_resident_bytes() const { return most_resident_bytes_; }

 private:
  void Run();
  absl::Status Look(std::chrono::steady_clock::time_point now);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::chrono::steady_clock::time_point measured_from_;
  const pid_t pid_;
  std::vector<TimedAction> actions_;

  // The thread's.
  uint64_t last_sequence_ = 0;
  std::chrono::steady_clock::time_point looked_at_;
  std::vector<BatchSample> batches_;
  uint64_t most_resident_bytes_ = 0;
  absl::Status first_error_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace waystation::bench
