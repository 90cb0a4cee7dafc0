#include "bench/load_generator.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "bench/arrival_schedule.h"

namespace waystation::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

// How long an open loop goes on sending what was due before the end, and how long answers are waited for. The second is
// longer than the first and longer than a payment waits by default, so nothing starts while calls are being cancelled.
constexpr std::chrono::seconds kBacklogLimit{4};
constexpr std::chrono::seconds kAnswerLimit{20};
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::seconds kReportInterval{1};

struct Driver;

struct Slot {
  std::unique_ptr<Call> call;
  Driver* driver = nullptr;
  // Closed loop: when it was sent. Open loop: when it was due.
  TimePoint since;
};

// One thread and what it alone writes.
struct alignas(64) Driver {
  grpc::CompletionQueue queue;
  std::vector<Slot*> slots;
  LatencyHistogram latency;
  ResultCounts results;
  uint64_t completed = 0;
  // Read by the reporting thread while the driver runs.
  std::atomic<uint64_t> ended{0};
};

class LoadRun {
 public:
  LoadRun(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls);
  LoadResult Execute(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);

 private:
  bool open_loop() const { return shape_.rate > 0; }
  void DriveClosed(Driver& driver);
  void DriveOpen(Driver& driver);
  void Record(Driver& driver, Slot& slot, TimePoint now);
  void Pace();
  Slot* TakeFree(TimePoint give_up);
  void ThreadEnded();
  void WaitForThreads(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);
  void StopEarly(TimePoint now);
  uint64_t EndedSoFar() const;
  LoadResult Collect();

  const LoadShape shape_;
  const TimePoint start_ = SteadyClock::now();
  const TimePoint measure_from_ = start_ + shape_.warm_up;
  const TimePoint end_ = measure_from_ + shape_.measured;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  std::atomic<bool> stop_{false};
  TimePoint stopped_at_ = end_;  // the waiting thread's

  std::mutex mutex_;
  std::condition_variable thread_ended_;
  size_t running_ = 0;

  // Open loop only.
  std::condition_variable slot_freed_;
  std::vector<Slot*> free_;
  LatencyHistogram send_lag_;        // the pacer's
  LatencyHistogram never_sent_for_;  // the pacer's: how long they had waited
};

LoadRun::LoadRun(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls)
    : shape_(shape), slots_(calls.size()) {
  const size_t threads = std::clamp<size_t>(shape.threads, 1, std::max<size_t>(calls.size(), 1));
  for (size_t i = 0; i < threads; ++i) drivers_.push_back(std::make_unique<Driver>());
  for (size_t i = 0; i < calls.size(); ++i) {
    Slot& slot = slots_[i];
    slot.call = std::move(calls[i]);
    slot.driver = drivers_[i % threads].get();
    slot.driver->slots.push_back(&slot);
    if (open_loop()) free_.push_back(&slot);
  }
}

LoadResult LoadRun::Execute(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  running_ = drivers_.size() + (open_loop() ? 1 : 0);
  std::vector<std::jthread> threads;
  for (const auto& driver : drivers_) {
    threads.emplace_back([this, &driver = *driver] { open_loop() ? DriveOpen(driver) : DriveClosed(driver); });
  }
  if (open_loop()) threads.emplace_back([this] { Pace(); });
  WaitForThreads(report, interrupted);
  threads.clear();
  return Collect();
}

void LoadRun::DriveClosed(Driver& driver) {
  for (Slot* slot : driver.slots) {
    slot->since = SteadyClock::now();
    slot->call->Start(driver.queue, slot);
  }
  size_t in_flight = driver.slots.size();
  void* tag = nullptr;
  bool ok = false;
  while (in_flight > 0 && driver.queue.Next(&tag, &ok)) {
    Slot& slot = *static_cast<Slot*>(tag);
    const TimePoint now = SteadyClock::now();
    Record(driver, slot, now);
    if (now < end_ && !stop_.load(std::memory_order_relaxed)) {
      slot.since = now;
      slot.call->Start(driver.queue, &slot);
    } else {
      --in_flight;
    }
  }
  driver.queue.Shutdown();
  while (driver.queue.Next(&tag, &ok)) {
  }
  ThreadEnded();
}

