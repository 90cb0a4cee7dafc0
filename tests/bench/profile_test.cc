#include "bench/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace waystation::bench {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr char kProfile[] = R"(name: small
description: as small as can be
load:
  seconds: 60
  in_flight: 100
  rate:
    - {at_s: 0, per_second: 10}
    - {at_s: 30, per_second: 100}
mix: {inquire: 3, pay: 6, get_account: 1}
stations: {count: 20, zipf: 0.75}
billers:
  - id: mobile
    sandbox: mobile
    parts: 4
    latency_ms: 5
    latency_ms_p99: 50
    time_limit_ms: 900
    endings_percent: {"90": 0.5, "95": 2}
  - id: gas
    sandbox: gas
outages:
  - {biller: mobile, from_s: 10, until_s: 20, ending: 96}
day_cut: {at_s: 40}
expected:
  UNKNOWN: the outage
)";

// The profile with one line of it in another form.
std::string With(std::string_view line, std::string_view instead) {
  std::string text = kProfile;
  const size_t at = text.find(line);
  EXPECT_NE(at, text.npos) << line;
  return text.replace(at, line.size(), instead);
}

std::string Fault(const std::string& text) {
  const absl::StatusOr<Profile> profile = ParseProfile("p.yaml", text);
  EXPECT_TRUE(absl::IsInvalidArgument(profile.status())) << profile.status();
  return std::string(profile.status().message());
}

TEST(Profile, IsReadWholly) {
  const absl::StatusOr<Profile> profile = ParseProfile("p.yaml", kProfile);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->name, "small");
  EXPECT_EQ(profile->description, "as small as can be");
  EXPECT_EQ(profile->measured, seconds(60));
  EXPECT_EQ(profile->warm_up, seconds(2));
  EXPECT_EQ(profile->in_flight, 100u);
  EXPECT_EQ(profile->channels, 2u);
  EXPECT_EQ(profile->threads, 2u);
  ASSERT_EQ(profile->curve.size(), 2u);
  EXPECT_EQ(profile->curve[1].at, seconds(30));
  EXPECT_EQ(profile->curve[1].per_second, 100);
  EXPECT_EQ(profile->parts, (std::array<uint32_t, kCallKinds>{3, 6, 0, 1}));
  EXPECT_EQ(profile->stations, 20u);
  EXPECT_EQ(profile->first_station, 990'000'000'001u);
  EXPECT_DOUBLE_EQ(profile->zipf_theta, 0.75);
  ASSERT_EQ(profile->billers.size(), 2u);
  EXPECT_EQ(profile->billers[0].parts, 4u);
  EXPECT_EQ(profile->billers[0].latency_ms_p99, 50u);
  ASSERT_EQ(profile->billers[0].endings.size(), 2u);
  EXPECT_EQ(profile->billers[0].endings[1].ending, 95);
  EXPECT_DOUBLE_EQ(profile->billers[0].endings[1].probability, 0.02);
  EXPECT_EQ(profile->billers[1].parts, 1u);
  EXPECT_EQ(profile->billers[1].latency_ms_p99, 0u);
  ASSERT_EQ(profile->outages.size(), 1u);
  EXPECT_EQ(profile->outages[0].biller, 0u);
  EXPECT_EQ(profile->outages[0].until, seconds(20));
  EXPECT_EQ(profile->outages[0].ending, 96);
  EXPECT_EQ(profile->day_cut_at, seconds(40));
  EXPECT_EQ(profile->expected.at("UNKNOWN"), "the outage");
}

TEST(Profile, UnknownKeysAreRefusedByNameAndLine) {
  EXPECT_THAT(Fault(With("description:", "descriptoin:")), HasSubstr("p.yaml:2: descriptoin: unknown key; expected"));
  EXPECT_THAT(Fault(With("in_flight: 100", "inflight: 100")), HasSubstr("p.yaml:5: load.inflight: unknown key"));
  EXPECT_THAT(Fault(With("parts: 4", "part: 4")), HasSubstr("p.yaml:14: billers[0].part: unknown key"));
}

