#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "storage/sequencer.h"
#include "switch/core/command.h"

namespace waystation::flow {

// One thread with an io_context: where coroutines run. What runs on a worker needs no locks against what else runs on
// it.
//
// Threads: Post and Deliver from any; the rest from the owner's.
//
// Limits: none of its own; whoever posts is bounded (payments in progress, calls of gRPC).
class Worker final : public storage::ReplyPort {
 public:
  using Task = absl::AnyInvocable<void()>;

  // `name`: of its thread, as top -H shows it; at most 15 characters.
  explicit Worker(std::string name = "worker");
  ~Worker() override;

  void Start();
  // Ends the thread after the task at hand. What waits is dropped with the worker, which the owner destroys only after
  // the sequencer has stopped: their tickets may still be in its hands.
  void Stop();

  // Runs `task` on the worker's thread. Tasks posted close together cost one wake-up.
  void Post(Task task);

  // Runs a coroutine on the worker. From its own thread it starts at once.
  void Spawn(boost::asio::awaitable<void> coroutine);

  void Deliver(std::vector<storage::Ticket*> tickets) override;

  boost::asio::io_context& io() { return io_; }

 private:
  void RunPosted();

  const std::string name_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  std::vector<Task> running_;
  std::thread thread_;
};

// Hands `command` to the sequencer and waits, on the worker that awaits it, until the reply may be seen.
boost::asio::awaitable<core::Reply> Commit(storage::Sequencer& sequencer, Worker& worker, core::Command command);

// The same for new work: when the sequencer's queue is full the reply is kResourceExhausted, and nothing was done.
boost::asio::awaitable<core::Reply> TryCommit(storage::Sequencer& sequencer, Worker& worker, core::Command command);

}  // namespace waystation::flow
