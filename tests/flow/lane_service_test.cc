// A biller that is out of service: what is declined, what goes on, and how it comes back. In simulated time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "switch/core/limits.h"
#include "tests/flow/timed_world.h"

namespace waystation::flow {
namespace {

using core::Decline;
using core::DeclineReason;
using core::Money;
using core::PaymentState;
using State = CircuitBreaker::State;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LaneServiceTest : public ::testing::Test {
 protected:
  LaneServiceTest() {
    options_.lane.breaker.consecutive_failures = 3;
    options_.lane.breaker.shortest_trouble = milliseconds(0);
    options_.lane.breaker.probe_after = milliseconds(1'000);
    options_.lane.breaker.longest_probe_interval = milliseconds(1'000);
    options_.lane.on_news = [this](bool is_out, const std::string& news) {
      states_.push_back(state());
      EXPECT_EQ(is_out, states_.back() == State::kOpen);
      news_ = news;
    };
  }
  TimedWorld& Open() { return world_.emplace(options_); }
  void Break() {
    for (int i = 0; i < 3; ++i) world_->PayInVain("broken" + std::to_string(i));
    ASSERT_EQ(state(), State::kOpen);
  }
  // The probe is sent, and answered so.
  void Probed(bool answered) {
    for (int i = 0; i < 100 && world_->mobile().count(Operation::kProbe) == probes_; ++i) {
      world_->Advance(milliseconds(100));
    }
    ++probes_;
    world_->Answer(Operation::kProbe, answered);
  }
  State state() { return world_->status().health.breaker; }
  // Null: it was not declined.
  std::optional<Decline> DeclineOf(const std::string& request) { return world_->Find(request).decline; }

  TimedOptions options_;
  std::optional<TimedWorld> world_;
  size_t probes_ = 0;
  std::vector<State> states_;
  std::string news_;
};

TEST_F(LaneServiceTest, WhatIsNewIsDeclinedBeforeAnyHold) {
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> paid = world.Pay("R1");
  world.Approve();
  const core::PaymentId id = Get(std::move(paid)).payment.id;
  Break();
  const core::Account before = world.account();
  const core::Payment declined = Get(world.Pay("R2")).payment;
  EXPECT_EQ(declined.state, PaymentState::kDeclined);
  EXPECT_EQ(declined.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_EQ(declined.decline->text,
            "no answers from the biller since 08:00:00 (China time); the switch tries it again by itself");
  EXPECT_EQ(Get(world.Inquire()).decline->reason, DeclineReason::kBillerOutOfService);
  const TimedWorld::Result cancel = Get(world.Cancel(id));
  EXPECT_EQ(cancel.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_EQ(cancel.payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world.account().balance, before.balance);
  EXPECT_EQ(world.account().reserved + world.account().forwarded, before.reserved + before.forwarded);
  EXPECT_EQ(world.mobile().count(Operation::kInquire), 0u);
  EXPECT_EQ(world.mobile().count(Operation::kCancel), 0u);
  // What was accepted before is answered as ever.
  EXPECT_EQ(Get(world.Pay("R1")).payment.state, PaymentState::kSucceeded);
  EXPECT_THAT(states_, ElementsAre(State::kOpen));
  EXPECT_EQ(news_, "out of service, new requests are declined: pay: no answer in time");
}

TEST_F(LaneServiceTest, ACancelIsDeclinedForWhatWillNotChangeFirst) {
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> paid = world.Pay("R1");
  world.Approve();
  const core::PaymentId id = Get(std::move(paid)).payment.id;
  Break();
  EXPECT_EQ(Get(world.Cancel(world.Find("broken0").id)).decline->reason, DeclineReason::kNotCancellable);
  EXPECT_EQ(Get(world.Cancel(id)).decline->reason, DeclineReason::kBillerOutOfService);
  world.CloseDay();
  EXPECT_EQ(Get(world.Cancel(id)).decline->reason, DeclineReason::kBillerOutOfService) << "before the date";
}

TEST_F(LaneServiceTest, WhereNothingIsTakenBackThatIsSaidOfACancelInAnyCase) {
  options_.mobile.cancel = adapters::CancelRule::kNone;
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> paid = world.Pay("R1");
  world.Approve();
  const core::PaymentId id = Get(std::move(paid)).payment.id;
  Break();
  EXPECT_EQ(Get(world.Cancel(id)).decline->reason, DeclineReason::kCancelNotSupported);
}

TEST_F(LaneServiceTest, WhatIsHeldGoesOn) {
  TimedWorld& world = Open();
  std::future<TimedWorld::Result> held = world.Pay("R1");
  ScriptedBiller::Call call = world.mobile().Next(Operation::kPay);
  Break();
  call.answer(adapters::PayOutcome(adapters::Approved{"B1", "", ""}));
  world.Run();
  EXPECT_EQ(Get(std::move(held)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(state(), State::kOpen) << "it says nothing of what would come now";
}

TEST_F(LaneServiceTest, AProbeThatIsAnsweredLetsAFewThroughAndOneThatSucceedsAll) {
  TimedWorld& world = Open();
  Break();
  Probed(false);
  EXPECT_EQ(state(), State::kOpen);
  Probed(true);
  EXPECT_EQ(state(), State::kHalfOpen);
  EXPECT_EQ(world.status().out_of_service, std::nullopt);
  std::vector<std::future<TimedWorld::Result>> trials;
  for (uint32_t i = 0; i < core::kMaxTrialsPerBiller; ++i) trials.push_back(world.Pay("T" + std::to_string(i)));
  for (const auto& trial : trials) EXPECT_FALSE(IsThere(trial));
  EXPECT_THAT(*world.status().out_of_service, HasSubstr("it is being tried again"));
  EXPECT_THAT(Get(world.Pay("R1")).payment.decline->text, HasSubstr("it is being tried again"));
  world.Approve();
  EXPECT_EQ(state(), State::kClosed);
  EXPECT_EQ(Get(std::move(trials.front())).payment.state, PaymentState::kSucceeded);
  const std::future<TimedWorld::Result> next = world.Pay("R2");
  EXPECT_EQ(world.mobile().count(Operation::kPay), 3 + core::kMaxTrialsPerBiller + 1);
  EXPECT_THAT(states_, ElementsAre(State::kOpen, State::kHalfOpen, State::kClosed));
}

TEST_F(LaneServiceTest, ATrialThatFailsOpensItAgain) {
  TimedWorld& world = Open();
  Break();
  Probed(true);
  world.PayInVain("T1");
  EXPECT_EQ(state(), State::kOpen);
  EXPECT_EQ(Get(world.Pay("R1")).payment.decline->reason, DeclineReason::kBillerOutOfService);
  Probed(true);
  EXPECT_EQ(state(), State::kHalfOpen);
  EXPECT_THAT(states_, ElementsAre(State::kOpen, State::kHalfOpen, State::kOpen, State::kHalfOpen));
}

TEST_F(LaneServiceTest, ATrialThatIsDeclinedByTheSwitchLeavesItsPlaceToAnother) {
  TimedWorld& world = Open();
  Break();
  Probed(true);
  for (uint32_t i = 0; i < 2 * core::kMaxTrialsPerBiller; ++i) {
    EXPECT_EQ(Get(world.Pay("broken0", milliseconds(0))).payment.state, PaymentState::kUnknown) << "a repeat";
  }
  const std::future<TimedWorld::Result> trial = world.Pay("R1");
  EXPECT_EQ(world.mobile().count(Operation::kPay), 4u);
}

TEST_F(LaneServiceTest, AnInquiryThatIsAnsweredSaysNothingOfPayments) {
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kInquire, adapters::InquiryOutcome(adapters::InquiryFound{"*", Money::Fen(1)}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Get(world.Inquire()).status.ok());
    world.PayInVain("R" + std::to_string(i));
  }
  EXPECT_EQ(state(), State::kOpen);
  Probed(true);
  EXPECT_EQ(Get(world.Inquire()).decline, std::nullopt);
  EXPECT_EQ(state(), State::kHalfOpen);
}

TEST_F(LaneServiceTest, AnInquiryThatFailsCounts) {
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kInquire, adapters::InquiryOutcome(adapters::NotSent{"connection refused"}));
  for (int i = 0; i < 3; ++i) Get(world.Inquire());
  EXPECT_EQ(state(), State::kOpen);
}

TEST_F(LaneServiceTest, AFewInquiriesOfManyThatFailDoNot) {
  options_.lane.breaker = {.consecutive_failures = 10, .failure_percent = 50, .least_requests = 20};
  TimedWorld& world = Open();
  const adapters::InquiryOutcome found(adapters::InquiryFound{"*", Money::Fen(1)});
  const adapters::InquiryOutcome failed(adapters::Unknown{"no answer in time"});
  for (int i = 0; i < 400; ++i) {
    world.mobile().Always(Operation::kInquire, i % 20 == 0 ? failed : found);
    Get(world.Inquire());
    world.Advance(milliseconds(20));
    if (i % 200 != 100) continue;
    world.Pay("R" + std::to_string(i));
    world.Approve();
  }
  EXPECT_EQ(state(), State::kClosed);
}

TEST_F(LaneServiceTest, WhatOneCutTakesWithItIsNoOutage) {
  options_.lane.breaker = {};
  TimedWorld& world = Open();
  for (int i = 0; i < 10; ++i) world.Pay("R" + std::to_string(i));
  for (int i = 0; i < 10; ++i) world.Answer(Operation::kPay, adapters::PayOutcome(adapters::Unknown{"cut"}));
  EXPECT_EQ(state(), State::kClosed);
  std::future<TimedWorld::Result> next = world.Pay("R10");
  world.Approve();
  EXPECT_EQ(Get(std::move(next)).payment.state, PaymentState::kSucceeded);
}

TEST_F(LaneServiceTest, AnAnswerToTheResolverIsAsGoodAsOneToAProbe) {
  options_.schedule.first_query_after = milliseconds(1'000);
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kProbe, false);
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Unknown{"refused"}));
  Break();
  world.Advance(milliseconds(5'000));
  EXPECT_EQ(state(), State::kOpen);
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::NeverReceived{}));
  world.Advance(core::kResolverLooksWhileOpen * 5 / 4);
  EXPECT_EQ(state(), State::kHalfOpen);
  EXPECT_EQ(news_, "it answers (query): a few requests are let through");
  size_t probes = world.mobile().count(Operation::kProbe);
  world.Advance(std::chrono::minutes(1));
  EXPECT_EQ(world.mobile().count(Operation::kProbe), probes) << "there is nothing to probe";
  // Open again, it is probed once at a time, not by what is left of the probes before too.
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Unknown{"refused"}));
  world.PayInVain("T1");
  EXPECT_EQ(state(), State::kOpen);
  world.Advance(std::chrono::seconds(60));
  probes = world.mobile().count(Operation::kProbe) - probes;
  EXPECT_GE(probes, 59u);
  EXPECT_LE(probes, 80u);
}

TEST_F(LaneServiceTest, AnAnswerToWhatWasAskedBeforeSaysNothing) {
  options_.schedule.first_query_after = milliseconds(1'000);
  options_.lane.breaker.probe_after = std::chrono::hours(1);
  options_.lane.breaker.longest_probe_interval = std::chrono::hours(1);
  TimedWorld& world = Open();
  world.PayInVain("R1");
  world.Advance(milliseconds(1'250));
  ScriptedBiller::Call query = world.mobile().Next(Operation::kQuery);
  world.Pay("R2");
  world.Approve();
  Break();
  query.answer(adapters::QueryOutcome(adapters::Approved{"B1", "", ""}));
  world.Run();
  EXPECT_EQ(world.Find("R1").state, PaymentState::kSucceeded);
  EXPECT_EQ(state(), State::kOpen);
}

TEST_F(LaneServiceTest, WhoWaitsIsDeclinedOnceTheBreakerOpens) {
  options_.mobile.max_in_flight = 2;  // one of them the resolver's
  options_.mobile.max_waiting = 1;
  options_.lane.breaker.consecutive_failures = 1;
  TimedWorld& world = Open();
  world.Pay("R1");
  std::future<TimedWorld::Result> waits = world.Pay("R2");
  ASSERT_EQ(world.status().waiting, 1u);
  world.Answer(Operation::kPay, adapters::PayOutcome(adapters::Unknown{"cut"}));
  EXPECT_EQ(Get(std::move(waits)).payment.decline->reason, DeclineReason::kBillerOutOfService);
  EXPECT_EQ(world.mobile().count(Operation::kPay), 1u);
}

TEST_F(LaneServiceTest, WhoWaitsIsDeclinedOnceTheHoursEnd) {
  options_.mobile.max_in_flight = 2;
  options_.mobile.max_waiting = 1;
  options_.mobile.service_hours = *core::ServiceHours::Parse("06:00-08:01");
  TimedWorld& world = Open();
  world.Advance(std::chrono::seconds(59));
  world.Pay("R1");
  std::future<TimedWorld::Result> waits = world.Pay("R2");
  ASSERT_EQ(world.status().waiting, 1u);
  world.Advance(std::chrono::seconds(1));
  world.Approve();
  EXPECT_EQ(Get(std::move(waits)).payment.decline->text, "the biller is in service 06:00-08:01 (China time)");
  EXPECT_EQ(world.mobile().count(Operation::kPay), 1u);
}

TEST_F(LaneServiceTest, WithTooManyPaymentsWithoutAnOutcomeItIsOutOfService) {
  options_.lane.max_unresolved = 2;
  TimedWorld& world = Open();
  world.PayInVain("R1");
  EXPECT_EQ(world.status().out_of_service, std::nullopt);
  world.PayInVain("R2");
  const std::string text = "2 payments to this biller are without an outcome; it takes more once they are settled";
  EXPECT_EQ(world.status().out_of_service, text);
  EXPECT_EQ(Get(world.Pay("R3")).payment.decline, (Decline{DeclineReason::kBillerOutOfService, "", text}));
}

TEST_F(LaneServiceTest, TheBillersDeclinesAreAnswers) {
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kPay, adapters::PayOutcome(adapters::Declined{"14", "no such number"}));
  for (int i = 0; i < 50; ++i) Get(world.Pay("R" + std::to_string(i)));
  EXPECT_EQ(state(), State::kClosed);
}

TEST_F(LaneServiceTest, AProbeThatHangsIsAnsweredForAndNotSentTwice) {
  TimedWorld& world = Open();
  Break();
  world.Advance(milliseconds(1'250));
  ASSERT_EQ(world.mobile().count(Operation::kProbe), 1u);
  ScriptedBiller::Call hung = world.mobile().Next(Operation::kProbe);
  world.Advance(2 * AbleCard().time_limit);
  EXPECT_EQ(world.mobile().count(Operation::kProbe), 1u);
  EXPECT_EQ(state(), State::kOpen);
  EXPECT_EQ(world.status().health.last_error->operation, "probe");
  hung.answer(true);
  world.Run();
  probes_ = 1;
  Probed(true);
  EXPECT_EQ(state(), State::kHalfOpen);
}

TEST_F(LaneServiceTest, TheResolverAsksSeldomWhileTheBillerDoesNotAnswer) {
  options_.schedule.first_query_after = milliseconds(100);
  options_.schedule.longest_interval = milliseconds(1'000);
  options_.lane.breaker.consecutive_failures = 20;
  options_.lane.breaker.probe_after = std::chrono::hours(2);
  options_.lane.breaker.longest_probe_interval = std::chrono::hours(2);
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Unknown{"refused"}));
  for (int i = 0; i < 20; ++i) world.PayInVain("R" + std::to_string(i));
  ASSERT_EQ(state(), State::kOpen);
  const size_t before = world.mobile().count(Operation::kQuery);
  world.Advance(std::chrono::minutes(10));
  const size_t queries = world.mobile().count(Operation::kQuery) - before;
  EXPECT_LE(queries, 600u);
  EXPECT_GE(queries, 20u) << "each payment is looked at once in a while";
}

TEST_F(LaneServiceTest, WhatIsPastItsTimeGoesToAPersonAllTheSame) {
  options_.schedule.first_query_after = milliseconds(1'000);
  options_.schedule.longest_interval = std::chrono::minutes(5);
  options_.schedule.review_after = std::chrono::hours(1);
  options_.lane.breaker.probe_after = std::chrono::hours(3);
  options_.lane.breaker.longest_probe_interval = std::chrono::hours(3);
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Unknown{"refused"}));
  Break();
  world.Advance(std::chrono::minutes(62));
  for (const char* request : {"broken0", "broken1", "broken2"}) {
    EXPECT_EQ(world.Find(request).state, PaymentState::kReview);
    const std::string cause = world.Find(request).unknown_cause;
    EXPECT_THAT(cause, StartsWith("no final answer from the biller since it became UNKNOWN; "));
    // What it said when it was asked, not that it can't be asked now.
    EXPECT_THAT(cause, HasSubstr(" attempts since 2026-"));
    EXPECT_THAT(cause, HasSubstr("the last: refused"));
  }
}

TEST_F(LaneServiceTest, WhenTheBillerIsBackAllIsResolvedWithinAWhile) {
  options_.schedule.first_query_after = milliseconds(1'000);
  options_.schedule.longest_interval = std::chrono::hours(1);
  TimedWorld& world = Open();
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Unknown{"refused"}));
  world.mobile().Always(Operation::kProbe, false);
  Break();
  world.Advance(std::chrono::hours(10));
  world.mobile().Always(Operation::kQuery, adapters::QueryOutcome(adapters::Approved{"B1", "", ""}));
  world.mobile().Always(Operation::kProbe, true);
  world.Advance(milliseconds(2'000) + core::kResolverLooksWhileOpen * 5 / 4);
  for (const char* request : {"broken0", "broken1", "broken2"}) {
    EXPECT_EQ(world.Find(request).state, PaymentState::kSucceeded);
  }
}

TEST_F(LaneServiceTest, OutsideOfItsHoursTheDeclineNamesThem) {
  // The shop's clock begins at 08:00 in China.
  options_.mobile.service_hours = *core::ServiceHours::Parse("06:00-07:00, 09:00-23:30");
  TimedWorld& world = Open();
  const std::string text = "the biller is in service 06:00-07:00, 09:00-23:30 (China time)";
  EXPECT_EQ(Get(world.Pay("R1")).payment.decline, (Decline{DeclineReason::kBillerOutOfService, "", text}));
  EXPECT_EQ(Get(world.Inquire()).decline, (Decline{DeclineReason::kBillerOutOfService, "", text}));
  EXPECT_EQ(world.status().out_of_service, text);
  world.Advance(std::chrono::minutes(59));
  EXPECT_EQ(Get(world.Pay("R2")).payment.decline->text, text);
  world.Advance(std::chrono::minutes(1));
  std::future<TimedWorld::Result> paid = world.Pay("R3");
  world.Approve();
  EXPECT_EQ(Get(std::move(paid)).payment.state, PaymentState::kSucceeded);
  EXPECT_EQ(world.status().out_of_service, std::nullopt);
  world.Advance(std::chrono::hours(14) + std::chrono::minutes(30));
  EXPECT_EQ(Get(world.Cancel(world.Find("R3").id)).decline->text, text);
}

TEST_F(LaneServiceTest, TheLastMinuteAndTheLastErrorAreShown) {
  options_.mobile.max_in_flight = 2;
  TimedWorld& world = Open();
  const auto pay = [&](const std::string& request, adapters::PayOutcome outcome) {
    world.Pay(request);
    world.Answer(Operation::kPay, std::move(outcome));
  };
  pay("R1", adapters::Approved{"B1", "", ""});
  pay("R2", adapters::Declined{"14", "no"});
  pay("R3", adapters::NotSent{"connection refused"});
  pay("R4", adapters::Approved{"B1", "", ""});
  pay("R5", adapters::Unknown{"garbage"});
  world.Pay("R6");
  Get(world.Pay("R7"));
  LaneStatus status = world.status();
  EXPECT_THAT(status.health.last_minute, ElementsAre(2, 1, 1, 1, 1));
  EXPECT_EQ(status.of_stations, 1u);
  EXPECT_EQ(status.health.last_error->operation, "pay");
  EXPECT_EQ(status.health.last_error->cause, "garbage");
  EXPECT_EQ(status.health.last_error->time, world.clock().Now());
  world.Approve();
  world.Advance(std::chrono::seconds(60));
  EXPECT_THAT(world.status().health.last_minute, ElementsAre(0, 0, 0, 0, 0));
  EXPECT_EQ(world.status().health.last_error->cause, "garbage");
  EXPECT_EQ(DeclineOf("R3")->reason, DeclineReason::kNotSent);
}

TEST_F(LaneServiceTest, TheStatusSaysWhenTheBillerIsProbed) {
  TimedWorld& world = Open();
  EXPECT_EQ(world.status().health.probe_at, std::nullopt);
  world.Advance(milliseconds(500));
  Break();
  const LaneHealth::Status health = world.status().health;
  EXPECT_EQ(health.breaker_since, world.clock().Now());
  ASSERT_TRUE(health.probe_at.has_value());
  EXPECT_GE(*health.probe_at, world.clock().Now() + milliseconds(750));
  EXPECT_LE(*health.probe_at, world.clock().Now() + milliseconds(1'250));
}

}  // namespace
}  // namespace waystation::flow
