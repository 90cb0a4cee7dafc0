#include "switch/flow/worker.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "boost/asio/awaitable.hpp"
#include "switch/core/limits.h"
#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

namespace asio = boost::asio;

// A promise that a task keeps belongs to the task: it may still be at work on it when the test goes on.

TEST(WorkerTest, RunsWhatIsPostedInOrderAndOnOneThread) {
  Worker worker("flow");
  std::vector<int> seen;  // the worker's only
  auto last = std::make_shared<std::promise<void>>();
  std::future<void> done = last->get_future();
  for (int i = 0; i < 50; ++i) worker.Post([&seen, i] { seen.push_back(i); });
  worker.Start();
  for (int i = 50; i < 100; ++i) worker.Post([&seen, i] { seen.push_back(i); });
  worker.Post([&worker, &seen, last] {
    // What a task posts comes after it.
    worker.Post([last] { last->set_value(); });
    seen.push_back(100);
  });
  Get(std::move(done));
  worker.Stop();
  ASSERT_EQ(seen.size(), 101u);
  for (int i = 0; i <= 100; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(WorkerTest, TakesPostsFromManyThreads) {
  Worker worker("flow");
  worker.Start();
  int seen = 0;  // the worker's only
  auto last = std::make_shared<std::promise<void>>();
  std::future<void> done = last->get_future();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&worker, &seen, last] {
      for (int i = 0; i < 1'000; ++i) {
        worker.Post([&seen, last] {
          if (++seen == 4'000) last->set_value();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Get(std::move(done));
}

TEST(WorkerTest, WhatIsNotRunIsDropped) {
  std::promise<void> dropped;
  std::future<void> future = dropped.get_future();
  {
    Worker worker("flow");
    worker.Post([dropped = std::move(dropped)]() mutable { dropped.set_value(); });
  }
  EXPECT_THROW(Get(std::move(future)), std::future_error);
}

using Submission = asio::awaitable<core::Reply> (*)(storage::Sequencer&, Worker&, core::Command);

asio::awaitable<void> CommitAndTell(Submission submit, storage::Sequencer* sequencer, Worker* worker,
                                    std::promise<core::Reply> told) {
  core::Reply reply = co_await submit(*sequencer, *worker, core::ReadBusinessDay{});
  told.set_value(std::move(reply));
}

// What the submission gives to a coroutine on the worker.
core::Reply ReplyTo(Submission submit, storage::Sequencer* sequencer, Worker* worker) {
  std::promise<core::Reply> told;
  std::future<core::Reply> reply = told.get_future();
  worker->Post([=, told = std::move(told)]() mutable {
    worker->Spawn(CommitAndTell(submit, sequencer, worker, std::move(told)));
  });
  return Get(std::move(reply));
}

TEST(WorkerTest, ACommitComesBackWithItsReply) {
  storage::ManualClock clock;
  storage::MemoryCommitLog store;
  storage::RunningLedger running(&store, &clock);
  Worker worker("flow");
  running.Start();
  worker.Start();
  for (Submission submit : {&Commit, &TryCommit}) {
    const core::Reply reply = ReplyTo(submit, &running.sequencer(), &worker);
    EXPECT_EQ(std::get<core::BusinessDay>(reply.value).date, storage::ShopDate());
  }
  worker.Stop();
  running.Stop();
}

TEST(WorkerTest, NewWorkIsRefusedWhenTheSequencerIsFull) {
  storage::ManualClock clock;
  storage::MemoryCommitLog store;
  storage::RunningLedger running(&store, &clock);
  for (size_t i = 0; i < core::kMaxSequencerQueue; ++i) running.Submit(core::ReadBusinessDay{});
  Worker worker("flow");
  worker.Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(absl::IsResourceExhausted(ReplyTo(&TryCommit, &running.sequencer(), &worker).status));
  }
  worker.Stop();
}

}  // namespace
}  // namespace waystation::flow
