#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
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
  EXPECT_THAT(Table(results), testing::EndsWith("\n24 passed, 0 failed, 1 not applicable\n"));
}

TEST(ConformanceSuite, ABillerWhoseBillsArePaidOncePassesAllOfIt) {
  for (const Result& result : RunAll(BookBillerTarget(Plant::kNothing, Bills::kPaidOnce, 20))) {
    EXPECT_EQ(result.verdict, Verdict::kPassed) << result.check << ": " << result.detail;
  }
}

TEST(ConformanceSuite, WhereNobodyOwesAnythingAnyMoreNothingFails) {
  const std::vector<Result> results = RunAll(BookBillerTarget(Plant::kNothing, Bills::kPaidOnce, 1));
  EXPECT_EQ(Failed(results), Names()) << Table(results);
  const std::string why = "of the customers of `good` owe something";
  EXPECT_THAT(Table(results), testing::ContainsRegex("PaymentsHaveReferencesOfTheirOwn +not applicable: 0 " + why));
  EXPECT_THAT(Table(results), testing::ContainsRegex("SeveralThreadsMayUseIt +not applicable: 0 " + why));
}

TEST(ConformanceSuite, AProcessIsNotCheckedForWhatTheSwitchDoes) {
  Target target = BookBillerTarget(Plant::kUnreachableIsUnknown);
  target.is_process = true;
  target.restart = nullptr;
  EXPECT_EQ(RunCheck(target, "NothingIsSentOnceTheDeadlineHasPassed").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(RunCheck(target, "WhatCertainlyDidNotLeaveIsNotSent").verdict, Verdict::kPassed);
  const Result repeated = RunCheck(target, "SameIdTwiceHasOneEffect");
  EXPECT_EQ(repeated.verdict, Verdict::kPassed);
  EXPECT_EQ(repeated.detail, "the process was not restarted; --restart does that");
}

TEST(ConformanceSuite, ALongSettlingTimeIsNotWaitedFor) {
  Target target = BookBillerTarget(Plant::kEntersAfterADenial);
  target.settling_limit = std::chrono::milliseconds(99);
  const Result result = RunCheck(target, "AFinalDenialStaysTrue");
  EXPECT_EQ(result.verdict, Verdict::kNotApplicable);
  EXPECT_EQ(result.detail, "the card's settling time is 100 ms; not more than 99 ms are waited for");
}

struct Planted {
  std::string label;
  Plant plant;
  // Checks that fail for it, and no others.
  Names found_by;
  Bills bills = Bills::kNone;
};

const std::vector<Planted>& Plants() {
  static const std::vector<Planted> plants = {
      {"FreesOnATimeOut", Plant::kFreesOnATimeOut, {"SilenceIsUnknownAtTheDeadline"}},
      {"DeclinesWhatWasLost", Plant::kDeclinesWhatWasLost, {"AnEffectWithoutAnAnswerIsUnknown"}},
      {"DoublesTheEffect", Plant::kDoublesTheEffect, {"SameIdTwiceHasOneEffect", "SameIdAtOnceHasOneEffect"}},
      {"DoublesInTheBooks", Plant::kDoublesInTheBooks, {"SameIdTwiceHasOneEffect", "SameIdAtOnceHasOneEffect"}},
      {"DoublesAtOnce", Plant::kDoublesAtOnce, {"SameIdAtOnceHasOneEffect"}},
      {"IgnoresTheDeadline", Plant::kIgnoresTheDeadline, {"SilenceIsUnknownAtTheDeadline", "AFinalDenialStaysTrue"}},
      {"GivesUpEarly", Plant::kGivesUpEarly, {"SilenceIsUnknownAtTheDeadline"}},
      {"AnswersLate", Plant::kAnswersLate, {"SilenceIsUnknownAtTheDeadline"}},
      {"DeniesWhatItHas",
       Plant::kDeniesWhatItHas,
       {"QueryAgreesWithThePaymentAlsoAfterARestart", "AnEffectWithoutAnAnswerIsUnknown", "LongIdsAreToldApart",
        "SeveralThreadsMayUseIt", "ALateApprovalIsReported"}},
      {"ApprovesWhatItNeverSaw",
       Plant::kApprovesWhatItNeverSaw,
       {"ADeclineHasNoEffect", "QueryOfWhatWasNeverSentSettlesNothingWrongly", "NothingIsSentOnceTheDeadlineHasPassed",
        "NoEffectAndNoAnswerIsUnknown", "WhatCertainlyDidNotLeaveIsNotSent", "ReversalTakesBackAndMayBeRepeated",
        "CancelTakesBackAndMayBeRepeated", "ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
      {"EntersAfterADenial", Plant::kEntersAfterADenial, {"AFinalDenialStaysTrue"}},
      {"ForgetsReversals", Plant::kForgetsReversals, {"ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
      {"RefusesUnknownReversals", Plant::kRefusesUnknownReversals, {"ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
      {"ReversesInWordsAlone",
       Plant::kReversesInWordsAlone,
       {"ReversalTakesBackAndMayBeRepeated", "CancelTakesBackAndMayBeRepeated", "AnEffectWithoutAnAnswerIsUnknown",
        "ReversalOfWhatWasNeverHeardOfCountsAsReversed"}},
      {"SendsAfterTheDeadline", Plant::kSendsAfterTheDeadline, {"NothingIsSentOnceTheDeadlineHasPassed"}},
      {"UnreachableIsUnknown", Plant::kUnreachableIsUnknown, {"WhatCertainlyDidNotLeaveIsNotSent"}},
      {"UnreachableDenies", Plant::kUnreachableDenies, {"WhatCertainlyDidNotLeaveIsNotSent"}},
      {"LosesLateApprovals", Plant::kLosesLateApprovals, {"ALateApprovalIsReported"}},
      {"TellsLateApprovalsOnce", Plant::kTellsLateApprovalsOnce, {"ALateApprovalIsReported"}},
      {"TellsAnotherLateApproval", Plant::kTellsAnotherLateApproval, {"ALateApprovalIsReported"}},
      {"Throws",
       Plant::kThrows,
       {"InquiryFindsTheCustomer", "InquiryDeclinesWhomTheBillerDoesNotKnow", "NothingIsSentOnceTheDeadlineHasPassed",
        "SilenceIsUnknownAtTheDeadline"}},
      {"ApprovesWithoutReference",
       Plant::kApprovesWithoutReference,
       {"ApprovalHasAReferenceAndThePromisedVoucher", "PaymentsHaveReferencesOfTheirOwn",
        "QueryAgreesWithThePaymentAlsoAfterARestart", "LongIdsAreToldApart", "SeveralThreadsMayUseIt",
        "ALateApprovalIsReported"}},
      {"CardIsWrong", Plant::kCardIsWrong, {"CardHoldsTogether"}},
      {"ProbeFindsNobody",
       Plant::kProbeFindsNobody,
       {"ProbeFindsTheBillerThere", "QueryAgreesWithThePaymentAlsoAfterARestart", "SameIdTwiceHasOneEffect"}},
      {"TakesAnyAmount", Plant::kTakesAnyAmount, {"AnAmountThatIsNotOwedIsDeclined"}, Bills::kPaidOnce},
      {"CancelsWhatItDeclines", Plant::kCancelsWhatItDeclines, {"ARefusedCancelLeavesThePayment"}},
      {"SwapsReferences", Plant::kSwapsReferences, {"SeveralThreadsMayUseIt"}},
      {"CutsTheId", Plant::kCutsTheId, {"LongIdsAreToldApart"}},
      {"ForgetsAtARestart",
       Plant::kForgetsAtARestart,
       {"QueryAgreesWithThePaymentAlsoAfterARestart", "SameIdTwiceHasOneEffect"}},
  };
  return plants;
}

class ConformanceSuite : public testing::TestWithParam<Planted> {};

TEST_P(ConformanceSuite, FindsWhatIsPlanted) {
  const int good = GetParam().bills == Bills::kPaidOnce ? 20 : 1;
  const std::vector<Result> results = RunAll(BookBillerTarget(GetParam().plant, GetParam().bills, good));
  EXPECT_EQ(Failed(results), GetParam().found_by) << Table(results);
}

INSTANTIATE_TEST_SUITE_P(Planted, ConformanceSuite, testing::ValuesIn(Plants()),
                         [](const auto& test) { return test.param.label; });

TEST(ConformanceSuite, EachCheckFindsSomethingThatIsPlanted) {
  Names found;
  for (const Planted& planted : Plants()) found.insert(planted.found_by.begin(), planted.found_by.end());
  const std::vector<std::string_view> names = CheckNames();
  EXPECT_EQ(found, Names(names.begin(), names.end()));
}

std::string ScenarioFault(std::string_view text) {
  return std::string(ParseScenario(text).status().message());
}

TEST(Scenario, IsReadLineByLine) {
  const auto scenario = ParseScenario(
      "# c\n good 1 \n\nunknown_effect 2 cut  in the middle # c\nslow a=b=c\nstateless\n"
      "adapter sandbox\nsetting profile=gas\nnot_applicable CardHoldsTogether");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->good.front().number, "1");
  EXPECT_EQ(scenario->unknown_effect.front().remark, "cut  in the middle");
  EXPECT_EQ(scenario->slow, (Settings{{"a", "b=c"}}));
  EXPECT_TRUE(scenario->stateless);
  EXPECT_EQ(scenario->adapter, "sandbox");
  EXPECT_EQ(scenario->settings, (Settings{{"profile", "gas"}}));
  EXPECT_THAT(scenario->not_applicable, testing::ElementsAre("CardHoldsTogether"));
  EXPECT_TRUE(scenario->late.empty());
}

TEST(Scenario, FaultsNameTheLine) {
  EXPECT_EQ(ScenarioFault(""), "no customer for whom all goes well; expected a line: good CUSTOMER");
  EXPECT_EQ(ScenarioFault("good 1\nlate"), "line 2: late without a customer number; expected late CUSTOMER");
  EXPECT_EQ(ScenarioFault("slow x"), "line 1: \"x\"; expected slow NAME=VALUE");
  EXPECT_EQ(ScenarioFault("stateless 1"), "line 1: stateless takes nothing; expected it alone on its line");
  EXPECT_EQ(ScenarioFault("adapter"), "line 1: adapter takes one name; expected adapter NAME");
  EXPECT_EQ(ScenarioFault("setting profile"), "line 1: \"profile\"; expected setting NAME=VALUE");
  EXPECT_THAT(ScenarioFault("god 1"), testing::StartsWith("line 1: \"god\" is not known; expected good, "));
}

TEST(Scenario, ThoseForBillersimAreRead) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WS_SOURCE_DIR "/adapters/sim/scenarios")) {
    if (entry.path().extension() != ".scenario") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(ScenarioFault(text), "") << entry.path();
    ++read;
  }
  EXPECT_EQ(read, 3);
}

}  // namespace
}  // namespace waystation::adapters::conformance
