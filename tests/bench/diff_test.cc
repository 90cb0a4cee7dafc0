#include "bench/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report.h"
#include "bench/run_json.h"
#include "boost/json/array.hpp"
#include "tests/bench/sample_run.h"

namespace waystation::bench {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json::value SampleJson() {
  return RunJson(SampleRun());
}

json::value Compare(double pay, double p99_us) {
  json::array rounds;
  for (const double shift : {-10.0, 0.0, 500.0}) {
    rounds.push_back(json::object{{"pay_unary", json::object{{"latency_us", json::object{{"p99", p99_us + shift}}}}}});
  }
  return json::object{{"kind", kCompareKind},
                      {"schema", kCompareSchema},
                      {"machine", json::object{{"cores", 2}}},
                      {"stations", 1'000},
                      {"seconds", 10.0},
                      {"rates", json::object{{"echo_unary", 60'000.0}, {"pay_unary", pay}}},
                      {"ratios", json::object{{"pay_unary/echo_unary", pay / 60'000}}},
                      {"rounds", std::move(rounds)}};
}

const DiffLine& LineOf(const Diff& diff, const std::string& name) {
  for (const DiffLine& line : diff.lines) {
    if (line.name == name) return line;
  }
  ADD_FAILURE() << "no line " << name << " in\n" << DiffText(diff);
  static const DiffLine none;
  return none;
}

TEST(Diff, AResultIsTheSameAsItself) {
  const absl::StatusOr<Diff> diff = DiffResults(SampleJson(), SampleJson(), 0);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_THAT(diff->unlike, IsEmpty());
  EXPECT_FALSE(IsAnyWorse(*diff));
  for (const DiffLine& line : diff->lines) EXPECT_EQ(line.verdict, Verdict::kSame) << line.name;
  EXPECT_EQ(LineOf(*diff, "pay calls/s").new_value, 100);
  EXPECT_EQ(LineOf(*diff, "pay calls/s").ratio, 1);
}

TEST(Diff, MoreIsBetterOfRatesAndWorseOfLatencies) {
  json::value now = SampleJson();
  now.at("kinds").at("pay").at("per_second") = 110.0;
  now.at("kinds").at("pay").at("latency_us").at("p99") = 44'000.0;
  now.at("kinds").at("inquire").at("latency_us").at("p50") = 500.0;
  now.at("kinds").at("inquire").at("per_second") = 47.0;
  const absl::StatusOr<Diff> diff = DiffResults(SampleJson(), now, 0.05);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(LineOf(*diff, "pay calls/s").verdict, Verdict::kBetter);
  EXPECT_DOUBLE_EQ(LineOf(*diff, "pay calls/s").ratio, 1.1);
  EXPECT_EQ(LineOf(*diff, "pay p99, us").verdict, Verdict::kWorse);
  EXPECT_EQ(LineOf(*diff, "inquire p50, us").verdict, Verdict::kBetter);
  EXPECT_EQ(LineOf(*diff, "inquire calls/s").verdict, Verdict::kWorse);
  EXPECT_TRUE(IsAnyWorse(*diff));
  EXPECT_THAT(DiffText(*diff), HasSubstr("WORSE"));

  const absl::StatusOr<Diff> tolerant = DiffResults(SampleJson(), now, 0.11);
  EXPECT_FALSE(IsAnyWorse(*tolerant));
}

TEST(Diff, AnUnexpectedResultIsWorseThanNone) {
  json::value now = SampleJson();
  now.at("unexpected") = 1;
  const absl::StatusOr<Diff> diff = DiffResults(SampleJson(), now, 0.5);
  EXPECT_EQ(LineOf(*diff, "unexpected results").verdict, Verdict::kWorse);
}

TEST(Diff, OfCompareTakesRatesRatiosAndMediansOverTheRounds) {
  const absl::StatusOr<Diff> diff = DiffResults(Compare(30'000, 900), Compare(45'000, 600), 0.05);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(LineOf(*diff, "echo_unary per second").verdict, Verdict::kSame);
  EXPECT_DOUBLE_EQ(LineOf(*diff, "pay_unary per second").ratio, 1.5);
  EXPECT_EQ(LineOf(*diff, "pay_unary/echo_unary").verdict, Verdict::kBetter);
  EXPECT_EQ(LineOf(*diff, "pay_unary p99, us").old_value, 900);
  EXPECT_EQ(LineOf(*diff, "pay_unary p99, us").new_value, 600);
}

TEST(Diff, SaysWhereTheTwoWereNotMeasuredAlike) {
  json::value now = SampleJson();
  now.at("machine").at("cores") = 8;
  const absl::StatusOr<Diff> diff = DiffResults(SampleJson(), now, 0.05);
  ASSERT_EQ(diff->unlike.size(), 1u);
  EXPECT_THAT(diff->unlike[0], HasSubstr("machine: "));
  EXPECT_THAT(DiffText(*diff), HasSubstr("not measured alike: machine"));
}

TEST(Diff, OfCompareSaysSoToo) {
  json::value now = Compare(45'000, 600);
  now.at("machine").at("cores") = 8;
  now.at("stations") = 10;
  now.at("seconds") = 1.0;
  const absl::StatusOr<Diff> diff = DiffResults(Compare(45'000, 600), now, 0.05);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_THAT(diff->unlike, ElementsAre("machine: {\"cores\":2}, now {\"cores\":8}", "stations: 1000, now 10",
                                        "seconds: 1E1, now 1E0"));
}

TEST(Diff, NamesAFigureThatOnlyOneOfTheTwoHas) {
  json::value less = Compare(45'000, 600);
  less.at("rates").as_object().erase("echo_unary");
  less.at("ratios").as_object().erase("pay_unary/echo_unary");
  const absl::StatusOr<Diff> lost = DiffResults(Compare(45'000, 600), less, 0.05);
  ASSERT_TRUE(lost.ok()) << lost.status();
  EXPECT_THAT(lost->unlike,
              ElementsAre("echo_unary per second: 60000, now not there", "pay_unary/echo_unary: 0.75, now not there"));
  EXPECT_THAT(DiffText(*lost), HasSubstr("not measured alike: echo_unary per second"));
  const absl::StatusOr<Diff> won = DiffResults(less, Compare(45'000, 600), 0.05);
  EXPECT_THAT(won->unlike,
              ElementsAre("echo_unary per second: not there, now 60000", "pay_unary/echo_unary: not there, now 0.75"));
}

TEST(Diff, OfRowsTakesThePromisesToo) {
  const auto rows = [](double goodput, double p99_ms) {
    json::value result = Compare(45'000, 600);
    result.at("kind") = kRowsKind;
    result.as_object()["promises"] = {{"overload_goodput", {{"value", goodput}, {"at_least", 0.8}}},
                                      {"half_rate_p99_ms", {{"value", p99_ms}, {"at_most", 10}}}};
    return result;
  };
  const absl::StatusOr<Diff> diff = DiffResults(rows(0.9, 5), rows(0.8, 6), 0.05);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(LineOf(*diff, "overload_goodput").verdict, Verdict::kWorse);
  EXPECT_EQ(LineOf(*diff, "half_rate_p99_ms").verdict, Verdict::kWorse);
  EXPECT_EQ(LineOf(*diff, "pay_unary per second").verdict, Verdict::kSame);
}

TEST(Diff, RefusesWhatCannotBeCompared) {
  const auto fault = [](const json::value& before, const json::value& now) {
    const absl::StatusOr<Diff> diff = DiffResults(before, now, 0.05);
    EXPECT_TRUE(absl::IsInvalidArgument(diff.status()));
    return std::string(diff.status().message());
  };
  EXPECT_EQ(
      fault(SampleJson(), Compare(1, 1)),
      "the old result is a switchbench run of profile sample <1>, the new one a switchbench compare; expected two "
      "of the same");
  json::value other_profile = SampleJson();
  other_profile.at("profile") = "peak-hour";
  EXPECT_THAT(fault(SampleJson(), other_profile),
              HasSubstr("a switchbench run of profile peak-hour; expected two of the same"));
  json::value other_schema = SampleJson();
  other_schema.at("schema") = 2;
  EXPECT_EQ(
      fault(other_schema, SampleJson()),
      "the old result has schema 2, the new one schema 1; expected schema 1 in both: measure again with one build");
  EXPECT_THAT(fault(other_schema, other_schema), HasSubstr("expected schema 1 in both"));
  EXPECT_THAT(fault(json::array(), SampleJson()), HasSubstr("the old result: no JSON object"));
  EXPECT_THAT(fault(SampleJson(), json::object{{"legs", 5}}), HasSubstr("the new one: no \"kind\" in it"));
  EXPECT_THAT(fault(SampleJson(), json::object{{"kind", "weather"}}), HasSubstr("the new one: of kind \"weather\""));
  json::value wire = Compare(1, 1);
  wire.at("kind") = kWireKind;
  EXPECT_THAT(fault(wire, Compare(1, 1)), HasSubstr("the old result: of kind \"switchbench wire\""));
  json::value unnamed = Compare(1, 1);
  unnamed.as_object().erase("kind");
  EXPECT_THAT(fault(unnamed, Compare(1, 1)), HasSubstr("the old result: no \"kind\" in it"));
  json::value empty = Compare(1, 1);
  for (const char* key : {"rates", "ratios", "rounds"}) empty.as_object().erase(key);
  EXPECT_THAT(fault(empty, Compare(1, 1)), HasSubstr("no figure in common"));
}

TEST(Diff, NamesTheFileThatCannotBeRead) {
  EXPECT_EQ(DiffFiles("/nowhere/old.json", "/nowhere/new.json", 0.05).status().message(),
            "/nowhere/old.json: No such file or directory; expected a file that switchbench wrote with --json");
}

}  // namespace
}  // namespace waystation::bench
