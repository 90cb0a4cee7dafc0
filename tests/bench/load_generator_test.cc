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
  // Calls are of these kinds by turns.
  size_t kinds = 1;
};

// A call without a server: it ends when an alarm does.
class AlarmCall final : public Call {
 public:
  explicit AlarmCall(World& world) : world_(world) {}

  void Start(grpc::CompletionQueue& queue, void* tag) override {
    kind_ = static_cast<size_t>(world_.started++) % world_.kinds;
    const int now = ++world_.in_flight;
    int most = world_.most_in_flight;
    while (now > most && !world_.most_in_flight.compare_exchange_weak(most, now)) {
    }
    alarm_.Set(&queue, std::chrono::system_clock::now() + world_.takes, tag);
  }
  CallResult TakeResult() override {
    --world_.in_flight;
    return {.code = world_.answer, .kind = kind_};
  }
  void Cancel() override { alarm_.Cancel(); }

 private:
  World& world_;
  size_t kind_ = 0;
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

TEST(LoadGenerator, ACurveIsTimedFromTheMeasuredPartAndToldByIntervals) {
  World world{.takes = milliseconds(1)};
  const LoadResult result =
      RunLoad({.curve = {{.at = milliseconds(0), .per_second = 200}, {.at = milliseconds(400), .per_second = 600}},
               .warm_up = milliseconds(100),
               .measured = milliseconds(400),
               .interval = milliseconds(100)},
              Calls(world, 64), Ignore, Never);
  // The warm-up at the first point's rate: 20; then the area under the line: 160.
  EXPECT_EQ(AllResults(result), 180u);
  EXPECT_EQ(result.due, (std::vector<uint64_t>{25, 35, 45, 55}));
  ASSERT_EQ(result.kinds.size(), 1u);
  const std::vector<TimeSeries::Interval>& intervals = result.kinds[0].series.intervals();
  ASSERT_EQ(intervals.size(), 4u);
  uint64_t answered = 0;
  for (size_t i = 0; i < intervals.size(); ++i) {
    EXPECT_EQ(intervals[i].results.total(), result.due[i]) << i;
    EXPECT_EQ(intervals[i].latency.count(), result.due[i]) << i;
    answered += intervals[i].answered;
  }
  EXPECT_EQ(answered, result.completed);
  EXPECT_LE(result.in_flight.size(), 4u);
  for (const InFlight& in_flight : result.in_flight) EXPECT_LE(in_flight.mean, in_flight.most);
}

TEST(LoadGenerator, KindsAreCountedApartAndTogetherMakeTheWhole) {
  World world{.kinds = 3};
  const LoadResult result =
      RunLoad({.rate = 900, .measured = milliseconds(200), .kinds = 3}, Calls(world, 16), Ignore, Never);
  ASSERT_EQ(result.kinds.size(), 3u);
  uint64_t latencies = 0;
  for (const KindResult& kind : result.kinds) {
    EXPECT_EQ(kind.results.total(), 60u);
    EXPECT_TRUE(kind.series.intervals().empty());
    latencies += kind.latency.count();
  }
  EXPECT_EQ(latencies, result.latency.count());
  EXPECT_EQ(result.results.total(), 180u);
  EXPECT_TRUE(result.due.empty());
}

}  // namespace
}  // namespace waystation::bench
