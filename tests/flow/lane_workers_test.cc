// One lane, driven from several workers at once, while its biller comes and goes.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "switch/flow/biller_lane.h"
#include "tests/flow/flow_world.h"

namespace waystation::flow {
namespace {

namespace asio = boost::asio;
using adapters::PayOutcome;
using std::chrono::milliseconds;

constexpr uint32_t kWorkers = 4;
constexpr uint32_t kVisitors = 16;  // on each
constexpr uint64_t kTimes = 200;

// What all who take part share.
struct Crowd {
  explicit Crowd(BillerLane* of) : lane(of) {}
  BillerLane* const lane;
  std::atomic<uint64_t> payments{0};
  std::atomic<uint32_t> approved{0};
  std::atomic<uint32_t> unknown{0};
  std::atomic<uint32_t> turned_away{0};
  std::atomic<uint32_t> left{kWorkers * kVisitors};
  std::promise<void> done;
};

// Pays where the lane lets it, and asks as the resolver does.
asio::awaitable<void> Visit(Crowd& crowd, Worker& worker) {
  for (uint64_t i = 0; i < kTimes; ++i) {
    // What a resolver would be told, and a caller of GetBiller.
    core::Payment payment;
    payment.id = core::PaymentId::FromNumber(++crowd.payments);
    payment.history.push_back({});
    crowd.lane->status();
    BillerLane::Entry entry = co_await crowd.lane->Enter(worker, worker.clock().Steady() + storage::kPatience);
    if (entry.place.has_value()) {
      const PayOutcome outcome = co_await crowd.lane->Pay(worker, payment, *std::move(entry.place));
      ++(std::holds_alternative<adapters::Approved>(outcome) ? crowd.approved : crowd.unknown);
    } else {
      ++crowd.turned_away;
    }
    if (std::optional<BillerLane::Place> place = crowd.lane->EnterResolver(); place.has_value()) {
      co_await crowd.lane->Query(worker, payment, 0, *std::move(place));
    }
    co_await WaitUntil(worker, worker.clock().Steady());
  }
  if (--crowd.left == 0) crowd.done.set_value();
}

TEST(LaneWorkersTest, NothingIsLostAndNoPlaceIsLeftTaken) {
  adapters::CapabilityCard card = AbleCard();
  card.max_in_flight = 8;
  card.max_waiting = 1'000;
  auto owned = std::make_unique<ScriptedBiller>(card);
  ScriptedBiller& biller = *owned;
  storage::ManualClock clock;
  const BreakerPolicy breaker{.consecutive_failures = 3,
                              .shortest_trouble = milliseconds(0),
                              .probe_after = milliseconds(1),
                              .longest_probe_interval = milliseconds(1)};
  std::atomic<uint32_t> changes{0};
  BillerLane lane("mobile", "Mobile", std::move(owned), &clock,
                  LaneOptions{.breaker = breaker, .on_news = [&](bool, const std::string&) { ++changes; }});
  const PayOutcome answers[] = {adapters::Approved{"B1", "", ""}, adapters::Unknown{"cut"}};
  biller.Always(Operation::kPay, answers[0]);
  biller.Always(Operation::kProbe, true);
  biller.Always(Operation::kQuery, adapters::QueryOutcome(adapters::NeverReceived{}));

  Crowd crowd(&lane);
  std::future<void> done = crowd.done.get_future();
  std::vector<std::unique_ptr<Worker>> workers;
  for (uint32_t i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Worker>(&clock));
    workers.back()->Start();
    for (uint32_t v = 0; v < kVisitors; ++v) workers.back()->PostSpawn(Visit(crowd, *workers.back()));
  }
  // It fails for a while and answers for a while, by how many payments there were.
  while (crowd.left > 0) biller.Always(Operation::kPay, answers[crowd.payments / 200 % 2]);
  Get(std::move(done));
  for (auto& worker : workers) worker->Stop();

  const LaneStatus status = lane.status();
  const auto& seen = status.health.last_minute;
  EXPECT_EQ(crowd.approved + crowd.unknown + crowd.turned_away, kWorkers * kVisitors * kTimes);
  EXPECT_EQ(seen[static_cast<size_t>(LaneOutcome::kApproved)], crowd.approved);
  EXPECT_EQ(seen[static_cast<size_t>(LaneOutcome::kUnknown)], crowd.unknown);
  EXPECT_EQ(seen[static_cast<size_t>(LaneOutcome::kRefused)], crowd.turned_away);
  EXPECT_GT(crowd.approved, 0u);
  EXPECT_GT(crowd.unknown, 0u);
  EXPECT_GE(changes, 1u) << "it went out of service";
  EXPECT_EQ(status.of_stations, 0u);
  EXPECT_EQ(status.of_resolver, 0u);
  EXPECT_EQ(status.waiting, 0u);
  EXPECT_EQ(status.overdue, 0u);
}

}  // namespace
}  // namespace waystation::flow
