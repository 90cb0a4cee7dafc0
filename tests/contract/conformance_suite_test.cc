#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/conformance/suite.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/book_biller.h"

// The suite is tested itself: a biller without fault passes it all, and each planted fault fails the checks that are
// there to find it.
namespace waystation::adapters::conformance {
namespace {

using Names = std::set<std::string_view>;

Names Failed(const std::vector<Result>& results) {
  Names failed;
  for (const Result& result : results) {
    if (result.verdict == Verdict::kFailed) failed.insert(result.check);
  }
  return failed;
}

TEST(ConformanceSuite, ABillerWithoutFaultPassesAllOfIt) {
  const std::vector<Result> results = RunAll(BookBillerTarget(Plant::kNothing));
  for (const Result& result : results) {
    const bool by_the_bill = result.check == "AnAmountThatIsNotOwedIsDeclined";
    EXPECT_EQ(result.verdict, by_the_bill ? Verdict::kNotApplicable : Verdict::kPassed)
        << result.check << ": " << result.detail;
  }
  EXPECT_THAT(Table(results), testing::EndsWith("\n21 passed, 0 failed, 1 not applicable\n"));
}

struct Planted {
  std::string label;
  Plant plant;
  // Checks that fail for it, and no others.
  Names found_by;
};

class ConformanceSuite : public testing::TestWithParam<Planted> {};

TEST_P(ConformanceSuite, FindsWhatIsPlanted) {
  EXPECT_EQ(Failed(RunAll(BookBillerTarget(GetParam().plant))), GetParam().found_by);
}

INSTANTIATE_TEST_SUITE_P(
    Planted, ConformanceSuite,
    testing::Values(
        Planted{"FreesOnATimeOut", Plant::kFreesOnATimeOut, {"SilenceIsUnknownAtTheDeadline"}},
        Planted{"DeclinesWhatWasLost", Plant::kDeclinesWhatWasLost, {"AnEffectWithoutAnAnswerIsUnknown"}},
        Planted{"DoublesTheEffect", Plant::kDoublesTheEffect, {"SameIdTwiceHasOneEffect"}},
        Planted{"DoublesInTheBooks", Plant::kDoublesInTheBooks, {"SameIdTwiceHasOneEffect"}},
        Planted{"IgnoresTheDeadline", Plant::kIgnoresTheDeadline, {"SilenceIsUnknownAtTheDeadline"}},
        Planted{"GivesUpEarly", Plant::kGivesUpEarly, {"SilenceIsUnknownAtTheDeadline"}},
        Planted{"DeniesWhatItHas",
                Plant::kDeniesWhatItHas,
                {"QueryAgreesWithThePaymentAlsoAfterARestart", "AnEffectWithoutAnAnswerIsUnknown"}},
        Planted{"ApprovesWhatItNeverSaw",
                Plant::kApprovesWhatItNeverSaw,
                {"ADeclineHasNoEffect", "QueryOfWhatWasNeverSentSettlesNothingWrongly",
                 "NothingIsSentOnceTheDeadlineHasPassed", "NoEffectAndNoAnswerIsUnknown",
                 "WhatCertainlyDidNotLeaveIsNotSent", "ReversalTakesBackAndMayBeRepeated",
                 "CancelTakesBackAndMayBeRepeated", "ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
        Planted{"ForgetsReversals", Plant::kForgetsReversals, {"ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
        Planted{"RefusesUnknownReversals",
                Plant::kRefusesUnknownReversals,
                {"ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
        Planted{"ReversesInWordsAlone",
                Plant::kReversesInWordsAlone,
                {"ReversalTakesBackAndMayBeRepeated", "CancelTakesBackAndMayBeRepeated",
                 "AnEffectWithoutAnAnswerIsUnknown", "ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
        Planted{"SendsAfterTheDeadline", Plant::kSendsAfterTheDeadline, {"NothingIsSentOnceTheDeadlineHasPassed"}},
        Planted{"UnreachableIsUnknown", Plant::kUnreachableIsUnknown, {"WhatCertainlyDidNotLeaveIsNotSent"}},
        Planted{"UnreachableDenies", Plant::kUnreachableDenies, {"WhatCertainlyDidNotLeaveIsNotSent"}},
        Planted{"LosesLateApprovals", Plant::kLosesLateApprovals, {"ALateApprovalIsReported"}},
        Planted{"Throws",
                Plant::kThrows,
                {"InquiryFindsTheCustomer", "InquiryDeclinesWhomTheBillerDoesNotKnow",
                 "NothingIsSentOnceTheDeadlineHasPassed", "SilenceIsUnknownAtTheDeadline"}},
        Planted{"ApprovesWithoutReference",
                Plant::kApprovesWithoutReference,
                {"ApprovalHasAReferenceAndThePromisedVoucher", "PaymentsHaveReferencesOfTheirOwn",
                 "QueryAgreesWithThePaymentAlsoAfterARestart", "ALateApprovalIsReported"}}),
    [](const auto& test) { return test.param.label; });

std::string ScenarioFault(std::string_view text) {
  return std::string(ParseScenario(text).status().message());
}

TEST(Scenario, IsReadLineByLine) {
  const auto scenario =
      ParseScenario("# c\n good 1 \n\nunknown_effect 2 cut  in the middle # c\nslow a=b=c\nstateless");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->good.front().number, "1");
  EXPECT_EQ(scenario->unknown_effect.front().remark, "cut  in the middle");
  EXPECT_EQ(scenario->slow, (Settings{{"a", "b=c"}}));
  EXPECT_TRUE(scenario->stateless);
  EXPECT_TRUE(scenario->late.empty());
}

TEST(Scenario, FaultsNameTheLine) {
  EXPECT_EQ(ScenarioFault(""), "no customer for whom all goes well; expected a line: good CUSTOMER");
  EXPECT_EQ(ScenarioFault("good 1\nlate"), "line 2: late without a customer number; expected late CUSTOMER");
  EXPECT_EQ(ScenarioFault("slow x"), "line 1: \"x\"; expected slow NAME=VALUE");
  EXPECT_EQ(ScenarioFault("stateless 1"), "line 1: stateless takes nothing; expected it alone on its line");
  EXPECT_THAT(ScenarioFault("god 1"), testing::StartsWith("line 1: \"god\" is not known; expected good, "));
}

}  // namespace
}  // namespace waystation::adapters::conformance
