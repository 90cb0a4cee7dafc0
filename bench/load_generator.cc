#include "bench/load_generator.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

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
// Calls that come due within it are sent together. A sleeper that wakes for each takes a core from the server each
// time; latency counts from when a call was due all the same.
constexpr std::chrono::milliseconds kPaceStep{1};

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
  std::vector<KindResult> kinds;
  // Read by the reporting thread while the driver runs.
  std::atomic<uint64_t> ended{0};
  std::atomic<uint64_t> failed{0};
};

class LoadRun {
 public:
  LoadRun(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls);
  LoadResult Execute(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);

 private:
  bool open_loop() const { return shape_.rate > 0 || !shape_.curve.empty(); }
  ArrivalSchedule Schedule() const;
  TimeSeries NewSeries() const;
  void DriveClosed(Driver& driver);
  void DriveOpen(Driver& driver);
  void Record(Driver& driver, Slot& slot, TimePoint now);
  void Pace();
  Slot* TakeFree(TimePoint give_up);
  void ThreadEnded();
  void WaitForThreads(absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);
  void StopEarly(TimePoint now);
  uint64_t Sum(std::atomic<uint64_t> Driver::*counter) const;
  uint64_t InFlightNow() const;
  void LookAtInFlight(TimePoint now);
  std::vector<uint64_t> DueByInterval() const;
  LoadResult Collect();

  const LoadShape shape_;
  const TimePoint start_ = SteadyClock::now();
  const TimePoint measure_from_ = start_ + shape_.warm_up;
  const TimePoint end_ = measure_from_ + shape_.measured;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  std::atomic<bool> stop_{false};
  TimePoint stopped_at_ = end_;      // the waiting thread's
  std::vector<InFlight> in_flight_;  // the waiting thread's
  uint64_t looks_ = 0;               // the waiting thread's: in the last interval of in_flight_

  std::mutex mutex_;
  std::condition_variable thread_ended_;
  size_t running_ = 0;

  // Open loop only.
  std::atomic<uint64_t> sent_{0};
  std::condition_variable slot_freed_;
  std::vector<Slot*> free_;
  LatencyHistogram send_lag_;        // the pacer's
  LatencyHistogram never_sent_for_;  // the pacer's: how long they had waited
};

LoadRun::LoadRun(const LoadShape& shape, std::vector<std::unique_ptr<Call>> calls)
    : shape_(shape), slots_(calls.size()) {
  const size_t threads = std::clamp<size_t>(shape.threads, 1, std::max<size_t>(calls.size(), 1));
  for (size_t i = 0; i < threads; ++i) {
    drivers_.push_back(std::make_unique<Driver>());
    for (size_t kind = 0; kind < shape.kinds; ++kind) drivers_.back()->kinds.push_back({.series = NewSeries()});
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    Slot& slot = slots_[i];
    slot.call = std::move(calls[i]);
    slot.driver = drivers_[i % threads].get();
    slot.driver->slots.push_back(&slot);
    if (open_loop()) free_.push_back(&slot);
  }
}

ArrivalSchedule LoadRun::Schedule() const {
  if (shape_.curve.empty()) return ArrivalSchedule(start_, shape_.rate);
  std::vector<RatePoint> curve = shape_.curve;
  for (RatePoint& point : curve) point.at += shape_.warm_up;
  return ArrivalSchedule(start_, curve);
}

