// The change feed: every leg once and in order, whatever happens to the follower or to the switch.

#include <csignal>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;

// One call of Stream.
class Follower {
 public:
  Follower(const Api& api, uint64_t from, bool until_end = false) {
    context_.set_deadline(std::chrono::system_clock::now() + 3 * kCallLimit);
    v1::StreamJournalRequest request;
    request.set_from_sequence(from);
    request.set_until_end(until_end);
    reader_ = api.journal->Stream(&context_, request);
  }
  ~Follower() { context_.TryCancel(); }

  // Adds the legs of the next message; false when the stream has ended.
  bool Next(std::vector<journal::v1::Leg>* legs) {
    v1::StreamJournalResponse message;
    if (!reader_->Read(&message)) return false;
    for (const journal::v1::Block& block : message.blocks()) {
      legs->insert(legs->end(), block.legs().begin(), block.legs().end());
    }
    return true;
  }
  // Of a stream that has ended.
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamJournalResponse>> reader_;
};

uint64_t NextAfter(const std::vector<journal::v1::Leg>& legs) {
  return legs.empty() ? 1 : legs.back().sequence() + 1;
}

// "VmHWM" of /proc/PID/status, in MB: the most that was ever resident. 0 when it can't be read.
double MostResidentMegabytes(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::atof(line.c_str() + std::strlen("VmHWM:")) / 1'024;
  }
  return 0;
}

