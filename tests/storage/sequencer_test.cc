// What the sequencer decides: batches, repeats, time, days, bounds.

#include "storage/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "storage/snapshot.h"
#include "switch/core/limits.h"
#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::storage {
namespace {

using core::Payment;
using core::PaymentEvent;
using core::PaymentId;
using core::PaymentState;
using ::testing::ElementsAre;

class SequencerTest : public ::testing::Test {
 protected:
  void Open() {
    running_.Start();
    OpenShop(running_);
  }

  // What is submitted before the start is one batch.
  std::vector<Ticket*> SubmitOpening() {
    std::vector<Ticket*> tickets;
    for (const core::Command& command : ShopOpening()) tickets.push_back(running_.Submit(command));
    return tickets;
  }

  static const Payment& PaymentOf(const Ticket* ticket) { return std::get<Payment>(ticket->reply.value); }

  ManualClock clock_;
  MemoryCommitLog store_;
  RunningLedger running_{&store_, &clock_};
};

TEST_F(SequencerTest, ABatchBecomesOneBlockAndOneDelivery) {
  const std::vector<Ticket*> tickets = SubmitOpening();
  running_.Start();
  running_.port().WaitFor(tickets.back());
  running_.Stop();
  ASSERT_EQ(BlocksOf(store_).size(), 1u);
  EXPECT_EQ(BlocksOf(store_)[0].legs.size(), 5u);
  EXPECT_EQ(running_.port().delivered(), tickets);
  EXPECT_EQ(running_.port().deliveries(), 1u);
  for (const Ticket* ticket : tickets) EXPECT_TRUE(ticket->reply.status.ok()) << ticket->reply.status;
}

TEST_F(SequencerTest, ABlockHoldsSoManyCommandsAtMost) {
  SubmitOpening();
  const size_t more = 2 * core::kMaxCommandsPerBlock;
  for (size_t i = 0; i < more; ++i)
    running_.Submit(core::GrantCredit{ShopStation(), core::Money::Fen(1 + static_cast<int64_t>(i % 2)), ""});
  running_.Start();
  running_.Stop();
  const std::vector<OpenedBlock> blocks = BlocksOf(store_);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].legs.size(), core::kMaxCommandsPerBlock);
  EXPECT_EQ(blocks[1].legs.size(), core::kMaxCommandsPerBlock);
  EXPECT_EQ(blocks[2].legs.size(), 5u);
  EXPECT_EQ(running_.port().delivered().size(), 5 + more);
}

TEST_F(SequencerTest, EachPortGetsItsOwnRepliesInOrder) {
  RecordingPort other;
  SubmitOpening();
  std::deque<Ticket> others;
  std::vector<Ticket*> expected;
  for (int i = 0; i < 3; ++i) {
    running_.Submit(ShopPayment("R" + std::to_string(i)));
    others.push_back({.command = ShopPayment("S" + std::to_string(i)), .port = &other, .on_reply = {}, .reply = {}});
    running_.sequencer().Submit(&others.back());
    expected.push_back(&others.back());
  }
  running_.Start();
  other.WaitFor(&others.back());
  running_.Stop();
  EXPECT_EQ(other.delivered(), expected);
  EXPECT_EQ(other.deliveries(), 1u);
  EXPECT_EQ(running_.port().delivered().size(), 8u);
}

TEST_F(SequencerTest, ARequestRepeatedWithinOneBatchIsOnePayment) {
  SubmitOpening();
  const Ticket* first = running_.Submit(ShopPayment("R1"));
  const Ticket* again = running_.Submit(ShopPayment("R1"));
  core::AcceptPayment other = ShopPayment("R1");
  other.amount += core::Money::Fen(1);
  const Ticket* otherwise = running_.Submit(other);
  running_.Start();
  running_.port().WaitFor(otherwise);
  EXPECT_EQ(PaymentOf(first).id, PaymentId::FromNumber(6));
  EXPECT_FALSE(first->reply.repeated);
  EXPECT_EQ(PaymentOf(again), PaymentOf(first));
  EXPECT_TRUE(again->reply.repeated);
  EXPECT_TRUE(absl::IsAlreadyExists(otherwise->reply.status)) << otherwise->reply.status;
  running_.Stop();
  EXPECT_EQ(running_.ledger().last_sequence(), 6u);
}

