// What the sequencer counts while it works.

#include "storage/sequencer_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::storage {
namespace {

using core::PaymentEvent;
using core::PaymentState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SequencerTallyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    running_.Start();
    OpenShop(running_);
  }

  const SequencerTally& tally() { return running_.sequencer().tally(); }
  uint64_t Entered(PaymentState state) { return tally().entered[static_cast<size_t>(state)].value(); }
  core::Payment Pay(const std::string& request_id) { return running_.Pay(ShopPayment(request_id)); }
  void Move(const core::Payment& payment, PaymentEvent event) {
    const core::Reply reply = running_.Do(ShopOutcome(payment.id, event));
    ASSERT_TRUE(reply.status.ok()) << reply.status;
  }

  // "UNKNOWN 1 0 0 0 0 since 90 s ago" for each group of the shop's biller.
  static std::vector<std::string> Text(const OpenPayments& open, core::TimePoint now) {
    std::vector<std::string> lines;
    for (const OpenPayments::Group& group : open.Read(now)) {
      EXPECT_EQ(group.biller_id, kShopBiller);
      std::string line(core::Name(group.state));
      uint64_t all = 0;
      for (const uint64_t count : group.by_age) line += " " + std::to_string(count), all += count;
      const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - group.oldest);
      if (all > 0) line += " since " + std::to_string(age.count()) + " s ago";
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<std::string> OpenNow() { return Text(tally().open, clock_.Now()); }

  ManualClock clock_;
  MemoryCommitLog store_;
  RunningLedger running_{&store_, &clock_};
};

TEST_F(SequencerTallyTest, PaymentsByTheStateTheyComeTo) {
  Move(Pay("R1"), PaymentEvent::kApproved);
  Move(Pay("R2"), PaymentEvent::kNotSent);
  const core::Payment lost = Pay("R3");
  Move(lost, PaymentEvent::kOutcomeUnknown);
  Move(lost, PaymentEvent::kReversalStarted);
  Move(lost, PaymentEvent::kReversalConfirmed);
  EXPECT_EQ(Entered(PaymentState::kHeld), 3u);
  EXPECT_EQ(Entered(PaymentState::kSucceeded), 1u);
  EXPECT_EQ(Entered(PaymentState::kDeclined), 1u);
  EXPECT_EQ(Entered(PaymentState::kUnknown), 1u);
  EXPECT_EQ(Entered(PaymentState::kReversing), 1u);
  EXPECT_EQ(Entered(PaymentState::kReversed), 1u);
}

TEST_F(SequencerTallyTest, ARepeatIsNotCountedAgain) {
  const core::Payment first = Pay("R1");
  EXPECT_EQ(Pay("R1").id, first.id);
  EXPECT_EQ(Entered(PaymentState::kHeld), 1u);
}

TEST_F(SequencerTallyTest, DeclinesByReason) {
  core::AcceptPayment dear = ShopPayment("R1");
  dear.amount = core::Money::Fen(100'000'000);
  EXPECT_EQ(running_.Pay(dear).state, PaymentState::kDeclined);
  const auto reason = static_cast<size_t>(core::DeclineReason::kInsufficientAvailableBalance);
  EXPECT_EQ(tally().declined[reason].value(), 1u);
  EXPECT_EQ(Entered(PaymentState::kDeclined), 1u);
}

TEST_F(SequencerTallyTest, OpenPaymentsByAge) {
  EXPECT_THAT(OpenNow(), IsEmpty());
  const core::Payment first = Pay("R1");
  EXPECT_THAT(OpenNow(), IsEmpty()) << "what is held is with the biller";
  Move(first, PaymentEvent::kOutcomeUnknown);
  clock_.Advance(std::chrono::seconds(90));
  Move(Pay("R2"), PaymentEvent::kOutcomeUnknown);
  EXPECT_THAT(OpenNow(), ElementsAre("UNKNOWN 1 1 0 0 0 since 90 s ago"));
  clock_.Advance(std::chrono::hours(24));
  EXPECT_THAT(OpenNow(), ElementsAre("UNKNOWN 0 0 0 1 1 since 86490 s ago"));
  Move(first, PaymentEvent::kReversalStarted);
  EXPECT_THAT(OpenNow(), ElementsAre("UNKNOWN 0 0 0 1 0 since 86400 s ago", "REVERSING 1 0 0 0 0 since 0 s ago"));
  clock_.Advance(std::chrono::minutes(30));
  Move(first, PaymentEvent::kReviewNeeded);
  EXPECT_THAT(OpenNow(), ElementsAre("UNKNOWN 0 0 0 0 1 since 88200 s ago", "REVERSING 0 0 0 0 0",
                                     "REVIEW 1 0 0 0 0 since 0 s ago"));
}

TEST_F(SequencerTallyTest, EvidenceThatComesLaterMakesNothingYounger) {
  const core::Payment payment = Pay("R1");
  Move(payment, PaymentEvent::kOutcomeUnknown);
  Move(payment, PaymentEvent::kReviewNeeded);
  clock_.Advance(std::chrono::minutes(5));
  core::RecordOutcome late = ShopOutcome(payment.id, PaymentEvent::kLateApproval);
  late.biller_id = kShopBiller;
  const core::Reply reply = running_.Do(late);
  ASSERT_TRUE(reply.status.ok()) << reply.status;
  ASSERT_EQ(std::get<core::Payment>(reply.value).state, PaymentState::kReview);
  EXPECT_THAT(OpenNow(), ElementsAre("UNKNOWN 0 0 0 0 0", "REVIEW 0 1 0 0 0 since 300 s ago"));
  EXPECT_EQ(Entered(PaymentState::kReview), 1u);
}

TEST_F(SequencerTallyTest, WhatStartUpFindsOpenIsCountedFromWhenItBecameSo) {
  const core::Payment payment = Pay("R1");
  Move(payment, PaymentEvent::kOutcomeUnknown);
  running_.Stop();
  clock_.Advance(std::chrono::minutes(20));
  RunningLedger again(&store_, &clock_);
  EXPECT_THAT(Text(again.sequencer().tally().open, clock_.Now()), ElementsAre("UNKNOWN 0 0 1 0 0 since 1200 s ago"));
  again.Start();
  const core::Reply reply = again.Do(ShopOutcome(payment.id, PaymentEvent::kReviewNeeded));
  ASSERT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_THAT(Text(again.sequencer().tally().open, clock_.Now()),
              ElementsAre("UNKNOWN 0 0 0 0 0", "REVIEW 1 0 0 0 0 since 0 s ago"));
  again.Stop();
}

TEST(SequencerTallyByStepsTest, BlocksAndTheTimeOfTheirCommits) {
  SimulatedClock clock;
  MemoryCommitLog store;
  HeldCommitLog held(&store);
  RunningLedger running(&store, &clock, {.log = &held});
  held.Hold();
  const std::vector<core::Command> opening = ShopOpening();
  for (const core::Command& command : opening) running.Submit(command);
  running.sequencer().RunReady();
  clock.Advance(std::chrono::milliseconds(3));
  held.LetThrough();
  running.sequencer().RunReady();
  const SequencerTally& tally = running.sequencer().tally();
  EXPECT_EQ(tally.block_legs.count(core::Histogram::BucketOf(opening.size())), 1u);
  EXPECT_EQ(tally.block_legs.sum(), opening.size());
  EXPECT_EQ(tally.commit_us.count(core::Histogram::BucketOf(3'000)), 1u);
  EXPECT_EQ(tally.commit_us.sum(), 3'000u);
}

}  // namespace
}  // namespace waystation::storage
