// The screen of `switchctl top` from two looks.

#include "switch/ctl/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fmt/format.h"
#include "switch/ctl/table.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNow = 1'795'248'031'000;  // 2026-11-21 16:00:31 in China
constexpr size_t kBounds = 6;
constexpr uint64_t kBoundsUs[kBounds] = {64, 256, 1'024, 12'288, 49'152, 1'048'576};

// `counts[i]` values up to kBoundsUs[i], the last above them all.
void Set(v1::Histogram* histogram, const std::vector<uint64_t>& counts) {
  for (const uint64_t count : counts) histogram->add_counts(count);
}

void SetState(v1::Statistics& statistics, v1::PaymentState state, uint64_t count) {
  v1::StateCount& row = *statistics.add_payments();
  row.set_state(state);
  row.set_count(count);
}

void SetCalls(v1::Statistics& statistics, const char* method, int code, uint64_t count) {
  v1::CallCount& row = *statistics.add_calls();
  row.set_method(method);
  row.set_code(code);
  row.set_count(count);
}

void SetStage(v1::Statistics& statistics, v1::PaymentStage stage, const std::vector<uint64_t>& counts) {
  v1::StageLatency& row = *statistics.add_stages();
  row.set_stage(stage);
  Set(row.mutable_us(), counts);
}

void SetOpen(v1::Statistics& statistics, const char* biller, v1::PaymentState state,
             const std::vector<uint64_t>& by_age, int64_t oldest_ms) {
  v1::OpenPayments& row = *statistics.add_open_payments();
  row.set_biller_id(biller);
  row.set_state(state);
  for (const uint64_t count : by_age) row.add_by_age(count);
  row.set_oldest_since_ms(oldest_ms);
}

v1::LaneStatistics& AddLane(TopLook& look, const char* id, uint32_t max_in_flight) {
  v1::Biller& biller = *look.billers.add_billers();
  biller.set_biller_id(id);
  biller.set_max_in_flight(max_in_flight);
  biller.set_status(v1::BILLER_STATUS_ENABLED);
  v1::LaneStatistics& lane = *look.statistics.add_lanes();
  lane.set_biller_id(id);
  lane.mutable_lane()->set_breaker(v1::BREAKER_STATE_CLOSED);
  return lane;
}

TopLook Before() {
  TopLook look;
  look.at_ms = kNow - 2'000;
  v1::Statistics& s = look.statistics;
  s.set_started_at_ms(kNow - 11'522'000);
  s.set_uptime_us(11'520'000'000);
  for (const uint64_t bound : kBoundsUs) s.add_bucket_bounds(bound);
  SetState(s, v1::PAYMENT_STATE_HELD, 1'000'000);
  SetState(s, v1::PAYMENT_STATE_SUCCEEDED, 999'000);
  SetCalls(s, "PaymentService/Inquire", 0, 5'000);
  SetCalls(s, "PaymentService/Pay", 8, 70);
  SetStage(s, v1::PAYMENT_STAGE_QUEUE, {500, 0, 0, 0, 0, 0, 0});
  Set(s.mutable_commit_us(), {0, 50, 0, 0, 0, 0, 0});
  Set(s.mutable_block_legs(), {50, 0, 0, 0, 0, 0, 0});
  Set(AddLane(look, "gas", 500).mutable_payment_us(), {0, 0, 0, 9, 0, 0, 0});
  AddLane(look, "mobile", 2'000);
  return look;
}

// Two seconds later.
TopLook Now() {
  TopLook look;
  look.at_ms = kNow;
  v1::Statistics& s = look.statistics;
  s.set_started_at_ms(kNow - 11'522'000);
  s.set_uptime_us(11'522'000'000);
  s.set_in_progress(321);
  s.set_last_sequence(123'456'789);
  for (const uint64_t bound : kBoundsUs) s.add_bucket_bounds(bound);
  SetState(s, v1::PAYMENT_STATE_HELD, 1'024'690);
  SetState(s, v1::PAYMENT_STATE_SUCCEEDED, 1'023'600);
  SetState(s, v1::PAYMENT_STATE_DECLINED, 80);
  SetState(s, v1::PAYMENT_STATE_UNKNOWN, 5);
  SetCalls(s, "PaymentService/Inquire", 0, 9'690);
  SetCalls(s, "PaymentService/Pay", 8, 94);
  SetCalls(s, "PaymentService/Pay", 14, 2);
  SetStage(s, v1::PAYMENT_STAGE_QUEUE, {600, 0, 0, 0, 0, 0, 0});
  SetStage(s, v1::PAYMENT_STAGE_COMMIT, {0, 10, 80, 10, 0, 0, 0});
  SetStage(s, v1::PAYMENT_STAGE_BILLER, {0, 0, 0, 98, 2, 0, 0});
  SetStage(s, v1::PAYMENT_STAGE_TOTAL, {0, 0, 0, 97, 0, 0, 3});
  Set(s.mutable_commit_us(), {0, 150, 100, 0, 0, 0, 0});
  Set(s.mutable_block_legs(), {150, 100, 0, 0, 0, 0, 0});
  SetOpen(s, "gas", v1::PAYMENT_STATE_UNKNOWN, {3, 1, 0, 0, 0}, kNow - 130'000);
  SetOpen(s, "mobile", v1::PAYMENT_STATE_UNKNOWN, {1'204, 0, 0, 0, 0}, kNow - 40'000);
  SetOpen(s, "gas", v1::PAYMENT_STATE_REVIEW, {0, 0, 2, 0, 0}, kNow - 3'000'000);
  v1::LaneStatistics& gas = AddLane(look, "gas", 500);
  Set(gas.mutable_payment_us(), {0, 0, 0, 9, 4, 0, 0});
  gas.mutable_lane()->set_breaker(v1::BREAKER_STATE_OPEN);
  gas.mutable_lane()->set_out_of_service("no answers");
  gas.mutable_lane()->mutable_last_minute()->set_unknown(4);
  gas.mutable_lane()->mutable_last_minute()->set_refused(17);
  gas.mutable_lane()->mutable_last_error()->set_at_ms(kNow - 5'000);
  gas.mutable_lane()->mutable_last_error()->set_operation("pay");
  gas.mutable_lane()->mutable_last_error()->set_cause("no answer by the deadline");
  v1::LaneStatistics& mobile = AddLane(look, "mobile", 2'000);
  mobile.mutable_lane()->set_in_flight(310);
  mobile.mutable_lane()->mutable_last_minute()->set_approved(712'345);
  mobile.mutable_lane()->mutable_last_minute()->set_declined(2'400);
  look.status.mutable_disk()->set_free_bytes(uint64_t{40'123} << 20);
  return look;
}

std::string Text(const std::vector<TopLine>& lines) {
  std::string text;
  for (const TopLine& line : lines) text += line.text + "\n";
  return text;
}

TEST(TopScreenTest, RatesAndPercentilesAreOfTheTimeBetweenTheLooks) {
  EXPECT_EQ("\n" + Text(TopScreen(Before(), Now(), {.address = "127.0.0.1:7400", .columns = 80, .rows = 24})), R"(
waystation 127.0.0.1:7400  up 3h12m  2026-11-21 16:00:31
new payments: taken  in hand 321  leg 123,456,789  disk free 40,123 MB

a second        held succeeded  declined   unknown inquiries   refused  reversed
              12,345    12,300        40       2.5     2,345        13         0

ms             queue    commit    biller     total  a block's  legs of it
p50             0.06      1.02      12.3      12.3       0.26          64
p99             0.06      12.3      49.2    >1,049       1.02         256

open          < 1 min < 10 min    < 1 h  < 1 day   longer   oldest
UNKNOWN         1,207        1        .        .        .    2m10s
REVERSING           .        .        .        .        .        -
CANCELLING          .        .        .        .        .        -
REVIEW              .        .        2        .        .   50m00s

biller                   in flight waiting   ok/min declined unknown  p99 ms
gas           NO ANSWER      0/500       0        0        0       4    49.2
mobile       in service   310/2000       0  712,345    2,400       0       -

last error  gas, 5s ago, pay: no answer by the deadline
)");
}

// Whatever the window, no line is wider, nor are there more; the first is always there.
TEST(TopScreenTest, KeepsToItsWindow) {
  for (size_t columns = 1; columns < 200; ++columns) {
    for (const size_t rows : {1, 2, 5, 10, 18, 22, 24, 30}) {
      const std::vector<TopLine> lines =
          TopScreen(Before(), Now(), {.address = "127.0.0.1:7400", .columns = columns, .rows = rows});
      ASSERT_FALSE(lines.empty());
      ASSERT_LE(lines.size(), rows) << columns;
      for (const TopLine& line : lines) ASSERT_LE(DisplayWidth(line.text), std::max<size_t>(columns, 20)) << line.text;
    }
  }
}

TEST(TopScreenTest, AWiderWindowShowsMore) {
  const std::string wide = Text(TopScreen(Before(), Now(), {.address = "127.0.0.1:7400", .columns = 120, .rows = 40}));
  EXPECT_THAT(wide, AllOf(HasSubstr("cancelled"), HasSubstr("review"), HasSubstr("overdue"), HasSubstr("not sent")));
}

TEST(TopScreenTest, LanesInTroubleComeFirstUnlessByName) {
  TopLook now = Now();
  const auto order = [&now](bool by_name) {
    const std::string text = Text(TopScreen(Before(), now, {.columns = 80, .rows = 40, .lanes_by_name = by_name}));
    return text.find("\nmobile ") < text.find("\ngas ");
  };
  EXPECT_FALSE(order(false)) << "gas is out of service";
  now.statistics.mutable_lanes(0)->mutable_lane()->set_breaker(v1::BREAKER_STATE_CLOSED);
  now.statistics.mutable_lanes(0)->mutable_lane()->clear_out_of_service();
  now.statistics.mutable_lanes(1)->mutable_lane()->set_breaker(v1::BREAKER_STATE_HALF_OPEN);
  EXPECT_TRUE(order(false));
  EXPECT_FALSE(order(true));
}

TEST(TopScreenTest, WhatIsWrongIsMarked) {
  TopLook now = Now();
  std::vector<std::string> marked;
  const auto look_for = [&marked](const std::vector<TopLine>& lines) {
    marked.clear();
    for (const TopLine& line : lines) {
      if (line.look == TopLine::Look::kTrouble) marked.push_back(line.text.substr(0, line.text.find(' ')));
    }
  };
  look_for(TopScreen(Before(), now, {.columns = 80, .rows = 24}));
  EXPECT_THAT(marked, testing::ElementsAre("REVIEW", "gas"));
  now.status.mutable_disk()->set_low(true);
  now.statistics.mutable_open_payments(1)->set_by_age(2, 1);
  now.billers.mutable_billers(1)->set_status(v1::BILLER_STATUS_DISABLED);
  look_for(TopScreen(Before(), now, {.columns = 80, .rows = 24}));
  EXPECT_THAT(marked, testing::ElementsAre("new", "UNKNOWN", "REVIEW", "gas", "mobile"));
}

// Counts begin anew with the process: what they were before has nothing to do with them.
TEST(TopScreenTest, AfterARestartFiguresAreOfTheTimeSinceIt) {
  TopLook now = Now();
  now.statistics.set_started_at_ms(kNow - 1'000);
  now.statistics.set_uptime_us(1'000'000);
  const std::string text = Text(TopScreen(Before(), now, {.columns = 80, .rows = 24}));
  EXPECT_THAT(text, HasSubstr("1,024,690"));
}

TEST(TopScreenTest, ManyLanesAreCutWithAWord) {
  TopLook now = Now();
  for (int n = 0; n < 20; ++n) AddLane(now, fmt::format("biller-{:02}", n).c_str(), 10);
  const std::vector<TopLine> lines = TopScreen(Before(), now, {.columns = 80, .rows = 24});
  EXPECT_EQ(lines.size(), 24U);
  EXPECT_EQ(lines.back().text, "... and 16 more");
}

TEST(TopScreenTest, ASwitchThatHasDoneNothingHasNoFigures) {
  TopLook look;
  look.at_ms = kNow;
  const std::string text = Text(TopScreen({}, look, {.columns = 80, .rows = 24}));
  EXPECT_THAT(text, AllOf(HasSubstr("up 0s"), Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

// What a biller says does not drive the terminal.
TEST(TopScreenTest, TextsOfBillersAreMadePrintable) {
  TopLook now = Now();
  now.statistics.mutable_lanes(0)->mutable_lane()->mutable_last_error()->set_cause("a\x1b[2J\nb");
  const std::string text = Text(TopScreen(Before(), now, {.columns = 80, .rows = 0}));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), HasSubstr("a?[2J?b")));
}

}  // namespace
}  // namespace waystation::ctl