void LoadRun::DriveOpen(Driver& driver) {
  void* tag = nullptr;
  bool ok = false;
  while (driver.queue.Next(&tag, &ok)) {
    Slot& slot = *static_cast<Slot*>(tag);
    Record(driver, slot, SteadyClock::now());
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(&slot);
    }
    slot_freed_.notify_one();
  }
  ThreadEnded();
}

void LoadRun::Record(Driver& driver, Slot& slot, TimePoint now) {
  const CallResult result = slot.call->TakeResult();
  driver.results.Add(result);
  driver.ended.store(driver.ended.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // A call that fails at once would otherwise look like a fast answer.
  if (result.code != grpc::StatusCode::OK) return;
  const bool ended_within = now >= measure_from_ && now < end_;
  if (ended_within) ++driver.completed;
  const bool counts = open_loop() ? slot.since >= measure_from_ : ended_within;
  if (counts) driver.latency.Record(now - slot.since);
}

void LoadRun::Pace() {
  // The kernel may wake a sleeper up to 50 microseconds late by default.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const ArrivalSchedule schedule(start_, shape_.rate);
  const uint64_t arrivals = schedule.CountBefore(end_);
  uint64_t next = 0;
  for (; next < arrivals && !stop_.load(std::memory_order_relaxed); ++next) {
    const TimePoint due = schedule.IntendedAt(next);
    std::this_thread::sleep_until(due);
    Slot* slot = TakeFree(end_ + kBacklogLimit);
    if (slot == nullptr) break;
    if (due >= measure_from_) send_lag_.Record(SteadyClock::now() - due);
    slot->since = due;
    slot->call->Start(slot->driver->queue, slot);
  }
  const TimePoint now = SteadyClock::now();
  for (; next < arrivals && schedule.IntendedAt(next) < now; ++next) {
    never_sent_for_.Record(now - schedule.IntendedAt(next));
  }
  for (const auto& driver : drivers_) driver->queue.Shutdown();
  ThreadEnded();
}

Slot* LoadRun::TakeFree(TimePoint give_up) {
  std::unique_lock lock(mutex_);
  const bool ready =
      slot_freed_.wait_until(lock, give_up, [this] { return !free_.empty() || stop_.load(std::memory_order_relaxed); });
  if (!ready || free_.empty()) return nullptr;
  // The one that was used last is still in the cache.
  Slot* slot = free_.back();
  free_.pop_back();
  return slot;
}

void LoadRun::ThreadEnded() {
  const std::lock_guard lock(mutex_);
  --running_;
  thread_ended_.notify_one();
}

void LoadRun::WaitForThreads(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  TimePoint reported_at = start_;
  uint64_t reported = 0;
  bool cancelled = false;
  std::unique_lock lock(mutex_);
  while (!thread_ended_.wait_for(lock, kTick, [this] { return running_ == 0; })) {
    const TimePoint now = SteadyClock::now();
    if (!stop_ && interrupted()) StopEarly(now);
    if (!cancelled && now > stopped_at_ + kAnswerLimit) {
      cancelled = true;
      for (Slot& slot : slots_) slot.call->Cancel();
    }
    if (now - reported_at >= kReportInterval) {
      const uint64_t ended = EndedSoFar();
      report({.elapsed_seconds = std::chrono::duration<double>(now - start_).count(),
              .per_second =
                  static_cast<double>(ended - reported) / std::chrono::duration<double>(now - reported_at).count()});
      reported = ended;
      reported_at = now;
    }
  }
}

// The caller holds mutex_.
void LoadRun::StopEarly(TimePoint now) {
  stop_ = true;
  stopped_at_ = std::min(now, end_);
  slot_freed_.notify_all();
}

uint64_t LoadRun::EndedSoFar() const {
  uint64_t ended = 0;
  for (const auto& driver : drivers_) ended += driver->ended.load(std::memory_order_relaxed);
  return ended;
}

LoadResult LoadRun::Collect() {
  LoadResult result;
  result.seconds = std::max(0.0, std::chrono::duration<double>(stopped_at_ - measure_from_).count());
  for (const auto& driver : drivers_) {
    result.completed += driver->completed;
    result.latency.Merge(driver->latency);
    result.results.Merge(driver->results);
  }
  result.send_lag = std::move(send_lag_);
  result.never_sent = never_sent_for_.count();
  result.latency.Merge(never_sent_for_);
  return result;
}

}  // namespace

LoadResult RunLoad(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls,
                   absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  return LoadRun(shape, std::move(calls)).Execute(report, interrupted);
}

}  // namespace waystation::bench