TimeSeries LoadRun::NewSeries() const {
  if (shape_.interval.count() == 0) return {};
  const auto count =
      static_cast<size_t>((shape_.measured + shape_.interval - std::chrono::nanoseconds(1)) / shape_.interval);
  return {measure_from_, shape_.interval, count};
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
  KindResult& kind = driver.kinds[result.kind];
  kind.results.Add(result);
  kind.series.Record(slot.since, now, result);
  driver.ended.store(driver.ended.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // A call that fails at once would otherwise look like a fast answer.
  if (result.code != grpc::StatusCode::OK) {
    driver.failed.store(driver.failed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  const bool ended_within = now >= measure_from_ && now < end_;
  if (ended_within) ++kind.completed;
  const bool counts = open_loop() ? slot.since >= measure_from_ : ended_within;
  if (counts) kind.latency.Record(now - slot.since);
}

void LoadRun::Pace() {
  // The kernel may wake a sleeper up to 50 microseconds late by default.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const ArrivalSchedule schedule = Schedule();
  const uint64_t arrivals = schedule.CountBefore(end_);
  uint64_t next = 0;
  TimePoint woke;
  for (; next < arrivals && !stop_.load(std::memory_order_relaxed); ++next) {
    const TimePoint due = schedule.IntendedAt(next);
    if (due > woke) {
      std::this_thread::sleep_until(std::max(due, woke + kPaceStep));
      woke = SteadyClock::now();
    }
    Slot* slot = TakeFree(end_ + kBacklogLimit);
    if (slot == nullptr) break;
    if (due >= measure_from_) send_lag_.Record(SteadyClock::now() - due);
    slot->since = due;
    sent_.store(next + 1, std::memory_order_relaxed);
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
    LookAtInFlight(now);
    if (!stop_ && interrupted()) StopEarly(now);
    if (!cancelled && now > stopped_at_ + kAnswerLimit) {
      cancelled = true;
      for (Slot& slot : slots_) slot.call->Cancel();
    }
    if (now - reported_at >= kReportInterval) {
      const uint64_t ended = Sum(&Driver::ended);
      report({.elapsed_seconds = std::chrono::duration<double>(now - start_).count(),
              .per_second =
                  static_cast<double>(ended - reported) / std::chrono::duration<double>(now - reported_at).count(),
              .in_flight = InFlightNow(),
              .failed = Sum(&Driver::failed)});
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

uint64_t LoadRun::Sum(std::atomic<uint64_t> Driver::*counter) const {
  uint64_t sum = 0;
  for (const auto& driver : drivers_) sum += ((*driver).*counter).load(std::memory_order_relaxed);
  return sum;
}

uint64_t LoadRun::InFlightNow() const {
  if (!open_loop()) return slots_.size();
  // In this order, so that what ends meanwhile is not missing.
  const uint64_t ended = Sum(&Driver::ended);
  return sent_.load(std::memory_order_relaxed) - ended;
}

void LoadRun::LookAtInFlight(TimePoint now) {
  if (shape_.interval.count() == 0 || now < measure_from_ || now >= end_) return;
  const auto index = static_cast<size_t>((now - measure_from_) / shape_.interval);
  if (index >= in_flight_.size()) {
    // One that went by without a look was like the one before it.
    in_flight_.resize(index + 1, in_flight_.empty() ? InFlight() : in_flight_.back());
    in_flight_.back() = {};
    looks_ = 0;
  }
  InFlight& interval = in_flight_.back();
  const uint64_t in_flight = InFlightNow();
  interval.mean += (static_cast<double>(in_flight) - interval.mean) / static_cast<double>(++looks_);
  interval.most = std::max(interval.most, in_flight);
}

std::vector<uint64_t> LoadRun::DueByInterval() const {
  const ArrivalSchedule schedule = Schedule();
  std::vector<uint64_t> due;
  uint64_t before = schedule.CountBefore(measure_from_);
  for (TimePoint from = measure_from_; from < stopped_at_; from += shape_.interval) {
    const uint64_t until = schedule.CountBefore(std::min(from + shape_.interval, stopped_at_));
    due.push_back(until - before);
    before = until;
  }
  return due;
}

LoadResult LoadRun::Collect() {
  LoadResult result;
  for (size_t kind = 0; kind < shape_.kinds; ++kind) result.kinds.push_back({.series = NewSeries()});
  result.seconds = std::max(0.0, std::chrono::duration<double>(stopped_at_ - measure_from_).count());
  for (const auto& driver : drivers_) {
    for (size_t kind = 0; kind < shape_.kinds; ++kind) {
      const KindResult& from = driver->kinds[kind];
      KindResult& to = result.kinds[kind];
      to.completed += from.completed;
      to.latency.Merge(from.latency);
      to.results.Merge(from.results);
      to.series.Merge(from.series);
    }
  }
  for (const KindResult& kind : result.kinds) {
    result.completed += kind.completed;
    result.latency.Merge(kind.latency);
    result.results.Merge(kind.results);
  }
  if (shape_.interval.count() > 0) {
    result.in_flight = std::move(in_flight_);
    if (open_loop()) result.due = DueByInterval();
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
