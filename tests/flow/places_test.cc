// Places of a biller, taken from several threads at once.

#include "switch/flow/places.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "switch/core/limits.h"
#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

using Kind = Places::Kind;
namespace asio = boost::asio;

TEST(PlacesTest, EachKindHasItsShare) {
  Places places(8, 0);
  std::vector<Places::Place> taken;
  const auto take = [&](Kind kind) {
    std::optional<Places::Place> place = places.Take(kind);
    if (place.has_value()) taken.push_back(*std::move(place));
    return !taken.empty() && places.taken(kind) > 0 && place.has_value();
  };
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(take(Kind::kStations));
  EXPECT_FALSE(take(Kind::kStations));
  EXPECT_FALSE(take(Kind::kTrial)) << "a trial is a station's too";
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(take(Kind::kResolver));
  EXPECT_FALSE(take(Kind::kResolver));
  for (size_t i = 0; i < core::kMaxLateApprovalsPerBiller; ++i) EXPECT_TRUE(take(Kind::kLateApprovals));
  EXPECT_FALSE(take(Kind::kLateApprovals));
  taken.clear();
  for (const Kind kind : {Kind::kStations, Kind::kTrial, Kind::kResolver, Kind::kLateApprovals}) {
    EXPECT_EQ(places.taken(kind), 0u);
  }
  for (uint32_t i = 0; i < core::kMaxTrialsPerBiller; ++i) EXPECT_TRUE(take(Kind::kTrial));
  EXPECT_FALSE(take(Kind::kTrial));
  EXPECT_TRUE(take(Kind::kStations)) << "one that was not a trial was not counted as one";
}

TEST(PlacesTest, OfTwoEachHasOne) {
  Places places(2, 0);
  for (const Kind kind : {Kind::kStations, Kind::kResolver}) {
    EXPECT_TRUE(places.HasRoom(kind));
    const std::optional<Places::Place> place = places.Take(kind);
    EXPECT_TRUE(place.has_value());
    EXPECT_FALSE(places.HasRoom(kind));
    EXPECT_FALSE(places.Take(kind).has_value());
    const Kind other = kind == Kind::kStations ? Kind::kResolver : Kind::kStations;
    EXPECT_TRUE(places.Take(other).has_value());
  }
}

TEST(PlacesTest, ThereIsRoomForATrialWhereThereIsForAStationToo) {
  Places places(8, 0);
  std::vector<Places::Place> taken;
  EXPECT_TRUE(places.HasRoom(Kind::kTrial));
  for (uint32_t i = 0; i < core::kMaxTrialsPerBiller; ++i) taken.push_back(*places.Take(Kind::kTrial));
  EXPECT_FALSE(places.HasRoom(Kind::kTrial));
  EXPECT_TRUE(places.HasRoom(Kind::kStations));
  taken.clear();
  for (int i = 0; i < 6; ++i) taken.push_back(*places.Take(Kind::kStations));
  EXPECT_FALSE(places.HasRoom(Kind::kTrial));
}

// What all who take part share.
struct Crowd {
  Places places{5, 10'000};  // 4 for stations
  std::atomic<uint32_t> inside{0};
  std::atomic<uint32_t> most{0};
  std::atomic<uint32_t> served{0};
  std::atomic<uint32_t> left{0};
  std::promise<void> done;
};

// Takes a place, waits for one where it must, and keeps it over a turn of its worker.
asio::awaitable<void> Visit(Crowd& crowd, Worker& worker, int times) {
  for (int i = 0; i < times; ++i) {
    std::optional<Places::Place> place = crowd.places.Take(Kind::kStations);
    if (!place.has_value()) place = co_await crowd.places.Wait(worker, worker.clock().Steady() + storage::kPatience);
    if (!place.has_value()) continue;
    const uint32_t inside = ++crowd.inside;
    uint32_t most = crowd.most.load();
    while (most < inside && !crowd.most.compare_exchange_weak(most, inside)) {
    }
    co_await WaitUntil(worker, worker.clock().Steady());
    ++crowd.served;
    --crowd.inside;
  }
  if (--crowd.left == 0) crowd.done.set_value();
}

TEST(PlacesTest, NobodyIsForgottenAndNeverAreThereTooMany) {
  constexpr uint32_t kWorkers = 4;
  constexpr uint32_t kVisitors = 16;
  constexpr int kTimes = 250;
  storage::ManualClock clock;
  Crowd crowd;
  crowd.left = kWorkers * kVisitors;
  std::future<void> done = crowd.done.get_future();
  std::vector<std::unique_ptr<Worker>> workers;
  for (uint32_t i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Worker>(&clock));
    workers.back()->Start();
    for (uint32_t v = 0; v < kVisitors; ++v) workers.back()->PostSpawn(Visit(crowd, *workers.back(), kTimes));
  }
  Get(std::move(done));
  workers.clear();
  EXPECT_EQ(crowd.served, kWorkers * kVisitors * kTimes);
  EXPECT_LE(crowd.most, 4u);
  EXPECT_EQ(crowd.places.taken(Kind::kStations), 0u);
  EXPECT_EQ(crowd.places.waiting(), 0u);
}

}  // namespace
}  // namespace waystation::flow
