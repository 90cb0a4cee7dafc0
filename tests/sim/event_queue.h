#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::sim {

// What is to happen, in order of time, and of one time in the order in which it was said. One thread.
class EventQueue {
 public:
  using Event = absl::AnyInvocable<void()>;

  explicit EventQueue(storage::SimulatedClock* clock) : clock_(clock) {}

  void After(std::chrono::milliseconds delay, Event event) { At(clock_->Steady() + delay, std::move(event)); }
  void At(core::SteadyTime time, Event event) {
    heap_.push_back({std::max(time, clock_->Steady()), ++serial_, std::move(event)});
    std::push_heap(heap_.begin(), heap_.end(), IsLater);
  }

  std::optional<core::SteadyTime> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().time;
  }

  // Moves the clock to the first event, and runs it. Not for an empty queue.
  void RunNext() {
    std::pop_heap(heap_.begin(), heap_.end(), IsLater);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    clock_->AdvanceTo(entry.time);
    entry.event();
  }

  core::SteadyTime now() const { return clock_->Steady(); }

 private:
  struct Entry {
    core::SteadyTime time;
    uint64_t serial;
    Event event;
  };
  static bool IsLater(const Entry& a, const Entry& b) {
    return std::pair(a.time, a.serial) > std::pair(b.time, b.serial);
  }

  storage::SimulatedClock* const clock_;
  uint64_t serial_ = 0;
  std::vector<Entry> heap_;
};

// One life of the switch's process: what it set going ends with it. Its copies are of the same life.
class Life {
 public:
  explicit Life(EventQueue* events) : events_(events) {}

  void After(std::chrono::milliseconds delay, EventQueue::Event event) const {
    At(events_->now() + delay, std::move(event));
  }
  void At(core::SteadyTime time, EventQueue::Event event) const {
    events_->At(time, [lives = lives_, event = std::move(event)]() mutable {
      if (*lives) event();
    });
  }
  core::SteadyTime now() const { return events_->now(); }
  void End() const { *lives_ = false; }
  bool lives() const { return *lives_; }

 private:
  EventQueue* events_;
  std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);
};

}  // namespace waystation::sim