TEST_F(SequencerTest, ARequestThatCameToRestLongAgoGetsItsAnswer) {
  Open();
  const Payment held = running_.Pay(ShopPayment("R1"));
  const core::Reply done = running_.Do(ShopOutcome(held.id, PaymentEvent::kApproved));
  core::AcceptPayment too_much = ShopPayment("R2");
  too_much.amount = core::Money::Fen(10'000'000);
  const Payment declined = running_.Pay(too_much);
  ASSERT_EQ(declined.state, PaymentState::kDeclined);
  ASSERT_TRUE(running_.Do(core::CloseDay{ShopDate(), ShopDate().NextDay()}).status.ok());

  const core::Reply again = running_.Do(ShopPayment("R1"));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(std::get<Payment>(again.value), std::get<Payment>(done.value));
  const core::Reply declined_again = running_.Do(too_much);
  EXPECT_TRUE(declined_again.repeated);
  EXPECT_EQ(std::get<Payment>(declined_again.value), declined);
  const core::Reply purchase =
      running_.Do(core::RecordCounterPurchase{ShopStation(), "opening", core::Money::Fen(100'000), "clerk"});
  EXPECT_TRUE(purchase.repeated);
  EXPECT_TRUE(absl::IsAlreadyExists(running_.Do(ShopPayment("opening")).status));
}

TEST_F(SequencerTest, ACancelFindsAPaymentThatLeftMemory) {
  Open();
  const Payment held = running_.Pay(ShopPayment("R1"));
  ASSERT_TRUE(running_.Do(ShopOutcome(held.id, PaymentEvent::kApproved)).status.ok());
  const core::Reply cancel = running_.Do(core::StartCancel{ShopStation(), "0000000001", held.id, std::nullopt});
  ASSERT_TRUE(cancel.status.ok()) << cancel.status;
  EXPECT_EQ(std::get<Payment>(cancel.value).state, PaymentState::kCancelling);
  const core::Reply unknown =
      running_.Do(core::StartCancel{ShopStation(), "0000000001", PaymentId::FromNumber(4), std::nullopt});
  EXPECT_TRUE(absl::IsNotFound(unknown.status)) << unknown.status;
}

TEST_F(SequencerTest, ADayCutEndsItsBlock) {
  SubmitOpening();
  running_.Submit(core::CloseDay{ShopDate(), ShopDate().NextDay()});
  const Ticket* next_day = running_.Submit(ShopPayment("R1"));
  running_.Start();
  running_.port().WaitFor(next_day);
  running_.Stop();
  const std::vector<OpenedBlock> blocks = BlocksOf(store_);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].stamp.business_date, ShopDate());
  EXPECT_TRUE(std::holds_alternative<core::DayCut>(blocks[0].legs.back().fact));
  EXPECT_EQ(blocks[1].stamp.business_date, ShopDate().NextDay());
  EXPECT_EQ(PaymentOf(next_day).business_date, ShopDate().NextDay());
}

TEST_F(SequencerTest, AJournalThatIsResumedBeginsABlockAndGivesNumbersThatWereNeverGiven) {
  constexpr uint64_t kAt = 1'795'338'443'000'000;
  SubmitOpening();
  const Ticket* resumed = running_.Submit(core::ResumeJournal{kAt, "8000000001", "unplugged"});
  const Ticket* again = running_.Submit(core::ResumeJournal{kAt, "8000000002", "unplugged"});
  const Ticket* paid = running_.Submit(ShopPayment("after"));
  running_.Start();
  running_.port().WaitFor(paid);
  running_.Stop();
  EXPECT_TRUE(resumed->reply.status.ok()) << resumed->reply.status;
  EXPECT_EQ(resumed->reply.sequence, kAt);
  EXPECT_TRUE(absl::IsFailedPrecondition(again->reply.status)) << "the number is given";
  EXPECT_EQ(PaymentOf(paid).id, core::PaymentId::FromNumber(kAt + 1));
  const std::vector<OpenedBlock> blocks = BlocksOf(store_);
  ASSERT_GE(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].legs.back().sequence, 5u);
  EXPECT_EQ(blocks[1].header.first_sequence(), kAt);

  // A start finds it again: from the snapshot, and from the journal alone.
  RunningLedger next(&store_, &clock_);
  EXPECT_EQ(next.recovered().snapshot_sequence, kAt + 1);
  EXPECT_EQ(next.recovered().position.last_sequence, kAt + 1);
  EXPECT_EQ(next.index().FindPayment(core::PaymentId::FromNumber(kAt))->has_value(), false);
  for (const uint64_t sequence : {uint64_t{1}, uint64_t{5}, kAt, kAt + 1}) EXPECT_TRUE(*next.index().HasLeg(sequence));
  for (const uint64_t sequence : {uint64_t{0}, uint64_t{6}, kAt - 1, kAt + 2}) {
    EXPECT_FALSE(*next.index().HasLeg(sequence));
  }
  core::Ledger from_journal(ShopDate());
  const MemoryCommitLog no_rows;
  const absl::StatusOr<Recovered> recovered = Recover(store_, no_rows, &from_journal);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(from_journal.last_sequence(), kAt + 1);
  EXPECT_NE(from_journal.FindPayment(PaymentOf(paid).id), nullptr);
}

