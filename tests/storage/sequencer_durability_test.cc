// Nothing leaves before it is durable: over a commit log that holds its results back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/sequencer.h"
#include "switch/core/limits.h"
#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"

namespace waystation::storage {
namespace {

using core::Payment;
using core::PaymentEvent;
using core::PaymentState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RecordingObserver final : public PaymentObserver {
 public:
  bool Wants(core::StationId station) override { return station == ShopStation(); }
  void OnChanged(const Payment& payment) override {
    std::lock_guard lock(mutex_);
    changes_.emplace_back(payment.last_sequence(), payment.state);
  }
  std::vector<std::pair<uint64_t, PaymentState>> changes() const {
    std::lock_guard lock(mutex_);
    return changes_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<uint64_t, PaymentState>> changes_;  // guarded by mutex_
};

class SequencerDurabilityTest : public ::testing::Test {
 protected:
  // The shop is open, and from now on every append is held back.
  SequencerDurabilityTest() {
    running_.Start();
    OpenShop(running_);
    opened_ = running_.port().delivered().size();
    log_.Hold();
  }
  ~SequencerDurabilityTest() override { log_.LetThrough(); }

  // Submits, and returns once a block of it waits for the log as the `held`th one.
  Ticket* SubmitHeld(core::Command command, size_t held) {
    Ticket* ticket = running_.Submit(std::move(command));
    log_.WaitForHeld(held);
    return ticket;
  }

  std::vector<Ticket*> Delivered() {
    std::vector<Ticket*> tickets = running_.port().delivered();
    tickets.erase(tickets.begin(), tickets.begin() + static_cast<std::ptrdiff_t>(opened_));
    return tickets;
  }

  static const Payment& PaymentOf(const Ticket* ticket) { return std::get<Payment>(ticket->reply.value); }

  ManualClock clock_;
  MemoryCommitLog store_;
  HeldCommitLog log_{&store_};
  RecordingObserver observer_;
  RunningLedger running_{&store_, &clock_, {.log = &log_, .observer = &observer_}};
  size_t opened_ = 0;
};

TEST_F(SequencerDurabilityTest, AReplyLeavesWhenItsBlockIsDurable) {
  Ticket* first = SubmitHeld(ShopPayment("R1"), 1);
  Ticket* second = SubmitHeld(ShopPayment("R2"), 2);
  EXPECT_THAT(Delivered(), IsEmpty());
  log_.Release();
  running_.port().WaitFor(first);
  EXPECT_THAT(Delivered(), ElementsAre(first));
  log_.Release();
  running_.port().WaitFor(second);
  EXPECT_THAT(Delivered(), ElementsAre(first, second));
}

TEST_F(SequencerDurabilityTest, TheDurableSequenceMovesOnBeforeTheReplyLeaves) {
  EXPECT_EQ(running_.sequencer().durable_sequence(), 5u);
  Ticket* first = SubmitHeld(ShopPayment("R1"), 1);
  Ticket* second = SubmitHeld(ShopPayment("R2"), 2);
  EXPECT_EQ(running_.sequencer().durable_sequence(), 5u);
  log_.Release();
  running_.port().WaitFor(first);
  EXPECT_EQ(running_.sequencer().durable_sequence(), 6u);
  log_.Release();
  running_.port().WaitFor(second);
  EXPECT_EQ(running_.sequencer().durable_sequence(), 7u);
  log_.LetThrough();
  running_.Stop();
  EXPECT_EQ(running_.sequencer().durable_sequence(), 7u);
  RunningLedger next(&store_, &clock_);
  EXPECT_EQ(next.sequencer().durable_sequence(), 7u);
}

TEST_F(SequencerDurabilityTest, AReadWaitsForWhatItSaw) {
  Ticket* pay = SubmitHeld(ShopPayment("R1"), 1);
  Ticket* read = running_.Submit(core::ReadAccount{ShopStation()});
  // By the time that this one is held, the read before it is decided.
  Ticket* last = SubmitHeld(ShopPayment("R2"), 2);
  EXPECT_THAT(Delivered(), IsEmpty());
  log_.Release();
  log_.Release();
  running_.port().WaitFor(last);
  EXPECT_THAT(Delivered(), ElementsAre(pay, read, last));
  EXPECT_EQ(std::get<core::Account>(read->reply.value).reserved, core::Money::Fen(5'000));
}

TEST_F(SequencerDurabilityTest, AReadOfWhatIsDurableDoesNotWait) {
  const core::Reply reply = running_.Do(core::ReadAccount{ShopStation()});
  EXPECT_EQ(std::get<core::Account>(reply.value).balance, core::Money::Fen(100'000));
}

TEST_F(SequencerDurabilityTest, SoManyBlocksAreInFlightAtMost) {
  RunningLedger running(&store_, &clock_, {.log = &log_});
  const size_t blocks = core::kMaxBlocksInFlight + 3;
  Ticket* last = nullptr;
  for (size_t i = 0; i < blocks * core::kMaxCommandsPerBlock; ++i) {
    last = running.Submit(core::GrantCredit{ShopStation(), core::Money::Fen(1 + static_cast<int64_t>(i % 2)), ""});
  }
  running.Start();
  for (size_t released = 0; released < blocks; ++released) {
    log_.WaitForHeld(std::min(core::kMaxBlocksInFlight, blocks - released));
    EXPECT_LE(running.port().delivered().size(), released * core::kMaxCommandsPerBlock);
    log_.Release();
  }
  running.port().WaitFor(last);
  EXPECT_EQ(log_.most_held(), core::kMaxBlocksInFlight);
  EXPECT_EQ(running.port().deliveries(), blocks);
  log_.LetThrough();
}

TEST_F(SequencerDurabilityTest, ARequestRepeatedAcrossBlocksInFlightIsOnePayment) {
  core::AcceptPayment declined = ShopPayment("R2");
  declined.amount = core::Money::Fen(10'000'000);
  Ticket* held = SubmitHeld(ShopPayment("R1"), 1);
  // By the time that what follows is held, the repeat before it is decided.
  Ticket* held_again = running_.Submit(ShopPayment("R1"));
  Ticket* refused = SubmitHeld(declined, 2);
  EXPECT_THAT(Delivered(), IsEmpty());
  log_.Release();
  running_.port().WaitFor(held);
  Ticket* refused_again = running_.Submit(declined);
  Ticket* last = SubmitHeld(ShopPayment("R3"), 2);
  log_.LetThrough();
  running_.port().WaitFor(last);
  EXPECT_THAT(Delivered(), ElementsAre(held, held_again, refused, refused_again, last));
  EXPECT_TRUE(held_again->reply.repeated);
  EXPECT_EQ(PaymentOf(held_again), PaymentOf(held));
  EXPECT_TRUE(refused_again->reply.repeated);
  EXPECT_EQ(PaymentOf(refused_again), PaymentOf(refused));
  EXPECT_EQ(PaymentOf(refused).state, PaymentState::kDeclined);
  EXPECT_EQ(PaymentOf(last).id.number(), PaymentOf(refused).id.number() + 1);
}

TEST_F(SequencerDurabilityTest, AnObserverSeesChangesOnceTheyAreDurable) {
  const core::StationId neighbour = core::StationId::FromNumber(ShopStation().number() + 1);
  Ticket* first = SubmitHeld(ShopPayment("R1"), 1);
  SubmitHeld(ShopOutcome(core::PaymentId::FromNumber(6), PaymentEvent::kApproved), 2);
  running_.Submit(core::RegisterStation{neighbour, "Next door", {}});
  core::AcceptPayment theirs = ShopPayment("R1");
  theirs.station = neighbour;
  Ticket* last = running_.Submit(theirs);
  EXPECT_THAT(observer_.changes(), IsEmpty());
  log_.Release();
  running_.port().WaitFor(first);
  EXPECT_THAT(observer_.changes(), ElementsAre(std::pair(uint64_t{6}, PaymentState::kHeld)));
  log_.LetThrough();
  running_.port().WaitFor(last);
  EXPECT_THAT(observer_.changes(), ElementsAre(std::pair(uint64_t{6}, PaymentState::kHeld),
                                               std::pair(uint64_t{7}, PaymentState::kSucceeded)));
}

TEST_F(SequencerDurabilityTest, AFailedAppendIsFatalAndNothingIsAnsweredAfterIt) {
  Ticket* durable = SubmitHeld(ShopPayment("R1"), 1);
  SubmitHeld(ShopPayment("R2"), 2);
  running_.Submit(ShopPayment("R3"));
  log_.Release();
  running_.port().WaitFor(durable);
  log_.Answer({CommitOutcome::kUnknown, "the disk is gone"});
  EXPECT_EQ(running_.WaitForFatal(), "a commit failed: the disk is gone");
  log_.LetThrough();
  running_.Submit(ShopPayment("R4"));
  running_.Submit(core::ReadAccount{ShopStation()});
  running_.Stop();
  EXPECT_THAT(Delivered(), ElementsAre(durable));
  EXPECT_EQ(observer_.changes().size(), 1u);
}

TEST_F(SequencerDurabilityTest, OnlyWhatBecameDurableBeforeTheFailureIsAnswered) {
  Ticket* durable = SubmitHeld(ShopPayment("R1"), 1);
  SubmitHeld(ShopPayment("R2"), 2);
  log_.Release();
  SubmitHeld(ShopPayment("R3"), 2);
  // Both results may be there before the sequencer looks.
  log_.Answer({CommitOutcome::kUnknown, "the disk is gone"});
  log_.Release();
  running_.WaitForFatal();
  running_.Stop();
  EXPECT_THAT(Delivered(), ElementsAre(durable));
}

TEST_F(SequencerDurabilityTest, AnotherWriterIsFatal) {
  const std::string theirs = "another writer's block";
  store_.TamperBlock(6, &theirs);
  log_.LetThrough();
  running_.Submit(ShopPayment("R1"));
  EXPECT_THAT(running_.WaitForFatal(), HasSubstr("another writer has taken over the journal: "));
  running_.Stop();
  EXPECT_THAT(Delivered(), IsEmpty());
}

TEST_F(SequencerDurabilityTest, StopWaitsForWhatIsInFlight) {
  Ticket* ticket = SubmitHeld(ShopPayment("R1"), 1);
  std::thread stop([&] { running_.Stop(); });
  EXPECT_THAT(Delivered(), IsEmpty());
  log_.Release();
  // The last snapshot, which is also held.
  log_.WaitForHeld(1);
  EXPECT_THAT(Delivered(), ElementsAre(ticket));
  log_.Release();
  stop.join();
  const RunningLedger next(&store_, &clock_);
  EXPECT_EQ(next.recovered().snapshot_sequence, 6u);
  EXPECT_EQ(next.recovered().legs_replayed, 0u);
}

TEST(SequencerSnapshotTest, ASnapshotBecomesDurableWithItsBlock) {
  ManualClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.snapshot_interval = std::chrono::milliseconds(0), .log = &log});
  running.Start();
  OpenShop(running);
  log.Hold();
  running.Submit(ShopPayment("R1"));
  log.WaitForHeld(1);
  running.Submit(ShopPayment("R2"));
  log.WaitForHeld(2);
  const std::unique_ptr<MemoryCommitLog> before = CopyOf(store);
  log.Release();
  const std::unique_ptr<MemoryCommitLog> after = CopyOf(store);
  log.LetThrough();
  running.Stop();
  for (const auto& [crashed, legs] : {std::pair(before.get(), 5u), std::pair(after.get(), 6u)}) {
    const RunningLedger next(crashed, &clock);
    EXPECT_EQ(next.recovered().snapshot_sequence, legs);
    EXPECT_EQ(next.recovered().position.last_sequence, legs);
  }
}

}  // namespace
}  // namespace waystation::storage
