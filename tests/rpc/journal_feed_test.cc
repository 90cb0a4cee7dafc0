// The change feed over a real connection, above a ledger in memory.

#include "switch/rpc/journal_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "switch/core/limits.h"
#include "switch/rpc/journal_service.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/patience.h"
#include "tests/storage/running_ledger.h"
#include "waystation/v1/journal_service.grpc.pb.h"

namespace waystation::rpc {
namespace {

using storage::RunningLedger;
using storage::ShopPayment;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Shows a block as soon as it is appended, and keeps back the word that it is durable: as RocksDB does between the
// write and the end of its sync. Any thread.
class UnsyncedCommitLog final : public storage::CommitLog {
 public:
  explicit UnsyncedCommitLog(CommitLog* under) : under_(under) {}

  void Append(const storage::SealedBlock* block, const storage::RowBatch& rows, Done done) override {
    under_->Append(block, rows, [](storage::CommitResult) {});
    const std::lock_guard lock(mutex_);
    unsynced_.push_back(std::move(done));
    if (!holding_) SyncAll();
  }
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override {
    return under_->ReadBlocks(from_sequence, visit);
  }

  void Hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  void LetThrough() {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    SyncAll();
  }

 private:
  void SyncAll() {
    while (!unsynced_.empty()) {
      Done done = std::move(unsynced_.front());
      unsynced_.pop_front();
      done({storage::CommitOutcome::kDurable, ""});
    }
  }

  CommitLog* const under_;
  std::mutex mutex_;
  bool holding_ = false;       // guarded by mutex_
  std::deque<Done> unsynced_;  // guarded by mutex_
};

// One follower. Reads block until something comes, for kPatience at most.
class Follower {
 public:
  Follower(v1::JournalService::Stub* stub, uint64_t from, bool until_end = false) {
    context_.set_deadline(std::chrono::system_clock::now() + storage::kPatience);
    v1::StreamJournalRequest request;
    request.set_from_sequence(from);
    request.set_until_end(until_end);
    reader_ = stub->Stream(&context_, request);
  }
  ~Follower() {
    context_.TryCancel();
    v1::StreamJournalResponse ignored;
    while (reader_ != nullptr && reader_->Read(&ignored)) continue;
    if (reader_ != nullptr) reader_->Finish();
  }