// Payments from some threads, each of a station of its own, until told to stop or the switch is gone.
class Load {
 public:
  Load(const SwitchProcess& process, int threads, int round) {
    for (int t = 0; t < threads; ++t) {
      threads_.emplace_back([this, t, round, api = process.Connect()] {
        for (int i = 0; !stop_; ++i) {
          const std::string id = fmt::format("r{}-{}", round, i);
          if (!Pay(api, PayRequestFor(StationNumber(t), id, "mobile", CustomerNumber("mobile", i, i % 88), 2'000)).ok())
            return;
        }
      });
    }
  }
  ~Load() {
    Stop();
    Join();
  }
  void Stop() { stop_ = true; }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

class Feed : public SwitchTest {
 protected:
  static constexpr int kThreads = 8;

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartSwitch());
    for (int t = 0; t < kThreads; ++t) ASSERT_TRUE(OpenStation(api_, StationNumber(t), 1'000'000'000).ok());
  }

  // All that is missing up to the present end.
  void ReadToTheEnd(std::vector<journal::v1::Leg>* legs) {
    Follower follower(api_, NextAfter(*legs), true);
    while (follower.Next(legs)) continue;
    const grpc::Status status = follower.Finish();
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  // Suspends stations and sets them active again, many times, with many words.
  void WriteLargeLegs(int each) {
    std::atomic<int> done{0};
    std::mutex mutex;
    std::string refusal;  // guarded by mutex
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t, api = process_->Connect()] {
        v1::SetStationStatusRequest request;
        request.set_station_id(StationNumber(t));
        request.set_reason(std::string(core::kMaxReasonBytes, 'r'));
        for (int i = 0; i < each; ++i) {
          request.set_status(i % 2 == 0 ? v1::STATION_STATUS_SUSPENDED : v1::STATION_STATUS_ACTIVE);
          const auto set = Call(api.admin.get(), &v1::AdminService::Stub::SetStationStatus, request);
          if (set.ok()) {
            ++done;
          } else {
            const std::lock_guard lock(mutex);
            refusal = set.status.error_message();
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(done, kThreads * each) << refusal;
  }

  // Follows until no payment is open: what the resolver finds out after a start is on its way.
  void ReadUntilAllIsSettled(std::vector<journal::v1::Leg>* legs) {
    Follower follower(api_, NextAfter(*legs));
    while (HasOpenPayments(*legs)) ASSERT_TRUE(follower.Next(legs));
  }
  static bool HasOpenPayments(const std::vector<journal::v1::Leg>& legs) {
    std::set<uint64_t> open;
    for (const journal::v1::Leg& leg : legs) {
      const uint32_t state = leg.has_payment_accepted() ? leg.payment_accepted().state() : leg.payment_moved().state();
      const uint64_t id = leg.has_payment_accepted() ? leg.sequence() : leg.payment_moved().payment_id();
      if (state == v1::PAYMENT_STATE_HELD || state == v1::PAYMENT_STATE_UNKNOWN) {
        open.insert(id);
      } else {
        open.erase(id);
      }
    }
    return !open.empty();
  }

  // Stops the switch; what was followed must be what the journal holds, leg by leg.
  void ExpectTheWholeJournal(const std::vector<journal::v1::Leg>& followed) {
    const absl::Status stopped = Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    const absl::StatusOr<std::vector<journal::v1::Leg>> stored = process_->ExportJournal();
    ASSERT_TRUE(stored.ok()) << stored.status();
    ASSERT_EQ(followed.size(), stored->size());
    for (size_t i = 0; i < followed.size(); ++i) {
      ASSERT_EQ(followed[i].sequence(), i + 1);
      ASSERT_EQ(followed[i].SerializeAsString(), (*stored)[i].SerializeAsString()) << followed[i].ShortDebugString();
    }
  }
};

TEST_F(Feed, EveryLegInOrderUnderLoad) {
  std::vector<journal::v1::Leg> legs;
  {
    Load load(*process_, kThreads, 0);
    Follower follower(api_, 1);
    while (legs.size() < 3'000) ASSERT_TRUE(follower.Next(&legs));
    load.Stop();
  }
  ASSERT_NO_FATAL_FAILURE(ReadToTheEnd(&legs));
  ExpectTheWholeJournal(legs);
}

TEST_F(Feed, ResumesAfterTheFollowerWasCut) {
  std::vector<journal::v1::Leg> legs;
  {
    Load load(*process_, kThreads, 0);
    for (int calls = 0; legs.size() < 3'000; ++calls) {
      ASSERT_LT(calls, 100'000);
      // A connection of its own every time, and cut while messages are on their way.
      Follower follower(process_->Connect(), NextAfter(legs));
      for (int messages = 0; messages <= calls % 4; ++messages) ASSERT_TRUE(follower.Next(&legs));
    }
    load.Stop();
  }
  ASSERT_NO_FATAL_FAILURE(ReadToTheEnd(&legs));
  ExpectTheWholeJournal(legs);
}

TEST_F(Feed, GoesOnAfterKillsAndRestartsOfTheSwitch) {
  std::vector<journal::v1::Leg> legs;
  int round = 0;
  for (const int signal : {SIGKILL, SIGTERM, SIGKILL, SIGKILL}) {
    Load load(*process_, kThreads, round++);
    Follower follower(api_, NextAfter(legs));
    for (const size_t enough = legs.size() + 1'000; legs.size() < enough;) ASSERT_TRUE(follower.Next(&legs));
    process_->child().Signal(signal);
    // What was still on its way is good too.
    while (follower.Next(&legs)) continue;
    EXPECT_EQ(follower.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    load.Join();
    ASSERT_NO_FATAL_FAILURE(Restart(signal));
  }
  // First all that is there, which says what is open.
  ASSERT_NO_FATAL_FAILURE(ReadToTheEnd(&legs));
  ASSERT_NO_FATAL_FAILURE(ReadUntilAllIsSettled(&legs));
  ExpectTheWholeJournal(legs);
}

TEST_F(Feed, AnIdleFollowerIsToldWhenTheSwitchStops) {
  std::vector<journal::v1::Leg> legs;
  ASSERT_NO_FATAL_FAILURE(ReadToTheEnd(&legs));
  auto follower = std::make_unique<Follower>(api_, NextAfter(legs));
  ASSERT_TRUE(follower->Next(&legs));
  process_->child().Signal(SIGTERM);
  EXPECT_FALSE(follower->Next(&legs));
  const grpc::Status status = follower->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("resume later, from the last sequence received plus one"));
  follower.reset();
  EXPECT_TRUE(Stop().ok());
}

// So many followers, and so much to read, that a copy of what each has not read would be told from the message that
// each may hold (kFeedMessageBytes, and as much again in gRPC's hands).
TEST_F(Feed, FollowersThatDoNotReadCostNoMemoryAndMissNothing) {
  constexpr int kLegsEach = 2'000;
  ASSERT_NO_FATAL_FAILURE(WriteLargeLegs(kLegsEach));
  const double before = MostResidentMegabytes(process_->child().pid());
  struct Slow {
    std::unique_ptr<Follower> follower;
    std::vector<journal::v1::Leg> legs;
  };
  std::vector<Slow> slow;
  for (size_t i = 0; i + 1 < core::kMaxFollowers; ++i) {
    slow.push_back({std::make_unique<Follower>(process_->Connect(), 1), {}});
    ASSERT_TRUE(slow.back().follower->Next(&slow.back().legs));
  }
  ASSERT_NO_FATAL_FAILURE(WriteLargeLegs(kLegsEach));
  // While the others stand still, somebody else reads all.
  std::vector<journal::v1::Leg> legs;
  ASSERT_NO_FATAL_FAILURE(ReadToTheEnd(&legs));
  size_t journal_bytes = 0;
  for (const journal::v1::Leg& leg : legs) journal_bytes += leg.ByteSizeLong();
  const double journal_mb = static_cast<double>(journal_bytes) / (1 << 20);
  const double grown = MostResidentMegabytes(process_->child().pid()) - before;
  RecordProperty("journal_mb", fmt::format("{:.1f}", journal_mb));
  RecordProperty("grown_mb", fmt::format("{:.1f}", grown));
  const double copies = static_cast<double>(slow.size()) * journal_mb;
  EXPECT_LT(grown, copies / 2) << slow.size() << " followers of a journal of " << journal_mb << " MB";

  for (Slow& one : slow) {
    while (one.legs.size() < legs.size()) {
      ASSERT_TRUE(one.follower->Next(&one.legs)) << one.follower->Finish().error_message();
    }
    for (size_t i = 0; i < legs.size(); ++i) ASSERT_EQ(one.legs[i].sequence(), i + 1);
  }
  slow.clear();
  ExpectTheWholeJournal(legs);
}

TEST_F(Feed, TheCommandLinePrintsWhatTheJournalHolds) {
  ASSERT_TRUE(Pay(api_, PayRequestFor(StationNumber(1), "r1", "mobile", CustomerNumber("mobile", 1, 0), 2'000)).ok());
  const std::string log = process_->folder() + "/follow.log";
  const Ended followed =
      RunToEnd({"switchctl", "--address", process_->address(), "journal", "follow", "--until-end"}, log);
  EXPECT_EQ(followed.exit_status, 0) << followed.errors;
  const Ended exported = RunToEnd({"switchctl", "journal", "export", "--data", process_->data_folder()}, log);
  EXPECT_EQ(exported.exit_status, 0) << exported.errors;
  EXPECT_EQ(followed.output, exported.output);
  EXPECT_THAT(followed.output, HasSubstr("\"paymentAccepted\":"));
}

}  // namespace
}  // namespace waystation::e2e