TEST_F(SequencerTest, TimeNeverGoesBackWhenTheClockDoes) {
  Open();
  clock_.Advance(std::chrono::hours(2));
  const core::TimePoint late = running_.Pay(ShopPayment("R1")).accepted_at();
  EXPECT_EQ(late, clock_.Now());
  clock_.Advance(-std::chrono::hours(1));
  EXPECT_EQ(running_.Pay(ShopPayment("R2")).accepted_at(), late);
  running_.Stop();

  // Nor over a restart.
  RunningLedger next(&store_, &clock_);
  next.Start();
  EXPECT_EQ(next.Pay(ShopPayment("R3")).accepted_at(), late);
  clock_.Advance(std::chrono::hours(3));
  EXPECT_EQ(next.Pay(ShopPayment("R4")).accepted_at(), clock_.Now());
}

TEST_F(SequencerTest, NewWorkAndReadsAreRefusedAtTheirBoundsAndOutcomesAreNot) {
  Ticket* last_read = nullptr;
  for (size_t i = 0; i < core::kMaxSequencerQueue; ++i) {
    last_read = running_.TrySubmit(core::ReadBusinessDay{});
    ASSERT_NE(last_read, nullptr) << i;
  }
  EXPECT_EQ(running_.TrySubmit(core::ReadBusinessDay{}), nullptr);
  for (size_t i = 0; i < core::kMaxSequencerQueue; ++i) {
    ASSERT_NE(running_.TrySubmit(ShopPayment("R")), nullptr) << i;
  }
  EXPECT_EQ(running_.TrySubmit(ShopPayment("R")), nullptr);
  Ticket* outcome = running_.Submit(ShopOutcome(PaymentId::FromNumber(1), PaymentEvent::kApproved));
  running_.Start();
  running_.port().WaitFor(outcome);
  running_.port().WaitFor(last_read);
  EXPECT_EQ(running_.port().delivered().size(), 2 * core::kMaxSequencerQueue + 1);
  EXPECT_NE(running_.TrySubmit(core::ReadBusinessDay{}), nullptr);
  EXPECT_NE(running_.TrySubmit(ShopPayment("R")), nullptr);
}

TEST_F(SequencerTest, ReadsGoBeforeWhatWaitsSomeAtATime) {
  std::vector<Ticket*> expected;
  std::vector<Ticket*> payments;
  std::vector<Ticket*> reads;
  for (size_t i = 0; i < 2 * core::kMaxCommandsPerBlock; ++i) payments.push_back(running_.TrySubmit(ShopPayment("R")));
  for (size_t i = 0; i < core::kMaxReadsAtATime + 1; ++i) reads.push_back(running_.TrySubmit(core::ReadBusinessDay{}));
  // All reads but the last, a block of payments, the last read, and the rest.
  expected.assign(reads.begin(), reads.end() - 1);
  const auto second_block = payments.begin() + core::kMaxCommandsPerBlock;
  expected.insert(expected.end(), payments.begin(), second_block);
  expected.push_back(reads.back());
  expected.insert(expected.end(), second_block, payments.end());
  running_.Start();
  running_.port().WaitFor(payments.back());
  running_.Stop();
  EXPECT_EQ(running_.port().delivered(), expected);
}

