#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "boost/asio/async_result.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/core/command.h"

namespace waystation::flow {

class Alarm;
class Sleep;

// One thread with an io_context: where coroutines run. What runs on a worker needs no locks against what else runs on
// it.
//
// Threads: Post, PostFirst, PostSpawn, Deliver and DeliverReads from any; alarms on the worker's own, or before it
// starts; the rest from the owner's.
//
// Instead of Start, whose thread waits for what comes, an owner may call RunReady himself, again and again, from one
// thread: the simulation does, with a clock of its own.
//
// Limits: none of its own; whoever posts is bounded (payments in progress, calls of gRPC).
class Worker final : public storage::ReplyPort {
 public:
  using Task = absl::AnyInvocable<void()>;

  // The clock outlives the worker. `name`: of its thread, as top -H shows it; at most 15 characters.
  explicit Worker(const core::Clock* clock, std::string name = "worker");
  ~Worker() override;

  void Start();
  // Ends the thread after the task at hand. What waits is dropped with the worker, which the owner destroys only after
  // the sequencer has stopped: their tickets may still be in its hands.
  void Stop();

  // Runs what can run without waiting: what was posted and delivered, and the alarms whose time has come. False: there
  // was nothing to run.
  bool RunReady();
  // The time of the next alarm; null when none is set.
  std::optional<core::SteadyTime> NextAlarm() const;

  // Runs `task` once at `at`, which may have passed. Where the worker ends before, the task is dropped with it.
  void RunAt(core::SteadyTime at, Task task) { AddAlarm(at, std::move(task)); }

  // Runs `task` on the worker's thread. Tasks posted close together cost one wake-up.
  void Post(Task task);
  // Before what waits already, but for what was posted so too: a few between two tasks of a batch, or two tickets. For
  // what somebody waits for who is not to stand behind a peak of payments.
  void PostFirst(Task task);

  // Runs a coroutine on the worker, from its own thread: it starts at once.
  void Spawn(boost::asio::awaitable<void> coroutine);
  // The same from any thread: it starts when its turn comes, and nothing of it is run before.
  void PostSpawn(boost::asio::awaitable<void> coroutine);

  void Deliver(std::vector<storage::Ticket*> tickets) override;
  // As PostFirst.
  void DeliverReads(std::vector<storage::Ticket*> tickets) override;
  // Delivers one that found no room with the sequencer.
  void Refuse(storage::Ticket* ticket);

  boost::asio::io_context& io() { return io_; }
  const core::Clock& clock() const { return *clock_; }

 private:
  friend class Alarm;
  friend class Sleep;
  class Delivery;
  // Alarms of one time go off in the order in which they were set.
  using AlarmKey = std::pair<core::SteadyTime, uint64_t>;

  AlarmKey AddAlarm(core::SteadyTime at, Task task);
  // At most so many of those that go first.
  void RunFirst(size_t most);
  void RunAllFirst();
  void RunPosted();
  void RunAlarms();
  void SetTimer();

  const core::Clock* const clock_;
  const std::string name_;
  // Before io_, since a coroutine that ends with it may post yet.
  std::mutex mutex_;
  std::vector<Task> posted_;               // guarded by mutex_
  std::deque<Task> first_;                 // guarded by mutex_
  std::atomic<bool> first_waits_ = false;  // written under mutex_: that first_ holds something
  bool ending_ = false;                    // guarded by mutex_
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  absl::btree_map<AlarmKey, Task> alarms_;
  uint64_t alarms_set_ = 0;
  boost::asio::steady_timer timer_;
  std::optional<core::SteadyTime> timer_at_;  // null: not set
  std::vector<Task> running_;
  bool started_ = false;
  std::thread thread_;
};

// A time at which a task runs on the worker. Limits: one time each; ends before its worker.
class Alarm {
 public:
  Alarm(Worker* worker, Worker::Task task) : worker_(worker), task_(std::move(task)) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { Clear(); }

  // Instead of the time that was set before. One that has passed already goes off at once.
  void Set(core::SteadyTime at);
  void Clear();
  // Null when none is set, and while the task runs.
  std::optional<core::SteadyTime> at() const;

 private:
  friend class Worker;

  Worker* const worker_;
  Worker::Task task_;
  std::optional<Worker::AlarmKey> key_;
};

// An operation of Asio's, to be awaited on a worker: `start` is given what resumes the coroutine, once it is suspended.
// It is to be run on that worker, later; where it is dropped instead, the coroutine ends.
template <typename Start>
class Suspended {
 public:
  explicit Suspended(Start start) : start_(std::move(start)) {}
  template <boost::asio::completion_token_for<void()> Token>
  auto operator()(Token&& token) {
    return boost::asio::async_initiate<Token, void()>([this](auto resume) { start_(Worker::Task(std::move(resume))); },
                                                      token);
  }

 private:
  Start start_;
};

// A coroutine's wait for something that comes at its time or not at all.
//
// Threads: the worker's. Limits: one waits at a time, and it or what it waits with owns the sleep. A coroutine that is
// asleep belongs to its worker, and ends with it.
class Sleep {
 public:
  explicit Sleep(Worker* worker) : worker_(worker) {}
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;

  // Suspends the coroutine that awaits it until then, or until it is woken.
  boost::asio::awaitable<void> Until(core::SteadyTime time);
  // Resumes whoever is asleep, from here; nothing where nobody is.
  void Wake();

 private:
  Worker* const worker_;
  std::optional<Worker::AlarmKey> key_;
};

// Suspends the coroutine that awaits it, on `worker`, until then.
boost::asio::awaitable<void> WaitUntil(Worker& worker, core::SteadyTime time);

// Hands the ticket's command to the sequencer and waits, on the worker that awaits it, until the reply that is in the
// ticket then may be seen. The ticket outlives the wait.
inline auto Commit(storage::Sequencer& sequencer, Worker& worker, storage::Ticket& ticket) {
  return Suspended([&sequencer, &worker, &ticket](Worker::Task resume) {
    ticket.port = &worker;
    ticket.on_reply = std::move(resume);
    sequencer.Submit(&ticket);
  });
}

// The same for new work: when the sequencer's queue is full the reply is kResourceExhausted, and nothing was done.
inline auto TryCommit(storage::Sequencer& sequencer, Worker& worker, storage::Ticket& ticket) {
  return Suspended([&sequencer, &worker, &ticket](Worker::Task resume) {
    ticket.port = &worker;
    ticket.on_reply = std::move(resume);
    if (!sequencer.TrySubmit(&ticket)) worker.Refuse(&ticket);
  });
}

// The same for one who has no ticket.
boost::asio::awaitable<core::Reply> Commit(storage::Sequencer& sequencer, Worker& worker, core::Command command);
boost::asio::awaitable<core::Reply> TryCommit(storage::Sequencer& sequencer, Worker& worker, core::Command command);

}  // namespace waystation::flow