  bool Next(v1::StreamJournalResponse* message) { return reader_->Read(message); }
  // The legs of the next message.
  std::vector<uint64_t> NextSequences() {
    v1::StreamJournalResponse message;
    std::vector<uint64_t> sequences;
    if (!Next(&message)) return sequences;
    for (const auto& block : message.blocks()) {
      for (const auto& leg : block.legs()) sequences.push_back(leg.sequence());
    }
    return sequences;
  }
  // The legs up to the end of the stream.
  std::vector<uint64_t> AllSequences() {
    std::vector<uint64_t> all;
    for (v1::StreamJournalResponse message; Next(&message);) {
      for (const auto& block : message.blocks()) {
        for (const auto& leg : block.legs()) all.push_back(leg.sequence());
      }
    }
    return all;
  }
  grpc::Status Finish() {
    const grpc::Status status = std::exchange(reader_, nullptr)->Finish();
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamJournalResponse>> reader_;
};

class JournalFeedTest : public ::testing::Test {
 protected:
  JournalFeedTest() {
    running_.Start();
    storage::OpenShop(running_);
    feeder_.Start();
    backend_.feed = &feed_;
    backend_.calls = &calls_;
    service_ = MakeJournalService(backend_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::JournalService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }
  ~JournalFeedTest() override {
    log_.LetThrough();
    feed_.Drain();
    server_->Shutdown(std::chrono::system_clock::now());
    feeder_.Stop();
    running_.Stop();
  }

  // The legs that a call gives which ends at the end.
  std::vector<uint64_t> From(uint64_t from) { return Follower(stub_.get(), from, true).AllSequences(); }
  static std::vector<uint64_t> Count(uint64_t first, uint64_t last) {
    std::vector<uint64_t> sequences;
    for (uint64_t sequence = first; sequence <= last; ++sequence) sequences.push_back(sequence);
    return sequences;
  }

  storage::ManualClock clock_;
  storage::MemoryCommitLog store_;
  UnsyncedCommitLog log_{&store_};
  RunningLedger running_{&store_, &clock_, {.log = &log_}};
  flow::Worker feeder_{&clock_, "feeder"};
  JournalFeed feed_{&running_.sequencer(), &log_, &feeder_};
  CallTally calls_;
  Backend backend_{};
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::JournalService::Stub> stub_;
};

TEST_F(JournalFeedTest, GivesEveryLegFromAnyPlaceUpToTheEnd) {
  for (int i = 0; i < 20; ++i) running_.Pay(ShopPayment("R" + std::to_string(i)));
  EXPECT_EQ(From(0), Count(1, 25));
  for (uint64_t from = 1; from <= 26; ++from) EXPECT_EQ(From(from), Count(from, 25));
}

TEST_F(JournalFeedTest, TheFirstMessageComesAtOnceAndSaysHowFarTheJournalGoes) {
  Follower follower(stub_.get(), 6);
  v1::StreamJournalResponse message;
  ASSERT_TRUE(follower.Next(&message));
  EXPECT_EQ(message.blocks_size(), 0);
  EXPECT_EQ(message.end_sequence(), 5u);
}

TEST_F(JournalFeedTest, GoesOnWithWhatIsAdded) {
  Follower follower(stub_.get(), 5);
  EXPECT_THAT(follower.NextSequences(), ElementsAre(5));
  for (uint64_t i = 0; i < 5; ++i) {
    running_.Pay(ShopPayment("R" + std::to_string(i)));
    EXPECT_THAT(follower.NextSequences(), ElementsAre(6 + i));
  }
}

TEST_F(JournalFeedTest, LegsThatAreNotDurableAreSeenByNobody) {
  Follower follower(stub_.get(), 6);
  EXPECT_THAT(follower.NextSequences(), IsEmpty());
  log_.Hold();
  storage::Ticket* ticket = running_.Submit(ShopPayment("R1"));
  // The log shows the leg.
  while (storage::BlocksOf(log_).size() < 6) std::this_thread::yield();
  EXPECT_EQ(From(1), Count(1, 5));
  Follower past(stub_.get(), 7);
  EXPECT_THAT(past.AllSequences(), IsEmpty());
  EXPECT_EQ(past.Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
  log_.LetThrough();
  EXPECT_THAT(follower.NextSequences(), ElementsAre(6));
  running_.port().WaitFor(ticket);
}

TEST_F(JournalFeedTest, ASequencePastTheEndIsRefused) {
  Follower follower(stub_.get(), 7);
  EXPECT_THAT(follower.AllSequences(), IsEmpty());
  const grpc::Status status = follower.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_THAT(status.error_message(),
              StartsWith("from_sequence: 7 is past the journal's end; expected at most 6: the sequence is of another"));
}

TEST_F(JournalFeedTest, ADamagedBlockEndsTheStreamAfterThoseBeforeIt) {
  const std::string damaged = "damaged";
  store_.TamperBlock(4, &damaged);
  Follower follower(stub_.get(), 1);
  EXPECT_THAT(follower.AllSequences(), ElementsAre(1, 2, 3));
  const grpc::Status status = follower.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), HasSubstr("at leg 4: "));
  EXPECT_EQ(From(5), Count(5, 5));
}

TEST_F(JournalFeedTest, TakesSoManyFollowersAndNewOnesWhenOthersEnd) {
  std::deque<Follower> followers;
  for (size_t i = 0; i < core::kMaxFollowers; ++i) {
    EXPECT_THAT(followers.emplace_back(stub_.get(), 5).NextSequences(), ElementsAre(5));
  }
  Follower refused(stub_.get(), 5);
  EXPECT_THAT(refused.AllSequences(), IsEmpty());
  const grpc::Status status = refused.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("32 followers"));

  followers.pop_front();
  // That it has gone is known to the switch a little later.
  while (From(5).empty()) std::this_thread::yield();
  running_.Pay(ShopPayment("R1"));
  for (Follower& follower : followers) EXPECT_THAT(follower.NextSequences(), ElementsAre(6));
}

TEST_F(JournalFeedTest, DrainingEndsIdleFollowersAndRefusesNewOnes) {
  Follower idle(stub_.get(), 5);
  EXPECT_THAT(idle.NextSequences(), ElementsAre(5));
  feed_.Drain();
  EXPECT_THAT(idle.AllSequences(), IsEmpty());
  const grpc::Status status = idle.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("resume later, from the last sequence received plus one"));
  Follower late(stub_.get(), 5);
  EXPECT_THAT(late.AllSequences(), IsEmpty());
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace waystation::rpc
