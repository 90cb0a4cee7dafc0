// The breaker's states, event by event.

#include "switch/flow/circuit_breaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/core/text_table.h"

namespace waystation::flow {
namespace {

using Asked = CircuitBreaker::Asked;
using State = CircuitBreaker::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

const BreakerPolicy kPolicy{.consecutive_failures = 3,
                            .failure_percent = 50,
                            .least_requests = 6,
                            .window = seconds(10),
                            .shortest_trouble = seconds(0),
                            .probe_after = milliseconds(1'000),
                            .longest_probe_interval = milliseconds(3'000)};

std::string Name(State state) {
  switch (state) {
    case State::kClosed: return "CLOSED";
    case State::kOpen: return "OPEN";
    case State::kHalfOpen: return "HALF_OPEN";
  }
  return "";
}

core::SteadyTime At(int second) {
  return core::SteadyTime() + seconds(second);
}

// "second event [times]": ok and fail are of payments sent in the present state, "old ok" and "old fail" of the state
// before, "inquiry ok" and "inquiry fail" of inquiries; "probed" and "not probed" are the biller's answer to a probe.
void Play(std::string_view text, const BreakerPolicy& policy = kPolicy) {
  CircuitBreaker breaker(policy, 1);
  int row = 0;
  for (const std::vector<std::string>& cells : core::ParseTextTable(text)) {
    SCOPED_TRACE("row " + std::to_string(++row));
    const core::SteadyTime now = At(std::stoi(cells[0]));
    const std::string& event = cells[1];
    const bool is_old = event.starts_with("old ");
    const bool is_inquiry = event.starts_with("inquiry ");
    const Asked asked = is_inquiry ? Asked::kInquiry : Asked::kPayment;
    const std::string what = is_old || is_inquiry ? event.substr(event.find(' ') + 1) : event;
    for (int i = 0; i < std::stoi(cells[2]); ++i) {
      const State before = breaker.state();
      const uint64_t epoch_before = breaker.epoch();
      const uint64_t epoch = epoch_before - (is_old ? 1 : 0);
      bool changed = false;
      if (what == "ok") changed = breaker.OnSuccess(asked, epoch, now);
      if (what == "fail") changed = breaker.OnFailure(asked, epoch, now);
      if (what == "probed") changed = breaker.OnProbe(true, now);
      if (what == "not probed") changed = breaker.OnProbe(false, now);
      EXPECT_EQ(changed, breaker.state() != before);
      EXPECT_EQ(changed, breaker.epoch() != epoch_before);
    }
    EXPECT_EQ(Name(breaker.state()), cells[3]);
    EXPECT_EQ(breaker.probe_at().has_value(), breaker.state() == State::kOpen);
  }
  EXPECT_GT(row, 0);
}

TEST(CircuitBreakerTest, FailuresInARowOpenIt) {
  Play(R"(
    | 0 | fail | 2 | CLOSED |
    | 0 | ok   | 1 | CLOSED |
    | 0 | fail | 2 | CLOSED |
    | 0 | fail | 1 | OPEN   |
    | 0 | fail | 9 | OPEN   |
    | 0 | ok   | 9 | OPEN   |
  )");
}

TEST(CircuitBreakerTest, TheShareOfFailuresOpensItOnceThereAreEnoughRequests) {
  Play(R"(
    | 0 | fail | 2 | CLOSED |
    | 1 | ok   | 1 | CLOSED |
    | 2 | fail | 1 | CLOSED |
    | 2 | ok   | 1 | CLOSED |
    | 2 | fail | 1 | OPEN   |
  )");
  // Half of them is as many as may not be.
  Play(R"(
    | 0 | ok   | 4 | CLOSED |
    | 1 | fail | 2 | CLOSED |
    | 1 | ok   | 1 | CLOSED |
    | 1 | fail | 2 | CLOSED |
    | 1 | ok   | 1 | CLOSED |
    | 1 | fail | 2 | OPEN   |
  )");
}

TEST(CircuitBreakerTest, WhatFailsAtOnceIsOneEvent) {
  BreakerPolicy policy = kPolicy;
  policy.shortest_trouble = seconds(1);
  Play(R"(
    | 0 | fail | 10 | CLOSED |
    | 0 | ok   |  1 | CLOSED |
    | 2 | ok   | 12 | CLOSED |
    | 3 | fail |  1 | CLOSED |
  )",
       policy);
  // Nothing but failures, for a second.
  Play(R"(
    | 0 | fail | 10 | CLOSED |
    | 1 | fail |  1 | OPEN   |
  )",
       policy);
  // Half of all, for a second.
  Play(R"(
    | 0 | fail | 2 | CLOSED |
    | 0 | ok   | 2 | CLOSED |
    | 0 | fail | 2 | CLOSED |
    | 0 | ok   | 1 | CLOSED |
    | 1 | fail | 1 | OPEN   |
  )",
       policy);
  // What failed long ago says nothing of how long this has lasted.
  Play(R"(
    |  0 | fail | 1  | CLOSED |
    |  0 | ok   | 1  | CLOSED |
    | 20 | fail | 10 | CLOSED |
  )",
       policy);
}

TEST(CircuitBreakerTest, InquiriesAndPaymentsAreCountedApart) {
  // A few inquiries of many that fail, between payments that succeed.
  Play(R"(
    | 0 | inquiry ok   | 190 | CLOSED |
    | 0 | inquiry fail |   2 | CLOSED |
    | 0 | ok           |   1 | CLOSED |
    | 0 | inquiry ok   | 190 | CLOSED |
    | 1 | inquiry fail |   2 | CLOSED |
    | 1 | ok           |   1 | CLOSED |
  )");
  // At night, one in an hour.
  Play(R"(
    |     0 | inquiry fail | 1 | CLOSED |
    |     1 | inquiry ok   | 1 | CLOSED |
    |  3600 | inquiry fail | 1 | CLOSED |
    |  3601 | inquiry ok   | 1 | CLOSED |
    |  7200 | inquiry fail | 1 | CLOSED |
    | 10800 | inquiry fail | 1 | CLOSED |
  )");
  // Inquiries that are answered say nothing of payments, nor the other way round.
  Play(R"(
    | 0 | fail       | 2  | CLOSED |
    | 0 | inquiry ok | 50 | CLOSED |
    | 0 | fail       | 1  | OPEN   |
  )");
  Play(R"(
    | 0 | inquiry fail | 2  | CLOSED |
    | 0 | ok           | 50 | CLOSED |
    | 0 | inquiry fail | 1  | OPEN   |
  )");
}

TEST(CircuitBreakerTest, OnlyAPaymentClosesIt) {
  Play(R"(
    | 0 | fail         | 3 | OPEN      |
    | 1 | probed       | 1 | HALF_OPEN |
    | 1 | inquiry ok   | 9 | HALF_OPEN |
    | 1 | inquiry fail | 1 | OPEN      |
    | 2 | probed       | 1 | HALF_OPEN |
    | 2 | inquiry ok   | 9 | HALF_OPEN |
    | 2 | ok           | 1 | CLOSED    |
  )");
}

TEST(CircuitBreakerTest, WhatHasLeftTheWindowCountsNoMore) {
  Play(R"(
    |  0 | fail | 2 | CLOSED |
    |  0 | ok   | 1 | CLOSED |
    |  0 | fail | 1 | CLOSED |
    |  9 | ok   | 1 | CLOSED |
    | 10 | fail | 2 | CLOSED |
  )");
}

TEST(CircuitBreakerTest, AProbeThatIsAnsweredLetsItBeTriedAndASuccessClosesIt) {
  Play(R"(
    | 0 | fail       | 3 | OPEN      |
    | 1 | not probed | 1 | OPEN      |
    | 3 | probed     | 1 | HALF_OPEN |
    | 3 | ok         | 1 | CLOSED    |
    | 3 | fail       | 2 | CLOSED    |
    | 3 | fail       | 1 | OPEN      |
  )");
}

TEST(CircuitBreakerTest, AFailureWhileItIsTriedOpensItAgain) {
  Play(R"(
    | 0 | fail   | 3 | OPEN      |
    | 1 | probed | 1 | HALF_OPEN |
    | 1 | fail   | 1 | OPEN      |
    | 2 | probed | 1 | HALF_OPEN |
    | 2 | ok     | 1 | CLOSED    |
  )");
}

TEST(CircuitBreakerTest, WhatWasSentBeforeSaysNothingOfTheStateAfter) {
  Play(R"(
    | 0 | fail     | 3 | OPEN      |
    | 1 | probed   | 1 | HALF_OPEN |
    | 1 | old fail | 9 | HALF_OPEN |
    | 1 | old ok   | 9 | HALF_OPEN |
    | 1 | ok       | 1 | CLOSED    |
    | 1 | old fail | 9 | CLOSED    |
    | 1 | fail     | 2 | CLOSED    |
    | 1 | old ok   | 9 | CLOSED    |
    | 1 | fail     | 1 | OPEN      |
  )");
}

TEST(CircuitBreakerTest, AnAnswerToAProbeThatNobodyWaitsForChangesNothing) {
  Play(R"(
    | 0 | probed     | 1 | CLOSED    |
    | 0 | not probed | 1 | CLOSED    |
    | 0 | fail       | 3 | OPEN      |
    | 1 | probed     | 1 | HALF_OPEN |
    | 1 | not probed | 1 | HALF_OPEN |
  )");
}

// From one probe to the next, in ms.
std::vector<int64_t> Intervals(CircuitBreaker* breaker, core::SteadyTime from, int count) {
  std::vector<int64_t> intervals;
  for (int i = 0; i < count; ++i) {
    const core::SteadyTime at = *breaker->probe_at();
    intervals.push_back(std::chrono::duration_cast<milliseconds>(at - from).count());
    breaker->OnProbe(false, at);
    from = at;
  }
  return intervals;
}

TEST(CircuitBreakerTest, ProbesComeAtGrowingIntervalsThatDifferByTheSeed) {
  std::vector<std::vector<int64_t>> seen;
  for (const uint64_t seed : {1, 2, 3}) {
    CircuitBreaker breaker(kPolicy, seed);
    for (int i = 0; i < 3; ++i) breaker.OnFailure(Asked::kPayment, 0, At(0));
    seen.push_back(Intervals(&breaker, At(0), 4));
    const int64_t nominal[] = {1'000, 2'000, 3'000, 3'000};
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_GE(seen.back()[i], nominal[i] * 3 / 4);
      EXPECT_LE(seen.back()[i], std::min<int64_t>(nominal[i] * 5 / 4, 3'000)) << "the longest is the longest";
    }
  }
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_NE(seen[1], seen[2]);
}

TEST(CircuitBreakerTest, OnlyASuccessMakesTheIntervalsShortAgain) {
  CircuitBreaker breaker(kPolicy, 1);
  for (int i = 0; i < 3; ++i) breaker.OnFailure(Asked::kPayment, breaker.epoch(), At(0));
  Intervals(&breaker, At(0), 2);
  ASSERT_TRUE(breaker.OnProbe(true, At(60)));
  ASSERT_TRUE(breaker.OnFailure(Asked::kPayment, breaker.epoch(), At(60)));
  EXPECT_GE(Intervals(&breaker, At(60), 1).front(), 2'250);
  ASSERT_TRUE(breaker.OnProbe(true, At(90)));
  ASSERT_TRUE(breaker.OnSuccess(Asked::kPayment, breaker.epoch(), At(90)));
  for (int i = 0; i < 3; ++i) breaker.OnFailure(Asked::kPayment, breaker.epoch(), At(100));
  EXPECT_LE(Intervals(&breaker, At(100), 1).front(), 1'250);
}

}  // namespace
}  // namespace waystation::flow