TEST(Profile, ValuesOutOfRangeAreNamedWithWhatWasExpected) {
  EXPECT_EQ(Fault(With("seconds: 60", "seconds: 541")),
            "p.yaml:4: load.seconds: 541 is out of range; expected 1 .. 540");
  EXPECT_EQ(Fault(With("at_s: 30", "at_s: 61")), "p.yaml:8: load.rate[1].at_s: 61 is out of range; expected 0 .. 60");
  EXPECT_EQ(Fault(With("at_s: 30", "at_s: 0")), "p.yaml:8: load.rate[1].at_s: 0 is not after the point before it, 0");
  EXPECT_EQ(Fault(With("per_second: 10}", "per_second: 0}")),
            "p.yaml:7: load.rate[0].per_second: 0 is out of range; expected 1 .. 1000000");
  EXPECT_EQ(Fault(With("in_flight: 100", "in_flight: many")),
            "p.yaml:5: load.in_flight: \"many\" is not a whole number; expected 0 .. 4294967295");
  EXPECT_EQ(Fault(With("zipf: 0.75", "zipf: 6")), "p.yaml:10: stations.zipf: 6 is out of range; expected 0.01 .. 5");
  EXPECT_EQ(Fault(With("zipf: 0.75", "zipf: nan")),
            "p.yaml:10: stations.zipf: nan is out of range; expected 0.01 .. 5");
  EXPECT_EQ(Fault(With("latency_ms_p99: 50", "latency_ms_p99: 4")),
            "p.yaml:16: billers[0].latency_ms_p99: 4 is out of range; expected 5 .. 60000");
  EXPECT_EQ(Fault(With("\"95\": 2", "\"95\": 99.6")),
            "p.yaml:18: billers[0].endings_percent: 100.1 percent in all; expected at most 100");
  EXPECT_THAT(Fault(With("\"95\": 2", "95a: 2")), HasSubstr("billers[0].endings_percent.95a: not two digits"));
  EXPECT_EQ(Fault(With("until_s: 20", "until_s: 10")),
            "p.yaml:22: outages[0].until_s: 10 is out of range; expected 11 .. 60");
  EXPECT_EQ(Fault(With("day_cut: {at_s: 40}", "day_cut: {at_s: 61}")),
            "p.yaml:23: day_cut.at_s: 61 is out of range; expected 0 .. 60");
}

TEST(Profile, WhatIsMissingIsNamed) {
  EXPECT_EQ(Fault(With("name: small\n", "")), "p.yaml: name: missing; expected a text");
  EXPECT_EQ(Fault(With("  in_flight: 100\n", "")), "p.yaml:3: load.in_flight: missing; expected 1 .. 100000");
  EXPECT_EQ(Fault(With("mix: {inquire: 3, pay: 6, get_account: 1}\n", "")),
            "p.yaml: mix: nothing in it; expected parts of inquire, pay, cancel or get_account");
  EXPECT_EQ(Fault(With("day_cut: {at_s: 40}", "day_cut: {}")), "p.yaml:23: day_cut.at_s: missing; expected 0 .. 60");
}

TEST(Profile, WhatDoesNotFitTogetherIsRefused) {
  EXPECT_THAT(Fault(With("pay: 6", "cancel: 6")), HasSubstr("mix.cancel: without mix.pay there is nothing to cancel"));
  EXPECT_THAT(Fault(With("- id: gas", "- id: mobile")), HasSubstr("billers[1].id: is there twice"));
  EXPECT_THAT(Fault(With("sandbox: gas", "sandbox: water")),
              HasSubstr("billers[1].sandbox: \"water\" is not known; expected one of mobile, electricity, gas"));
  EXPECT_THAT(Fault(With("biller: mobile", "biller: water")),
              HasSubstr("outages[0].biller: \"water\" is not among the billers"));
  EXPECT_THAT(Fault(With("biller: mobile", "biller: gas")), HasSubstr("outages[0].biller: gas is paid by bills"));
  EXPECT_THAT(Fault(With("ending: 96}\n", "ending: 96}\n  - {biller: mobile, from_s: 19, until_s: 21, ending: 91}\n")),
              HasSubstr("outages[1]: overlaps with another outage of the same biller"));
  EXPECT_THAT(Fault(With("UNKNOWN: the outage", "UNKOWN: the outage")), HasSubstr("expected.UNKOWN: no result"));
}

TEST(Profile, TheFilesThatComeWithItAreReadAndTheirSwitchHasTheirBillers) {
  for (const char* name : {"peak-hour", "short"}) {
    const absl::StatusOr<Profile> profile =
        ReadProfile(std::string(WS_SOURCE_DIR) + "/bench/profiles/" + name + ".yaml");
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(profile->name, name);
    const std::string configuration = SwitchConfiguration(*profile);
    for (const ProfileBiller& biller : profile->billers) {
      EXPECT_THAT(configuration, HasSubstr("  - id: " + biller.id + "\n"));
    }
  }
  const absl::Status missing = ReadProfile("/nowhere/p.yaml").status();
  EXPECT_EQ(missing.message(),
            "/nowhere/p.yaml: No such file or directory; expected a profile, such as bench/profiles/peak-hour.yaml");
}

}  // namespace
}  // namespace waystation::bench