TEST_F(SequencerTest, StopDrainsAndWritesALastSnapshot) {
  const size_t opening = SubmitOpening().size();
  constexpr size_t kPayments = 3'000;
  for (size_t i = 0; i < kPayments; ++i) {
    core::AcceptPayment pay = ShopPayment(std::to_string(i));
    pay.amount = core::Money::Fen(1);
    running_.Submit(pay);
  }
  running_.Start();
  running_.Stop();
  EXPECT_EQ(running_.port().delivered().size(), opening + kPayments);
  const RunningLedger next(&store_, &clock_);
  EXPECT_EQ(next.recovered().legs_replayed, 0u);
  EXPECT_EQ(next.recovered().snapshot_sequence, opening + kPayments);
  EXPECT_EQ(next.ledger().payments_in_memory(), kPayments);
}

TEST_F(SequencerTest, StopWithoutWorkWritesNothing) {
  running_.Start();
  running_.Stop();
  EXPECT_THAT(KeysOf(store_, Table::kSnapshot), ::testing::IsEmpty());
}

TEST(SequencerStepByStepTest, DoesWhatCanBeDoneWithoutWaiting) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.snapshot_interval = std::chrono::seconds(1), .log = &log});
  Sequencer& sequencer = running.sequencer();
  EXPECT_FALSE(sequencer.RunReady());

  log.Hold();
  const Ticket* ticket = running.Submit(core::RegisterBiller{kShopBiller});
  EXPECT_TRUE(sequencer.RunReady());
  EXPECT_TRUE(running.port().delivered().empty());
  EXPECT_FALSE(sequencer.RunReady());

  // It is told of what became durable when it is run next.
  log.Release();
  EXPECT_TRUE(running.port().delivered().empty());
  EXPECT_TRUE(sequencer.RunReady());
  EXPECT_THAT(running.port().delivered(), ElementsAre(ticket));

  // A snapshot is written when one is due, and once.
  log.LetThrough();
  EXPECT_FALSE(sequencer.RunReady());
  clock.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(sequencer.RunReady());
  EXPECT_EQ((*ReadSnapshotPosition(store))->chain.last_sequence, 1u);
  EXPECT_FALSE(sequencer.RunReady());
  running.Stop();
}

TEST(SequencerStepByStepTest, AReadIsAnsweredWhenWhatItSawIsDurableAndWaitsForNoRoom) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.log = &log});
  log.Hold();
  std::vector<Ticket*> written;
  for (size_t i = 0; i < core::kMaxBlocksInFlight; ++i) {
    written.push_back(running.Submit(core::RegisterBiller{std::string(i + 1, 'b')}));
    ASSERT_TRUE(running.sequencer().RunReady());
  }
  Ticket* waiting = running.Submit(core::RegisterBiller{"gas"});
  Ticket* read = running.TrySubmit(core::ReadBillers{});
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_TRUE(running.port().delivered().empty());

  for (size_t i = 0; i < written.size(); ++i) {
    log.Release();
    EXPECT_TRUE(running.sequencer().RunReady());
  }
  // It has seen what the last block in flight decided, and not what waited for room.
  std::vector<Ticket*> expected(written.begin(), written.end() - 1);
  expected.insert(expected.end(), {read, written.back()});
  EXPECT_EQ(running.port().delivered(), expected);
  EXPECT_EQ(std::get<std::vector<core::BillerState>>(read->reply.value).size(), core::kMaxBlocksInFlight);
  log.LetThrough();
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_EQ(running.port().delivered().back(), waiting);
  running.Stop();
}

