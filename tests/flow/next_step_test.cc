#include "switch/flow/next_step.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"

namespace waystation::flow {
namespace {

using core::PaymentState;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr core::TimePoint kEntered{hours(24 * 365 * 50)};

core::Payment PaymentIn(PaymentState state, uint64_t id = 7) {
  core::Payment payment;
  payment.id = core::PaymentId::FromNumber(id);
  payment.state = state;
  payment.history = {{1, PaymentState::kHeld, kEntered - seconds(30), {}}, {2, state, kEntered, {}}};
  return payment;
}

adapters::CapabilityCard Card(bool can_query, bool can_reverse) {
  adapters::CapabilityCard card;
  card.can_query = can_query;
  card.can_reverse = can_reverse;
  return card;
}

TEST(NextStepTest, WhoActsAndWhatIsDone) {
  const adapters::CapabilityCard able = Card(true, true);
  const adapters::CapabilityCard reversible = Card(false, true);
  const adapters::CapabilityCard mute = Card(false, false);
  struct Row {
    PaymentState state;
    const adapters::CapabilityCard* card;
    Owner owner;
    NextAction action;
  };
  const Row rows[] = {
      {PaymentState::kHeld, &able, Owner::kFlow, NextAction::kAwaitAnswer},
      {PaymentState::kUnknown, &able, Owner::kResolver, NextAction::kQuery},
      {PaymentState::kUnknown, &reversible, Owner::kResolver, NextAction::kReverse},
      {PaymentState::kUnknown, &mute, Owner::kResolver, NextAction::kAwaitPerson},
      {PaymentState::kUnknown, nullptr, Owner::kResolver, NextAction::kAwaitPerson},
      {PaymentState::kReversing, &able, Owner::kResolver, NextAction::kReverse},
      {PaymentState::kReversing, nullptr, Owner::kResolver, NextAction::kAwaitPerson},
      {PaymentState::kCancelling, &able, Owner::kResolver, NextAction::kCancel},
      {PaymentState::kCancelling, nullptr, Owner::kResolver, NextAction::kAwaitPerson},
      {PaymentState::kReview, &able, Owner::kPerson, NextAction::kPropose},
      {PaymentState::kSucceeded, &able, Owner::kNobody, NextAction::kNone},
      {PaymentState::kDeclined, &able, Owner::kNobody, NextAction::kNone},
      {PaymentState::kReversed, &able, Owner::kNobody, NextAction::kNone},
      {PaymentState::kCancelled, &able, Owner::kNobody, NextAction::kNone},
      {PaymentState::kAdjusted, &able, Owner::kNobody, NextAction::kNone},
  };
  for (const Row& row : rows) {
    const NextStep step = NextStepOf(PaymentIn(row.state), row.card, ResolverSchedule(), kEntered);
    EXPECT_EQ(step.owner, row.owner) << core::Name(row.state);
    EXPECT_EQ(step.action, row.action) << core::Name(row.state);
    const bool by_itself = row.owner == Owner::kFlow || row.owner == Owner::kResolver;
    EXPECT_EQ(step.at.has_value(), by_itself) << core::Name(row.state);
    EXPECT_EQ(step.deadline.has_value(), by_itself) << core::Name(row.state);
    if (row.owner == Owner::kResolver) {
      EXPECT_EQ(*step.deadline, kEntered + hours(24));
    }
    if (row.action == NextAction::kAwaitPerson) {
      EXPECT_EQ(step.at, step.deadline);
    }
  }
}

TEST(NextStepTest, AHeldPaymentWaitsAsLongAsItsBillerMayTake) {
  adapters::CapabilityCard card = Card(true, true);
  card.time_limit = milliseconds(700);
  const NextStep step = NextStepOf(PaymentIn(PaymentState::kHeld), &card, ResolverSchedule(), kEntered);
  EXPECT_EQ(step.at, kEntered - seconds(30) + milliseconds(700));
}

TEST(NextStepTest, AProposalWaitsForTheOtherPerson) {
  core::Payment payment = PaymentIn(PaymentState::kReview);
  payment.resolution = core::Resolution{core::Verdict::kRelease, "asked", "C1", ""};
  EXPECT_EQ(NextStepOf(payment, nullptr, ResolverSchedule(), kEntered).action, NextAction::kConfirm);
}

// All times at which the resolver would act, from the change to the deadline.
std::vector<core::TimePoint> AttemptsOf(const core::Payment& payment, const ResolverSchedule& schedule) {
  std::vector<core::TimePoint> times;
  core::TimePoint after = kEntered - milliseconds(1);
  while (after < kEntered + schedule.review_after) {
    after = NextAttemptAt(payment, schedule, after);
    times.push_back(after);
  }
  return times;
}

TEST(NextStepTest, SecondsThenMinutesThenHoursThenTheDeadline) {
  const ResolverSchedule schedule;
  const std::vector<core::TimePoint> times = AttemptsOf(PaymentIn(PaymentState::kUnknown), schedule);
  ASSERT_GE(times.size(), 20u);
  ASSERT_LE(times.size(), 50u);
  EXPECT_EQ(times.front(), kEntered + seconds(1));
  EXPECT_EQ(times.back(), kEntered + hours(24)) << "asked once more before a person is";
  milliseconds interval = schedule.first_query_after;
  for (size_t i = 1; i + 1 < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], interval * 3 / 4 - milliseconds(1)) << i;
    EXPECT_LE(times[i] - times[i - 1], interval * 5 / 4 + milliseconds(1)) << i;
    interval = std::min(2 * interval, schedule.longest_interval);
  }
}

