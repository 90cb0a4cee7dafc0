#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "adapters/sandbox/answers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/payment.h"

namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;

std::string Fault(const Settings& settings) {
  const auto created = Create("sandbox", settings, {});
  EXPECT_TRUE(absl::IsInvalidArgument(created.status())) << created.status();
  return std::string(created.status().message());
}

std::unique_ptr<BillerAdapter> Make(const Settings& settings) {
  auto created = Create("sandbox", settings, {});
  EXPECT_TRUE(created.ok()) << created.status();
  return *std::move(created);
}

TEST(Registry, NamesWhatItKnows) {
  EXPECT_THAT(AdapterNames(), testing::Contains("sandbox"));
  const auto created = Create("sandbx", {}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(created.status()));
  EXPECT_THAT(std::string(created.status().message()),
              testing::AllOf(testing::StartsWith("adapter: \"sandbx\" is not known; expected one of "),
                             testing::HasSubstr("sandbox")));
}

TEST(SandboxSettings, FaultsNameTheSetting) {
  EXPECT_EQ(Fault({}), "settings.profile: missing; expected one of mobile, electricity, gas");
  EXPECT_EQ(Fault({{"profile", "water"}}),
            "settings.profile: \"water\" is not known; expected one of mobile, electricity, gas");
  EXPECT_EQ(Fault({{"profile", "gas"}, {"latency", "5"}}),
            "settings.latency: unknown setting; expected one of profile, latency_ms, latency_ms_p99");
  const std::string expected = "; expected 0 .. 60000";
  EXPECT_EQ(Fault({{"profile", "gas"}, {"latency_ms", "60001"}}),
            "settings.latency_ms: 60001 is out of range" + expected);
  for (const std::string value : {"", "5 ms", "-1", "0x10", " 5", "1e3", "99999999999999999999"}) {
    EXPECT_EQ(Fault({{"profile", "gas"}, {"latency_ms", value}}),
              "settings.latency_ms: \"" + value + "\" is not a whole number" + expected);
  }
}

TEST(SandboxSettings, TheP99OfTheLatencyIsNotBelowItsMedian) {
  EXPECT_EQ(Fault({{"profile", "gas"}, {"latency_ms", "20"}, {"latency_ms_p99", "19"}}),
            "settings.latency_ms_p99: 19 is out of range; expected 20 .. 60000");
  // Nothing is spread around zero.
  EXPECT_EQ(Fault({{"profile", "gas"}, {"latency_ms_p99", "5"}}),
            "settings.latency_ms_p99: 5 is out of range; expected 0 .. 0");
}

TEST(SandboxSettings, OverridesAreInTheCard) {
  const auto biller = Create("sandbox", {{"profile", "mobile"}}, {.most = core::Money::Fen(30'000)});
  ASSERT_TRUE(biller.ok()) << biller.status();
  EXPECT_EQ((*biller)->card().most, core::Money::Fen(30'000));
  EXPECT_EQ((*biller)->card().least, core::Money::Fen(2'000));

  const auto broken = Create("sandbox", {{"profile", "mobile"}}, {.most = core::Money::Fen(1'999)});
  EXPECT_EQ(broken.status().message(), "card.most_fen: 1999 is out of range; expected 2000 .. 10000000000");
}

TEST(SandboxSettings, LatencyIsTakenByEveryOperation) {
  const auto biller = Make({{"profile", "mobile"}, {"latency_ms", "30"}});
  const PaymentRequest request = MakePayment(7, "13800138000", core::Money::Fen(5'000));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Kind(Await(biller->Inquire({request.station, request.customer_number}, In(milliseconds(5'000))))), "found");
  EXPECT_EQ(Kind(Await(biller->Pay(request, In(milliseconds(5'000))))), "approved");
  EXPECT_EQ(Kind(Await(biller->Query(request, In(milliseconds(5'000))))), "approved");
  EXPECT_EQ(Kind(Await(biller->Reverse(request, In(milliseconds(5'000))))), "taken back");
  EXPECT_EQ(Kind(Await(biller->Cancel(request, In(milliseconds(5'000))))), "taken back");
  EXPECT_TRUE(Await(biller->Probe(In(milliseconds(5'000)))));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(180));
}

TEST(SandboxAnswers, TakeALogNormalTimeByCustomerNumber) {
  std::vector<std::chrono::microseconds> times;
  for (int number = 0; number < 20'000; ++number) {
    times.push_back(sandbox::AnswerTime(fmt::format("138{:08}", number), milliseconds(10), milliseconds(100)));
  }
  EXPECT_EQ(sandbox::AnswerTime("13800000007", milliseconds(10), milliseconds(100)), times[7]);
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) { return static_cast<double>(times[static_cast<size_t>(part * 20'000)].count()); };
  EXPECT_NEAR(at(0.5), 10'000, 500);
  EXPECT_NEAR(at(0.99), 100'000, 15'000);
  EXPECT_NEAR(at(0.01), 1'000, 150);
  EXPECT_EQ(sandbox::AnswerTime("13800000007", milliseconds(10), milliseconds(10)), milliseconds(10));
  EXPECT_EQ(sandbox::AnswerTime("13800000007", milliseconds(0), milliseconds(0)), milliseconds(0));
}

// What stands here was answered by an earlier build; a journal may hold it.
TEST(SandboxAnswers, AreTheSameInEveryBuild) {
  EXPECT_EQ(sandbox::Mix(1), 0xb456bcfc34c2cb2cu);
  EXPECT_EQ(sandbox::MaskedName("13800138000"), "周**");
  EXPECT_EQ(core::FormatYuan(sandbox::AmountOwed("12345600")), "175.15");
  EXPECT_EQ(sandbox::BillerReference('M', core::PaymentId::FromNumber(42)), "M09297814886316923340");
  EXPECT_EQ(sandbox::Voucher("1234567800", core::PaymentId::FromNumber(42)), "92791635353521787853");
}

TEST(SandboxAnswers, AmountsOwedArePlausible) {
  for (int number = 0; number < 10'000; ++number) {
    const core::Money owed = sandbox::AmountOwed(fmt::format("{:08}", number));
    EXPECT_GE(owed, core::Money::Fen(100));
    EXPECT_LE(owed, core::Money::Fen(30'000));
  }
}

TEST(SandboxAnswers, GasTakesOnlyWhatIsOwed) {
  const auto biller = Make({{"profile", "gas"}});
  const core::Money owed = sandbox::AmountOwed("12345600");
  PaymentRequest request = MakePayment(7, "12345600", owed + core::Money::Fen(1));
  EXPECT_EQ(Kind(Await(biller->Pay(request, In(milliseconds(5'000))))), "declined 13");
  EXPECT_EQ(Kind(Await(biller->Query(request, In(milliseconds(5'000))))), "declined 13");
  request.amount = owed;
  EXPECT_EQ(Kind(Await(biller->Pay(request, In(milliseconds(5'000))))), "approved");
}

}  // namespace
}  // namespace waystation::adapters