TEST(SequencerStepByStepTest, AReadWaitsForNothingButWhatItsAnswerRestsOn) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.log = &log});
  const auto register_station = [&](uint64_t station) {
    Ticket* ticket = running.Submit(core::RegisterStation{core::StationId::FromNumber(station), "shop", {}});
    EXPECT_TRUE(running.sequencer().RunReady());
    return ticket;
  };
  Ticket* durable = register_station(1);
  log.Hold();
  Ticket* first = register_station(2);
  Ticket* second = register_station(3);
  const auto read = [&](uint64_t station) {
    return running.TrySubmit(core::ReadAccount{core::StationId::FromNumber(station)});
  };
  Ticket* of_first = read(2);
  Ticket* of_durable = read(1);
  Ticket* of_nobody = read(4);
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_THAT(running.port().delivered(), ElementsAre(durable, of_durable, of_nobody));
  // What is not durable may be undone, and another leg have its number.
  EXPECT_EQ(of_durable->reply.sequence, durable->reply.sequence);
  EXPECT_TRUE(absl::IsNotFound(of_nobody->reply.status));

  log.Release();
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_THAT(running.port().delivered(), ElementsAre(durable, of_durable, of_nobody, of_first, first));
  EXPECT_EQ(of_first->reply.sequence, first->reply.sequence);
  log.LetThrough();
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_EQ(running.port().delivered().back(), second);
  running.Stop();
}

TEST(SequencerStepByStepTest, ReadsThatHoldWhatIsNotDurableAreBounded) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  RunningLedger running(&store, &clock, {.log = &log});
  log.Hold();
  running.Submit(core::RegisterBiller{kShopBiller});
  ASSERT_TRUE(running.sequencer().RunReady());
  for (size_t i = 0; i < core::kMaxReadsHeld + core::kMaxSequencerQueue; ++i) {
    ASSERT_NE(running.TrySubmit(core::ReadBusinessDay{}), nullptr) << i;
    ASSERT_EQ(running.sequencer().RunReady(), i < core::kMaxReadsHeld) << i;
  }
  // The log does not answer: as many are held as may be, as many wait, and no more is taken.
  EXPECT_FALSE(running.sequencer().RunReady());
  EXPECT_EQ(running.TrySubmit(core::ReadBusinessDay{}), nullptr);
  EXPECT_TRUE(running.port().delivered().empty());
  log.LetThrough();
  EXPECT_TRUE(running.sequencer().RunReady());
  EXPECT_EQ(running.port().delivered().size(), 1 + core::kMaxReadsHeld + core::kMaxSequencerQueue);
  running.Stop();
}

TEST(SequencerStepByStepTest, LetsGoOfWhatItNeverAnswered) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  log.Hold();
  RecordingPort port;
  Ticket undelivered{.command = core::RegisterBiller{kShopBiller}, .port = &port, .on_reply = [] {}, .reply = {}};
  Ticket undecided{.command = core::RegisterBiller{"gas"}, .port = &port, .on_reply = [] {}, .reply = {}};
  Ticket unread{.command = core::ReadBillers{}, .port = &port, .on_reply = [] {}, .reply = {}};
  {
    RunningLedger running(&store, &clock, {.log = &log});
    running.sequencer().Submit(&undelivered);
    running.sequencer().RunReady();
    ASSERT_TRUE(running.sequencer().TrySubmit(&unread));
    running.sequencer().RunReady();
    running.sequencer().Submit(&undecided);
    running.sequencer().Abandon();
  }
  EXPECT_FALSE(undelivered.on_reply);
  EXPECT_FALSE(unread.on_reply);
  EXPECT_FALSE(undecided.on_reply);
  EXPECT_TRUE(port.delivered().empty());
}

TEST_F(SequencerTest, MemoryForgetsWhatIsAtRestAndDurable) {
  Open();
  std::vector<PaymentId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(running_.Pay(ShopPayment(std::to_string(i))).id);
  for (size_t i = 0; i < 8; ++i) ASSERT_TRUE(running_.Do(ShopOutcome(ids[i], PaymentEvent::kApproved)).status.ok());
  running_.Stop();
  EXPECT_EQ(running_.ledger().payments_in_memory(), 2u);
}

}  // namespace
}  // namespace waystation::storage
