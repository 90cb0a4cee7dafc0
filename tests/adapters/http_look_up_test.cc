#include "adapters/http/look_up.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"

namespace waystation::adapters::http {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr milliseconds kPlenty{20'000};
const boost::asio::ip::tcp::endpoint kHere(boost::asio::ip::make_address("127.0.0.1"), 80);

// A name server that answers when it is told to, and counts who asks. Ends only once all of them are answered.
class NameServer {
 public:
  LookUp::Resolve Resolve() {
    return [state = state_]() -> absl::StatusOr<Addresses> {
      ++state->asked;
      state->answered.wait();
      if (state->fails) return absl::UnavailableError("Host not found");
      return Addresses{kHere};
    };
  }
  void Answer() { state_->answer.set_value(); }
  void Fail() {
    state_->fails = true;
    Answer();
  }
  int asked() const { return state_->asked; }

 private:
  struct State {
    std::atomic<int> asked{0};
    std::atomic<bool> fails{false};
    std::promise<void> answer;
    std::shared_future<void> answered = answer.get_future().share();
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

using Found = std::optional<absl::StatusOr<Addresses>>;

void Start(boost::asio::io_context& io, const std::shared_ptr<LookUp>& look_up, Deadline deadline, Found& found) {
  boost::asio::co_spawn(io, LookUp::Find(look_up, deadline),
                        [&found](std::exception_ptr thrown, absl::StatusOr<Addresses> result) {
                          if (thrown) std::rethrow_exception(thrown);
                          found = std::move(result);
                        });
}

void Finish(boost::asio::io_context& io, const Found& found) {
  const auto work = boost::asio::make_work_guard(io);
  io.restart();
  while (!found) io.run_one();
}

TEST(HttpLookUp, IsOneForAllWhoWait) {
  NameServer server;
  const auto look_up = std::make_shared<LookUp>(server.Resolve());
  boost::asio::io_context io;
  boost::asio::io_context other;
  std::vector<Found> found(100);
  Found elsewhere;
  for (Found& one : found) Start(io, look_up, In(kPlenty), one);
  Start(other, look_up, In(kPlenty), elsewhere);
  // One who has no time left gets no address, and leaves the others to wait.
  Found too_late;
  Start(io, look_up, In(milliseconds(-1)), too_late);
  other.poll();
  Finish(io, too_late);
  EXPECT_EQ(too_late->status().message(), "no answer by the deadline");
  server.Answer();
  for (const Found& one : found) {
    Finish(io, one);
    ASSERT_TRUE(one->ok()) << one->status();
    EXPECT_THAT(**one, ElementsAre(kHere));
  }
  Finish(other, elsewhere);
  EXPECT_TRUE(elsewhere->ok()) << elsewhere->status();
  EXPECT_EQ(server.asked(), 1);

  Found next;
  Start(io, look_up, In(kPlenty), next);
  Finish(io, next);
  EXPECT_EQ(server.asked(), 2);
}

// However often one asks of a name server that hangs, nothing piles up, and another host's is not held up.
TEST(HttpLookUp, ThatHangsHoldsUpNoOther) {
  NameServer hanging;
  NameServer well;
  well.Answer();
  const auto hanging_look_up = std::make_shared<LookUp>(hanging.Resolve());
  const auto other = std::make_shared<LookUp>(well.Resolve());
  boost::asio::io_context io;
  for (int i = 0; i < 20; ++i) {
    Found none;
    Start(io, hanging_look_up, In(milliseconds(1)), none);
    Finish(io, none);
    EXPECT_EQ(none->status().message(), "no answer by the deadline");
    Found found;
    Start(io, other, In(kPlenty), found);
    Finish(io, found);
    EXPECT_TRUE(found->ok()) << found->status();
  }
  EXPECT_LE(hanging.asked(), 1);
  EXPECT_EQ(well.asked(), 20);
  hanging.Answer();
}

TEST(HttpLookUp, SaysWhyThereIsNoAddress) {
  NameServer server;
  server.Fail();
  boost::asio::io_context io;
  Found found;
  Start(io, std::make_shared<LookUp>(server.Resolve()), In(kPlenty), found);
  Finish(io, found);
  EXPECT_EQ(found->status().message(), "Host not found");
}

// Whoever waits may end before the answer comes; it is for nobody then.
TEST(HttpLookUp, MayOutliveTheOneWhoAsked) {
  NameServer server;
  const auto look_up = std::make_shared<LookUp>(server.Resolve());
  Found never;
  {
    boost::asio::io_context io;
    Start(io, look_up, In(kPlenty), never);
    io.poll();
  }
  server.Answer();
  boost::asio::io_context io;
  Found found;
  Start(io, look_up, In(kPlenty), found);
  Finish(io, found);
  EXPECT_TRUE(found->ok()) << found->status();
  EXPECT_FALSE(never.has_value());
}

TEST(HttpLookUp, AsksTheSystem) {
  boost::asio::io_context io;
  Found found;
  Start(io, std::make_shared<LookUp>(SystemResolve({.tls = false, .host = "localhost", .port = "80", .path = ""})),
        In(kPlenty), found);
  Finish(io, found);
  ASSERT_TRUE(found->ok()) << found->status();
  EXPECT_THAT(**found, testing::Contains(testing::AnyOf(
                           kHere, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("::1"), 80))));
}

}  // namespace
}  // namespace waystation::adapters::http
