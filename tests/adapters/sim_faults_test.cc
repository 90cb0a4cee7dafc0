#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "adapters/sim/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

FaultRule Rule(const std::string& text) {
  absl::StatusOr<FaultRule> rule = ParseFaultRule(text);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return *std::move(rule);
}

TEST(FaultRules, AreReadFromWords) {
  const FaultRule rule = Rule("pay 96 late delay_ms=300 times=2");
  EXPECT_EQ(rule.operation, "pay");
  EXPECT_EQ(rule.ending, "96");
  EXPECT_EQ(rule.fault.kind, FaultKind::kLate);
  EXPECT_EQ(rule.fault.delay, milliseconds(300));
  EXPECT_EQ(rule.times, 2u);
  EXPECT_EQ(Rule("* * late").fault.delay, milliseconds(2'000));
  EXPECT_EQ(Rule("* * late").ending, "");
  for (const FaultKind kind : AllFaults()) EXPECT_EQ(Rule("* * " + std::string(ToText(kind))).fault.kind, kind);
  EXPECT_EQ(AllFaults().size(), 15u);
}

TEST(FaultRules, FaultsNameTheWord) {
  const auto fault = [](const std::string& text) { return std::string(ParseFaultRule(text).status().message()); };
  EXPECT_THAT(fault("pay silent"), HasSubstr("expected OPERATION ENDING KIND"));
  EXPECT_THAT(fault("buy 96 silent"), HasSubstr("operation \"buy\" is not known; expected one of inquire, pay"));
  EXPECT_THAT(fault("pay 96 quiet"), HasSubstr("\"quiet\" is not known; expected one of none, decline"));
  EXPECT_THAT(fault("pay 96 late delay=5"), HasSubstr("\"delay=5\" is not understood; expected delay_ms=N or times=N"));
  EXPECT_THAT(fault("pay 96 late delay_ms=x"), HasSubstr("\"delay_ms=x\" is not understood"));
  EXPECT_THAT(fault("pay 96 late delay_ms=600001"), HasSubstr("out of range"));
}

TEST(Faults, TheNewestRuleThatFitsWinsUntilItIsUsedUp) {
  Faults faults(1);
  EXPECT_EQ(faults.Next("pay", "1234567896").kind, FaultKind::kNone);
  faults.Add(Rule("* * double"));
  faults.Add(Rule("pay 96 silent times=1"));
  EXPECT_EQ(faults.Next("pay", "1234567895").kind, FaultKind::kDouble);
  EXPECT_EQ(faults.Next("query", "1234567896").kind, FaultKind::kDouble);
  EXPECT_EQ(faults.Next("pay", "1234567896").kind, FaultKind::kSilent);
  EXPECT_EQ(faults.Next("pay", "1234567896").kind, FaultKind::kDouble);
  faults.Clear();
  EXPECT_EQ(faults.Next("pay", "1234567896").kind, FaultKind::kNone);
}

TEST(LatencyText, FaultsSayWhatIsExpected) {
  for (const std::string text : {"", "fixed", "fixed x", "fixed 1 2", "uniform 5", "uniform 5 2", "lognormal 0 5",
                                 "exponential -1", "fixed 600001", "pareto 5"}) {
    EXPECT_THAT(std::string(Latency::Parse(text).status().message()), HasSubstr("latency: \"" + text + "\"")) << text;
  }
}

TEST(LatencyText, IsDrawnAsItSays) {
  std::mt19937_64 random(7);
  const auto draw = [&random](const std::string& text) {
    std::vector<double> drawn(20'000);
    for (double& ms : drawn) ms = static_cast<double>(Latency::Parse(text)->Draw(random).count()) / 1'000;
    std::sort(drawn.begin(), drawn.end());
    return drawn;
  };
  EXPECT_EQ(Latency::Parse("fixed 1.5")->Draw(random), microseconds(1'500));
  EXPECT_EQ(Latency::Parse("fixed 0")->Draw(random), microseconds(0));
  EXPECT_EQ(Latency::Parse("exponential 0")->Draw(random), microseconds(0));
  const auto uniform = draw("uniform 10 50");
  EXPECT_GE(uniform.front(), 10);
  EXPECT_LE(uniform.back(), 50);
  EXPECT_NEAR(uniform[10'000], 30, 1);
  const auto exponential = draw("exponential 100");
  EXPECT_NEAR(exponential[10'000], 100 * std::log(2), 4);
  const auto lognormal = draw("lognormal 80 900");
  EXPECT_NEAR(lognormal[10'000], 80, 4);
  EXPECT_NEAR(lognormal[19'800], 900, 120);
}

std::string Sent(const Delivery& delivery) {
  std::string bytes;
  for (const Delivery::Piece& piece : delivery.pieces) bytes += piece.bytes;
  return bytes;
}

TEST(Delivery, IsWhatTheFaultSays) {
  std::mt19937_64 random(7);
  const microseconds latency(100);
  const auto deliver = [&](FaultKind kind) { return Deliver({kind, milliseconds(5)}, latency, "0123456789", random); };
  for (const FaultKind kind : {FaultKind::kNone, FaultKind::kDecline, FaultKind::kWrongReference, FaultKind::kBadMac,
                               FaultKind::kLate, FaultKind::kOutOfOrder, FaultKind::kHeldUp, FaultKind::kDrip}) {
    EXPECT_EQ(Sent(deliver(kind)), "0123456789");
    EXPECT_FALSE(deliver(kind).cut);
  }
  EXPECT_EQ(deliver(FaultKind::kNone).pieces[0].wait, latency);
  EXPECT_EQ(deliver(FaultKind::kLate).pieces[0].wait, latency + milliseconds(5));
  EXPECT_EQ(deliver(FaultKind::kHeldUp).pieces[0].wait, latency);
  EXPECT_EQ(deliver(FaultKind::kDrip).pieces.size(), 10u);
  EXPECT_EQ(deliver(FaultKind::kDrip).pieces[1].wait, milliseconds(5));
  EXPECT_TRUE(deliver(FaultKind::kSilent).pieces.empty());
  EXPECT_TRUE(deliver(FaultKind::kLose).pieces.empty());
  EXPECT_EQ(Sent(deliver(FaultKind::kDouble)), "01234567890123456789");
  EXPECT_EQ(Sent(deliver(FaultKind::kCutUnheard)), "");
  EXPECT_EQ(Sent(deliver(FaultKind::kCutBefore)), "");
  EXPECT_EQ(Sent(deliver(FaultKind::kCutMiddle)), "01234");
  EXPECT_EQ(Sent(deliver(FaultKind::kCutAfter)), "0123456789");
  for (const FaultKind kind :
       {FaultKind::kCutUnheard, FaultKind::kCutBefore, FaultKind::kCutMiddle, FaultKind::kCutAfter}) {
    EXPECT_TRUE(deliver(kind).cut);
  }
  const std::string garbage = Sent(deliver(FaultKind::kGarbage));
  EXPECT_EQ(garbage.size(), 10u);
  EXPECT_NE(garbage, "0123456789");
}

}  // namespace
}  // namespace waystation::adapters::sim
