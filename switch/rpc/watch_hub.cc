#include "switch/rpc/watch_hub.h"

#include <utility>

#include "switch/core/limits.h"

namespace waystation::rpc {

bool WatchHub::Add(core::StationId station, std::shared_ptr<Watcher> watcher) {
  std::lock_guard lock(mutex_);
  if (count_.load() >= core::kMaxWatchers) return false;
  watchers_[station].push_back(std::move(watcher));
  ++count_;
  return true;
}

void WatchHub::Remove(core::StationId station, const Watcher* watcher) {
  std::lock_guard lock(mutex_);
  auto it = watchers_.find(station);
  if (it == watchers_.end()) return;
  count_ -= std::erase_if(it->second, [watcher](const auto& w) { return w.get() == watcher; });
  if (it->second.empty()) watchers_.erase(it);
}

void WatchHub::Drain() {
  std::vector<std::shared_ptr<Watcher>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [station, watchers] : watchers_) all.insert(all.end(), watchers.begin(), watchers.end());
  }
  for (const auto& watcher : all) watcher->OnDrain();
}

bool WatchHub::Wants(core::StationId station) {
  // Nobody watches, most of the time; a watcher that is just being added reads what it missed from the index.
  if (count_.load() == 0) return false;
  std::lock_guard lock(mutex_);
  return watchers_.contains(station);
}

void WatchHub::OnChanged(const core::Payment& payment) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    std::lock_guard lock(mutex_);
    auto it = watchers_.find(payment.station);
    if (it == watchers_.end()) return;
    watchers = it->second;
  }
  for (const auto& watcher : watchers) watcher->OnChanged(payment);
}

}  // namespace waystation::rpc