TEST(NextStepTest, AReversalStartsAtOnce) {
  EXPECT_EQ(AttemptsOf(PaymentIn(PaymentState::kReversing), ResolverSchedule()).front(), kEntered);
}

TEST(NextStepTest, WhatFailedTogetherIsNotAskedAboutTogether) {
  std::set<core::TimePoint> times;
  for (uint64_t id = 1; id <= 100; ++id) {
    times.insert(NextAttemptAt(PaymentIn(PaymentState::kUnknown, id), ResolverSchedule(), kEntered + hours(1)));
  }
  EXPECT_GT(times.size(), 90u);
}

TEST(NextStepTest, TheSameTimesAtEachLook) {
  const core::Payment payment = PaymentIn(PaymentState::kUnknown);
  const core::TimePoint at = NextAttemptAt(payment, ResolverSchedule(), kEntered + seconds(100));
  EXPECT_EQ(NextAttemptAt(payment, ResolverSchedule(), at - milliseconds(1)), at);
  EXPECT_GT(NextAttemptAt(payment, ResolverSchedule(), at), at);
}

TEST(NextStepTest, PastTheDeadlineAtOnce) {
  const core::TimePoint late = kEntered + hours(30);
  EXPECT_EQ(NextAttemptAt(PaymentIn(PaymentState::kUnknown), ResolverSchedule(), late), late);
}

TEST(NextStepTest, NeverHeardOfItFreesTheMoneyOnceTheRequestCanNotBeTakenUpAnyMore) {
  struct Row {
    bool is_final;
    seconds limit;
    seconds settling;
    milliseconds asked;  // after this process took the payment on
    bool frees;
  };
  const Row rows[] = {
      {true, seconds(10), seconds(60), milliseconds(0), false},
      {true, seconds(10), seconds(60), milliseconds(60'000), false},
      {true, seconds(10), seconds(60), milliseconds(69'999), false},
      {true, seconds(10), seconds(60), milliseconds(70'000), true},
      {true, seconds(10), seconds(0), milliseconds(9'999), false},
      {true, seconds(10), seconds(0), milliseconds(10'000), true},
      {false, seconds(10), seconds(60), milliseconds(70'000), false},
      {false, seconds(10), seconds(0), hours(24), false},
  };
  const core::SteadyTime taken_on{hours(5)};
  for (const Row& row : rows) {
    adapters::CapabilityCard card = Card(true, true);
    card.query_denial_is_final = row.is_final;
    card.time_limit = row.limit;
    card.settling_time = row.settling;
    EXPECT_EQ(DenialFrees(card, taken_on, taken_on + row.asked), row.frees)
        << row.is_final << " " << row.settling.count() << " " << row.asked.count();
  }
}

}  // namespace
}  // namespace waystation::flow
