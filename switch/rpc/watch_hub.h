#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "storage/sequencer.h"
#include "switch/core/payment.h"

namespace waystation::rpc {

// Someone who follows one station's payments.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // On the sequencer's thread; must not block.
  virtual void OnChanged(const core::Payment& payment) = 0;
  // The switch is shutting down. Any thread.
  virtual void OnDrain() = 0;
};

// Passes committed changes on to those who watch the station. Any thread may add and remove.
//
// Limits: at most kMaxWatchers; Add refuses beyond.
class WatchHub final : public storage::PaymentObserver {
 public:
  // False when there are too many watchers.
  bool Add(core::StationId station, std::shared_ptr<Watcher> watcher);
  void Remove(core::StationId station, const Watcher* watcher);
  // Tells each that the switch is shutting down.
  void Drain();

  bool Wants(core::StationId station) override;
  void OnChanged(const core::Payment& payment) override;

 private:
  std::atomic<size_t> count_{0};
  std::mutex mutex_;
  absl::flat_hash_map<core::StationId, std::vector<std::shared_ptr<Watcher>>> watchers_;  // guarded by mutex_
};

}  // namespace waystation::rpc
