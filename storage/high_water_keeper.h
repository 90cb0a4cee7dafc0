#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "storage/high_water.h"

namespace waystation::storage {

// Writes the high-water mark after commits, on a thread of its own, so that whoever commits never waits for it.
//
// Threads: Note from one (the sequencer's); Start and Stop on the owner's, Stop after the last Note.
//
// Failure: `on_fatal` is called on the keeper's thread, and nothing is written after it. on_fatal is expected to end
// the process.
class HighWaterKeeper {
 public:
  // Writes at most once an `interval`. `mark` outlives the keeper.
  HighWaterKeeper(HighWater* mark, std::chrono::milliseconds interval,
                  std::function<void(const std::string& cause)> on_fatal);
  ~HighWaterKeeper();

  void Start();
  // The journal is durable up to `position`.
  void Note(const ChainPosition& position);
  // Writes what was noted last, and ends the thread. A second call does nothing.
  void Stop();

 private:
  void Run();

  HighWater* const mark_;
  const std::chrono::milliseconds interval_;
  const std::function<void(const std::string&)> on_fatal_;

  std::mutex mutex_;
  std::condition_variable wake_;
  ChainPosition noted_;     // guarded by mutex_
  bool unwritten_ = false;  // guarded by mutex_
  bool idle_ = false;       // guarded by mutex_: the thread waits for something to write
  bool stopping_ = false;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace waystation::storage
