#include "bench/load_generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "grpcpp/alarm.h"

namespace waystation::bench {
namespace {

using std::chrono::milliseconds;

// What the fake calls of one run count together.
struct World {
  std::atomic<int> in_flight{0};
  std::atomic<int> most_in_flight{0};
  std::atomic<int> started{0};
  milliseconds takes{0};
  grpc::StatusCode answer = grpc::StatusCode::OK;
};

// A call without a server: it ends when an alarm does.
class AlarmCall final : public Call {
 public:
  explicit AlarmCall(World& world) : world_(world) {}

  void Start(grpc::CompletionQueue& queue, void* tag) override {
    ++world_.started;
    const int now = ++world_.in_flight;
    int most = world_.most_in_flight;
    while (now > most && !world_.most_in_flight.compare_exchange_weak(most, now)) {
    }
    alarm_.Set(&queue, std::chrono::system_clock::now() + world_.takes, tag);
  }
  CallResult TakeResult() override {
    --world_.in_flight;
    return {.code = world_.answer};
  }
  void Cancel() override { alarm_.Cancel(); }

 private:
  World& world_;
  grpc::Alarm alarm_;
};

std::vector<std::unique_ptr<Call>> Calls(World& world, int count) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < count; ++i) calls.push_back(std::make_unique<AlarmCall>(world));
  return calls;
}

uint64_t AllResults(const LoadResult& result) {
  uint64_t count = 0;
  for (const ResultCounts::Line& line : result.results.Lines()) count += line.count;
  return count;
}

void Ignore(const Progress&) {}
bool Never() {
  return false;
}

TEST(LoadGenerator, ClosedLoopKeepsAllCallsInFlightAndAccountsForEachOne) {
  World world{.takes = milliseconds(2)};
  const LoadResult result = RunLoad({.threads = 2, .warm_up = milliseconds(50), .measured = milliseconds(300)},
                                    Calls(world, 8), Ignore, Never);
  EXPECT_EQ(world.most_in_flight, 8);
  EXPECT_EQ(world.in_flight, 0);
  EXPECT_EQ(AllResults(result), static_cast<uint64_t>(world.started));
  EXPECT_GT(result.completed, 0u);
  EXPECT_LT(result.completed, AllResults(result));  // the warm-up is left out
  EXPECT_EQ(result.latency.count(), result.completed);
  EXPECT_GE(result.latency.max(), milliseconds(1));
  EXPECT_NEAR(result.seconds, 0.3, 1e-9);
  EXPECT_EQ(result.never_sent, 0u);
}

TEST(LoadGenerator, OpenLoopSendsEveryArrivalOnce) {
  World world;
  const LoadResult result = RunLoad({.rate = 1'000, .warm_up = milliseconds(100), .measured = milliseconds(400)},
                                    Calls(world, 64), Ignore, Never);
  EXPECT_EQ(AllResults(result), 500u);
  EXPECT_EQ(result.latency.count(), 400u);
  EXPECT_EQ(result.never_sent, 0u);
}

TEST(LoadGenerator, OpenLoopCountsTheWaitOfArrivalsThatFindNoCallFree) {
  // One call of 20 ms carries 50 a second; 500 a second are due for 0.2 s, so the last of the 100 is sent about 1.8 s
  // late.
  World world{.takes = milliseconds(20)};
  const LoadResult result = RunLoad({.rate = 500, .measured = milliseconds(200)}, Calls(world, 1), Ignore, Never);
  EXPECT_EQ(world.most_in_flight, 1);
  EXPECT_EQ(AllResults(result), 100u);
  EXPECT_EQ(result.latency.count(), 100u);
  EXPECT_GE(result.latency.max(), milliseconds(1'500));
  EXPECT_GE(result.latency.Percentile(50), milliseconds(700));
}

TEST(LoadGenerator, ArrivalsThatAreNeverSentAreCountedWithTheTimeTheyWaited) {
  // The one call stays away longer than the backlog is waited for.
  World world{.takes = milliseconds(4'500)};
  const LoadResult result = RunLoad({.rate = 100, .measured = milliseconds(100)}, Calls(world, 1), Ignore, Never);
  EXPECT_EQ(AllResults(result), 1u);
  EXPECT_EQ(result.never_sent, 9u);
  EXPECT_EQ(result.latency.count(), 10u);
  EXPECT_GE(result.latency.Percentile(50), milliseconds(4'000));
}

TEST(LoadGenerator, FailedCallsCountAsResultsAndNotAsWorkDone) {
  World world{.takes = milliseconds(1), .answer = grpc::StatusCode::UNAVAILABLE};
  const LoadResult result = RunLoad({.measured = milliseconds(100)}, Calls(world, 4), Ignore, Never);
  EXPECT_EQ(result.completed, 0u);
  EXPECT_EQ(result.latency.count(), 0u);
  EXPECT_EQ(result.results.Unexpected(/*expect_declines=*/true), static_cast<uint64_t>(world.started));
}

TEST(LoadGenerator, AnInterruptionEndsBothLoopsEarly) {
  for (const double rate : {0.0, 100.0}) {
    World world{.takes = milliseconds(1)};
    const LoadResult result = RunLoad({.rate = rate, .measured = std::chrono::hours(1)}, Calls(world, 2), Ignore,
                                      [&world] { return world.started > 20; });
    EXPECT_GT(result.completed, 0u);
    EXPECT_LT(result.seconds, 3'600) << "the whole of what was asked for";
    EXPECT_EQ(AllResults(result), static_cast<uint64_t>(world.started));
  }
}

}  // namespace
}  // namespace waystation::bench
