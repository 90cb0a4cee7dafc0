#include "switch/flow/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "boost/asio/awaitable.hpp"
#include "switch/core/limits.h"
#include "tests/flow/flow_world.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::flow {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A promise that a task keeps belongs to the task: it may still be at work on it when the test goes on.

TEST(WorkerTest, RunsWhatIsPostedInOrderAndOnOneThread) {
  storage::ManualClock clock;
  Worker worker(&clock);
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

TEST(WorkerTest, WhatGoesFirstIsRunBetweenTheTasksAndTheTicketsThatWait) {
  storage::ManualClock clock;
  Worker worker(&clock);
  std::vector<std::string> seen;
  const auto note = [&seen](const char* what) { return [&seen, what] { seen.emplace_back(what); }; };
  storage::Ticket read{.command = core::ReadBillers{}, .on_reply = note("read"), .reply = {}};
  storage::Ticket paid{.command = core::ReadBillers{}, .on_reply = {}, .reply = {}};
  paid.on_reply = [&] {
    seen.emplace_back("paid");
    worker.DeliverReads({&read});
  };
  storage::Ticket paid_too{.command = core::ReadBillers{}, .on_reply = note("paid too"), .reply = {}};

  worker.Post([&] {
    seen.emplace_back("posted");
    worker.PostFirst(note("inquiry"));
    worker.PostFirst(note("another"));
  });
  worker.Post(note("posted too"));
  worker.Deliver({&paid, &paid_too});
  EXPECT_TRUE(worker.RunReady());
  EXPECT_THAT(seen, ElementsAre("posted", "inquiry", "another", "posted too", "paid", "read", "paid too"));

  // But not all that is there, where there is much of it.
  seen.clear();
  worker.Post([&] {
    for (int i = 0; i < 1'000; ++i) worker.PostFirst(note("first"));
  });
  worker.Post(note("posted"));
  EXPECT_TRUE(worker.RunReady());
  EXPECT_EQ(seen.size(), 1'001U);
  EXPECT_LT(std::find(seen.begin(), seen.end(), "posted") - seen.begin(), 20);

  // Where nothing else waits, too.
  worker.PostFirst(note("alone"));
  EXPECT_TRUE(worker.RunReady());
  EXPECT_EQ(seen.back(), "alone");
  EXPECT_FALSE(worker.RunReady());
}

TEST(WorkerTest, TakesPostsFromManyThreads) {
  storage::ManualClock clock;
  Worker worker(&clock);
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
  storage::ManualClock clock;
  std::promise<void> dropped;
  std::future<void> future = dropped.get_future();
  {
    Worker worker(&clock);
    worker.Post([dropped = std::move(dropped)]() mutable { dropped.set_value(); });
  }
  EXPECT_THROW(Get(std::move(future)), std::future_error);
}

class AlarmTest : public ::testing::Test {
 protected:
  // Runs what is due once `ms` more have passed.
  void Pass(int ms) {
    clock_.Advance(std::chrono::milliseconds(ms));
    worker_.RunReady();
  }
  core::SteadyTime In(int ms) const { return clock_.Steady() + std::chrono::milliseconds(ms); }
  Worker::Task Note(const std::string& name) {
    return [this, name] { rung_.push_back(name); };
  }

  storage::SimulatedClock clock_;
  Worker worker_{&clock_};
  std::vector<std::string> rung_;
};

TEST_F(AlarmTest, GoesOffOnceAtItsTime) {
  Alarm alarm(&worker_, Note("a"));
  alarm.Set(In(10));
  EXPECT_EQ(worker_.NextAlarm(), In(10));
  Pass(9);
  EXPECT_THAT(rung_, IsEmpty());
  Pass(1);
  EXPECT_THAT(rung_, ElementsAre("a"));
  EXPECT_EQ(alarm.at(), std::nullopt);
  Pass(100);
  EXPECT_THAT(rung_, ElementsAre("a"));
}

TEST_F(AlarmTest, TheTimeSetLastCounts) {
  Alarm alarm(&worker_, Note("a"));
  alarm.Set(In(10));
  alarm.Set(In(20));
  Pass(10);
  EXPECT_THAT(rung_, IsEmpty());
  alarm.Set(In(1));
  Pass(1);
  EXPECT_THAT(rung_, ElementsAre("a"));
  Pass(100);
  EXPECT_THAT(rung_, ElementsAre("a"));
}

TEST_F(AlarmTest, InOrderOfTimeThenOfSetting) {
  Alarm c(&worker_, Note("c"));
  Alarm a(&worker_, Note("a"));
  Alarm b(&worker_, Note("b"));
  c.Set(In(2));
  a.Set(In(1));
  b.Set(In(2));
  Pass(5);
  EXPECT_THAT(rung_, ElementsAre("a", "c", "b"));
}

TEST_F(AlarmTest, OneThatIsClearedOrGoneStaysSilent) {
  Alarm cleared(&worker_, Note("cleared"));
  cleared.Set(In(1));
  cleared.Clear();
  { Alarm(&worker_, Note("gone")).Set(In(1)); }
  EXPECT_EQ(worker_.NextAlarm(), std::nullopt);
  Pass(5);
  EXPECT_THAT(rung_, IsEmpty());
}

TEST_F(AlarmTest, MaySetItselfAgain) {
  Alarm* itself = nullptr;
  Alarm alarm(&worker_, [&] {
    rung_.push_back("tick");
    if (rung_.size() < 3) itself->Set(In(5));
  });
  itself = &alarm;
  alarm.Set(In(5));
  Pass(5);
  EXPECT_EQ(rung_.size(), 1u);
  Pass(5);
  Pass(5);
  Pass(5);
  EXPECT_EQ(rung_.size(), 3u);
}

asio::awaitable<void> WaitAndNote(Worker* worker, core::SteadyTime until, std::shared_ptr<bool> came) {
  co_await WaitUntil(*worker, until);
  *came = true;
}

TEST_F(AlarmTest, ACoroutineWaitsUntilATime) {
  const auto came = std::make_shared<bool>(false);
  worker_.Spawn(WaitAndNote(&worker_, In(10), came));
  Pass(9);
  EXPECT_FALSE(*came);
  Pass(1);
  EXPECT_TRUE(*came);
}

asio::awaitable<void> SleepAndCount(std::shared_ptr<Sleep> sleep, core::SteadyTime until, std::shared_ptr<int> ends) {
  co_await sleep->Until(until);
  ++*ends;
}

TEST_F(AlarmTest, ASleepThatNobodyWakesEndsAtItsTime) {
  const auto sleep = std::make_shared<Sleep>(&worker_);
  const auto ends = std::make_shared<int>(0);
  worker_.Spawn(SleepAndCount(sleep, In(10), ends));
  Pass(9);
  EXPECT_EQ(*ends, 0);
  Pass(1);
  EXPECT_EQ(*ends, 1);
  sleep->Wake();
  EXPECT_EQ(*ends, 1) << "nobody is asleep any more";
}

TEST_F(AlarmTest, ASleepThatIsWokenEndsThereAndThenAndOnce) {
  const auto sleep = std::make_shared<Sleep>(&worker_);
  const auto ends = std::make_shared<int>(0);
  sleep->Wake();
  worker_.Spawn(SleepAndCount(sleep, In(10), ends));
  Pass(1);
  EXPECT_EQ(*ends, 0) << "waking nobody wakes nobody who comes later";
  worker_.Post([sleep, ends] {
    sleep->Wake();
    EXPECT_EQ(*ends, 1);
  });
  Pass(0);
  EXPECT_EQ(worker_.NextAlarm(), std::nullopt);
  Pass(100);
  EXPECT_EQ(*ends, 1);
  // And again.
  worker_.Spawn(SleepAndCount(sleep, In(10), ends));
  Pass(10);
  EXPECT_EQ(*ends, 2);
}

TEST(WorkerTest, ASleepEndsWithItsWorker) {
  storage::SimulatedClock clock;
  const auto ends = std::make_shared<int>(0);
  std::optional<Worker> worker(&clock);
  auto sleep = std::make_shared<Sleep>(&*worker);
  worker->Spawn(SleepAndCount(sleep, clock.Steady() + std::chrono::hours(1), ends));
  worker->RunReady();
  worker.reset();
  EXPECT_EQ(*ends, 0);
  EXPECT_EQ(ends.use_count(), 1) << "its frame is gone";
  EXPECT_EQ(sleep.use_count(), 1);
}

TEST(WorkerTest, ACoroutineThatWaitsEndsWithItsWorker) {
  storage::SimulatedClock clock;
  const auto came = std::make_shared<bool>(false);
  {
    Worker worker(&clock);
    worker.Spawn(WaitAndNote(&worker, clock.Steady() + std::chrono::hours(1), came));
    worker.RunReady();
    EXPECT_EQ(came.use_count(), 2);
  }
  EXPECT_EQ(came.use_count(), 1) << "its frame is gone";
  EXPECT_FALSE(*came);
}

asio::awaitable<void> Count(std::shared_ptr<int> runs) {
  ++*runs;
  co_return;
}

TEST(WorkerTest, ACoroutineOfAnotherThreadStartsWhenItsTurnComesOrEndsWithTheWorker) {
  storage::SimulatedClock clock;
  const auto runs = std::make_shared<int>(0);
  std::optional<Worker> worker(&clock);
  std::thread([&] { worker->PostSpawn(Count(runs)); }).join();
  EXPECT_EQ(*runs, 0);
  worker->RunReady();
  EXPECT_EQ(*runs, 1);
  std::thread([&] { worker->PostSpawn(Count(runs)); }).join();
  worker.reset();
  EXPECT_EQ(*runs, 1);
  EXPECT_EQ(runs.use_count(), 1) << "what it held is let go of";
}

TEST(WorkerTest, AnAlarmGoesOffOnTheWorkersThread) {
  storage::ManualClock clock;
  Worker worker(&clock);
  auto rung = std::make_shared<std::promise<std::thread::id>>();
  std::future<std::thread::id> where = rung->get_future();
  Alarm alarm(&worker, [rung] { rung->set_value(std::this_thread::get_id()); });
  worker.Start();
  worker.Post([&alarm, &clock] {
    alarm.Set(clock.Steady() + std::chrono::hours(1));
    alarm.Set(clock.Steady() + std::chrono::milliseconds(1));
  });
  EXPECT_NE(Get(std::move(where)), std::this_thread::get_id());
  worker.Stop();
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
  Worker worker(&clock);
  running.Start();
  worker.Start();
  for (Submission submit : {Submission{&Commit}, Submission{&TryCommit}}) {
    const core::Reply reply = ReplyTo(submit, &running.sequencer(), &worker);
    EXPECT_EQ(std::get<core::BusinessDay>(reply.value).date, storage::ShopDate());
  }
  worker.Stop();
  running.Stop();
}

TEST(WorkerTest, ARepliedReadThatNobodySeesEndsWithItsWorker) {
  storage::SimulatedClock clock;
  storage::MemoryCommitLog store;
  storage::RunningLedger running(&store, &clock);
  const auto came = std::make_shared<bool>(false);
  {
    Worker worker(&clock);
    worker.Spawn([](storage::Sequencer* sequencer, Worker* on, std::shared_ptr<bool> note) -> asio::awaitable<void> {
      co_await TryCommit(*sequencer, *on, core::ReadBusinessDay{});
      *note = true;
    }(&running.sequencer(), &worker, came));
    worker.RunReady();
    EXPECT_TRUE(running.sequencer().RunReady());
  }
  EXPECT_EQ(came.use_count(), 1) << "its frame is gone";
  EXPECT_FALSE(*came);
  running.Stop();
}

TEST(WorkerTest, NewWorkIsRefusedWhenTheSequencerIsFull) {
  storage::ManualClock clock;
  storage::MemoryCommitLog store;
  storage::RunningLedger running(&store, &clock);
  for (size_t i = 0; i < core::kMaxSequencerQueue; ++i) {
    ASSERT_NE(running.TrySubmit(core::ReadBusinessDay{}), nullptr) << i;
  }
  Worker worker(&clock);
  worker.Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(absl::IsResourceExhausted(ReplyTo(&TryCommit, &running.sequencer(), &worker).status));
  }
  worker.Stop();
}

}  // namespace
}  // namespace waystation::flow
