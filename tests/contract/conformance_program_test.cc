#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/payment.h"
#include "tests/contract/water_company.h"
#include "tests/e2e/child.h"

// adapter_conformance as an integrator runs it, and the worked example as a process.
namespace waystation::adapters {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class ConformanceProgram : public testing::Test {
 protected:
  std::string File(const std::string& name) const { return folder_->path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name)) << text;
    return File(name);
  }
  e2e::Ended Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "adapter_conformance");
    return e2e::RunToEnd(std::move(arguments), File("errors"));
  }

  const std::unique_ptr<bench::TemporaryFolder> folder_ = *bench::TemporaryFolder::Make(bench::DefaultParentFolder());
};

TEST_F(ConformanceProgram, TheWorkedExamplePassesItAsAProcess) {
  WaterCompany company;
  company.Kill();
  company.StartForEver();
  const e2e::Ended ended = Run({"--target", company.address(), "--scenario", ScenarioFile(), "--effects",
                                company.EffectsCommand(), "--restart", company.RestartCommand()});
  EXPECT_EQ(ended.exit_status, 0) << ended.output << ended.errors;
  EXPECT_THAT(ended.output, StartsWith(company.address() + ": payment ids from "));
  // What the switch's side of it does is not the process's.
  EXPECT_THAT(ended.output, HasSubstr("NothingIsSentOnceTheDeadlineHasPassed             not applicable"));
  EXPECT_THAT(ended.output, testing::EndsWith("\n24 passed, 0 failed, 1 not applicable\n"));
}

TEST_F(ConformanceProgram, BooksInMemoryDoNotSurviveTheRestart) {
  WaterCompany company(":memory:");
  company.Kill();
  company.StartForEver();
  const std::vector<std::string> checks = {
      "--target", company.address(),         "--scenario", ScenarioFile(),
      "--check",  "SameIdTwiceHasOneEffect", "--check",    "QueryAgreesWithThePaymentAlsoAfterARestart"};
  const e2e::Ended unrestarted = Run(checks);
  EXPECT_EQ(unrestarted.exit_status, 0) << unrestarted.output;
  EXPECT_THAT(unrestarted.output, HasSubstr("passed: the process was not restarted; --restart does that\n"));
  std::vector<std::string> with_restart = checks;
  with_restart.insert(with_restart.end(), {"--restart", company.RestartCommand()});
  const e2e::Ended ended = Run(with_restart);
  EXPECT_EQ(ended.exit_status, 1) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("the same payment id again after a restart: "));
  EXPECT_THAT(ended.output, HasSubstr("Query after a restart: never received"));
}

TEST_F(ConformanceProgram, WritesTheCardThatTheConfigurationNames) {
  const WaterCompany company;
  const e2e::Ended ended = Run({"--target", company.address(), "--write-card", File("card")});
  EXPECT_EQ(ended.exit_status, 0) << ended.errors;
  const std::string written = ReadAll(File("card"));
  const std::string kept = ReadAll(CardFile());
  EXPECT_EQ(written.substr(written.find("service:")), kept.substr(kept.find("service:")));
}

TEST_F(ConformanceProgram, AScenarioMayNameItsAdapter) {
  const e2e::Ended ended = Run({"--scenario", SandboxScenarioFile(), "--check", "CardHoldsTogether"});
  EXPECT_EQ(ended.exit_status, 0) << ended.errors;
  EXPECT_THAT(ended.output, StartsWith("sandbox: payment ids from "));
}

TEST_F(ConformanceProgram, AFaultIsExitStatusOne) {
  // The ending 94 of the sandbox: nothing about it is ever known.
  const e2e::Ended ended = Run({"--target", "sandbox", "--settings", "profile=electricity", "--scenario",
                                Write("scenario", "stateless\ngood 1234567894\n")});
  EXPECT_EQ(ended.exit_status, 1) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("FAILED: Pay of 1234567894: unknown"));
  EXPECT_THAT(ended.output, HasSubstr("not applicable: the scenario has no customer: late"));
}

TEST_F(ConformanceProgram, WhatCantBeRunIsExitStatusTwo) {
  const std::string scenario = Write("scenario", "good 1\n");
  const auto fault = [this](std::vector<std::string> arguments) {
    const e2e::Ended ended = Run(std::move(arguments));
    EXPECT_EQ(ended.exit_status, 2) << ended.output;
    return ended.errors;
  };
  EXPECT_THAT(fault({"--target", "sandbx", "--scenario", scenario}),
              StartsWith("adapter_conformance: --target: \"sandbx\" is neither an address, HOST:PORT, nor one of "));
  EXPECT_THAT(fault({"--target", "sandbox"}), HasSubstr("--scenario is missing"));
  EXPECT_THAT(fault({"--target", "sandbox", "--scenario", File("none")}), HasSubstr("can't be read"));
  EXPECT_THAT(fault({"--target", "sandbox", "--scenario", Write("bad", "good\n")}), HasSubstr("bad: line 1: "));
  EXPECT_THAT(fault({"--target", "127.0.0.1:1", "--scenario", scenario}), HasSubstr("did not describe itself"));
  EXPECT_THAT(fault({"--scenario", scenario}), HasSubstr("--target is missing, and the scenario has no line: "));
  EXPECT_THAT(fault({"--target", "sandbox", "--scenaro", scenario}), HasSubstr("--scenaro"));
  EXPECT_THAT(fault({"--target", "sandbox", "--scenario", scenario, "--check", "Everything"}),
              HasSubstr("--check: \"Everything\" is not known; expected one of CardHoldsTogether, "));
}

TEST(WaterCompanyProcess, OneIdHasOneEffectOverAKill) {
  WaterCompany company;
  const auto made = Create("remote", {{"address", company.address()}, {"card_file", CardFile()}}, {});
  ASSERT_TRUE(made.ok()) << made.status();
  const PaymentRequest request = MakePayment(41, "100000001", core::Money::Fen(900'000));
  const auto pay = [&] { return Text(Await((*made)->Pay(request, In(std::chrono::seconds(5))))); };
  const std::string paid = pay();
  EXPECT_THAT(paid, StartsWith("approved reference W00000000000000000041 "));
  company.Kill();
  company.Start();
  const Deadline give_up = In(std::chrono::seconds(20));
  std::string again = pay();
  // The switch has to find out that the process is there again.
  while (again.starts_with("not sent") && std::chrono::steady_clock::now() < give_up) again = pay();
  EXPECT_EQ(again, paid);
  EXPECT_EQ(*company.Effects(request.payment_id), 1);
}

}  // namespace
}  // namespace waystation::adapters
