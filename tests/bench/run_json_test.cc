#include "bench/run_json.h"

#include <gtest/gtest.h>

#include "boost/json/array.hpp"
#include "boost/json/value.hpp"
#include "tests/bench/sample_run.h"

namespace waystation::bench {
namespace {

namespace json = boost::json;

TEST(RunJson, SaysWhatItIsAndWhatItWasMeasuredOn) {
  const json::value run = RunJson(SampleRun());
  EXPECT_EQ(run.at("kind"), "switchbench run");
  EXPECT_EQ(run.at("schema"), 1);
  EXPECT_EQ(run.at("profile"), "sample <1>");
  EXPECT_EQ(run.at("seed"), 42);
  EXPECT_EQ(run.at("started_at"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(run.at_pointer("/machine/cores"), 2);
  EXPECT_EQ(run.at_pointer("/load/seconds"), 10);
  EXPECT_EQ(run.at_pointer("/load/rate/0/per_second"), 150.0);
  EXPECT_EQ(run.at_pointer("/events/0/until_s"), 6.0);
}

TEST(RunJson, HasTheFiguresOfEachKind) {
  const json::value run = RunJson(SampleRun());
  EXPECT_EQ(run.at_pointer("/totals/completed"), 1'500);
  EXPECT_EQ(run.at_pointer("/kinds/pay/per_second"), 100.0);
  EXPECT_EQ(run.at_pointer("/kinds/pay/latency_us/max"), 40'000.0);
  EXPECT_EQ(run.at_pointer("/kinds/pay/results/SUCCEEDED"), 950);
  EXPECT_EQ(run.at_pointer("/kinds/pay/results/DECLINED NOT_SENT"), 50);
  EXPECT_EQ(run.at_pointer("/kinds/inquire/results/OK"), 500);
  EXPECT_EQ(run.at_pointer("/kinds/cancel/completed"), 0);
  EXPECT_EQ(run.at_pointer("/asked/kinds/pay"), 1'000);
  EXPECT_EQ(run.at_pointer("/asked/endings"), (json::object{{"91", 50}}));
  EXPECT_EQ(run.at_pointer("/kinds/pay/latency_curve").as_array().back(), (json::array{100.0, 40'000.0}));
  EXPECT_EQ(run.at("unexpected"), 0);
}

TEST(RunJson, EverySeriesHasAValueForEachInterval) {
  RunResult result = SampleRun();
  result.load.due.push_back(0);  // nothing came in the last one
  const json::value run = RunJson(result);
  EXPECT_EQ(run.at_pointer("/series/interval_s"), 1.0);
  for (const char* path : {"/series/due", "/series/kinds/pay/answered", "/series/kinds/pay/latency_us/p99",
                           "/series/kinds/pay/results/SUCCEEDED", "/series/kinds/pay/results/DECLINED NOT_SENT",
                           "/series/kinds/cancel/answered", "/series/kinds/cancel/latency_us/max"}) {
    EXPECT_EQ(run.at_pointer(path).as_array().size(), 11u) << path;
  }
  EXPECT_EQ(run.at_pointer("/series/kinds/pay/results/DECLINED NOT_SENT"),
            (json::array{0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(run.at_pointer("/series/kinds/pay/latency_us/p50/10").is_null());
  EXPECT_EQ(run.at_pointer("/series/in_flight/most").as_array().size(), 10u);
  EXPECT_EQ(run.at_pointer("/batches/9/legs_per_block"), 2.5);
}

TEST(RunJson, CountsWhatTheProfileDidNotExpect) {
  RunResult result = SampleRun();
  result.profile.expected = {{"UNKNOWN", "another"}};
  result.load.never_sent = 3;
  EXPECT_EQ(RunJson(result).at("unexpected"), 53);
}

}  // namespace
}  // namespace waystation::bench
