#include "switch/ctl/exception_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "switch/ctl/table.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNow = 1'795'248'306'123;

v1::Payment Unknown() {
  v1::Payment payment;
  payment.set_payment_id("1042");
  payment.set_station_id("100000000001");
  payment.set_biller_id("electricity");
  payment.set_amount_fen(100'000);
  payment.set_state(v1::PAYMENT_STATE_UNKNOWN);
  payment.set_unknown_cause("no answer by the deadline");
  payment.set_owner(v1::PAYMENT_OWNER_RESOLVER);
  payment.set_next_action(v1::NEXT_ACTION_QUERY);
  payment.set_next_action_at_ms(kNow + 12'000);
  payment.set_deadline_ms(kNow + 23 * 3'600'000);
  return payment;
}

v1::Payment Proposed() {
  v1::Payment payment = Unknown();
  payment.set_payment_id("1043");
  payment.set_state(v1::PAYMENT_STATE_REVIEW);
  payment.set_owner(v1::PAYMENT_OWNER_PERSON);
  payment.set_next_action(v1::NEXT_ACTION_CONFIRM);
  payment.clear_next_action_at_ms();
  payment.clear_deadline_ms();
  payment.mutable_resolution()->set_verdict(v1::VERDICT_RELEASE);
  payment.mutable_resolution()->set_reason("not in the file");
  payment.mutable_resolution()->set_proposed_by("8000000001");
  payment.mutable_resolution()->set_proposal(1057);
  return payment;
}

TEST(ExceptionTableTest, HasTheTextsBelowTheRows) {
  EXPECT_EQ(ExceptionTable({Unknown(), Proposed()}, kNow),
            "payment  station       biller          yuan  state    owner     next     when    until\n"
            "   1042  100000000001  electricity  1000.00  UNKNOWN  RESOLVER  QUERY    in 12s  in 23h\n"
            "         no answer by the deadline\n"
            "   1043  100000000001  electricity  1000.00  REVIEW   PERSON    CONFIRM  -       -\n"
            "         no answer by the deadline\n"
            "         8000000001 proposes release: not in the file\n");
}

TEST(ExceptionTableTest, IsNoWiderThanATerminal) {
  v1::Payment widest = Unknown();
  widest.set_payment_id("9999999");
  widest.set_biller_id("a_biller_with_a_very_long_name_x");
  widest.set_amount_fen(5'000'000);
  widest.set_state(v1::PAYMENT_STATE_CANCELLING);
  widest.set_next_action(v1::NEXT_ACTION_AWAIT_PERSON);
  widest.set_next_action_at_ms(kNow - 80'000);
  widest.set_deadline_ms(kNow - 80'000);
  std::string cause;
  for (int i = 0; i < 66; ++i) cause += "\u4eac";
  widest.set_unknown_cause(cause);
  std::istringstream lines(ExceptionTable({widest}, kNow));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(DisplayWidth(line), 100U) << line;
  EXPECT_EQ(count, 3);
}

TEST(WhatToDoTest, NamesTheCommandsForEachVerdict) {
  v1::Payment payment = Proposed();
  payment.set_next_action(v1::NEXT_ACTION_PROPOSE);
  const std::string text = WhatToDo(payment);
  EXPECT_THAT(text, AllOf(HasSubstr("Find out from biller electricity"), HasSubstr("our reference is 1043"),
                          Not(HasSubstr("suggested"))));
  for (const char* verdict : {"charge", "release", "write-off"}) {
    EXPECT_THAT(text, HasSubstr(std::string("  switchctl exceptions resolve 1043 --verdict ") + verdict +
                                " --by CLERK --reason TEXT\n"));
  }
  payment.set_suggested_verdict(v1::VERDICT_CHARGE_STATION);
  payment.set_biller_reference("E-77");
  EXPECT_THAT(WhatToDo(payment), AllOf(HasSubstr("E-77"), HasSubstr("\"charge\" is suggested")));
}

TEST(WhatToDoTest, AfterAProposalAnotherPersonActs) {
  EXPECT_THAT(WhatToDo(Proposed()),
              AllOf(HasSubstr("8000000001 proposes \"release\""), HasSubstr("Another person"),
                    HasSubstr("  switchctl exceptions confirm 1043 --proposal 1057 --verdict release --by CLERK\n")));
}

TEST(WhatToDoTest, AProposalWithoutANumberIsProposedAnew) {
  v1::Payment payment = Proposed();
  payment.mutable_resolution()->clear_proposal();
  EXPECT_THAT(WhatToDo(payment),
              AllOf(HasSubstr("Propose it anew, with\n  switchctl exceptions resolve 1043 --verdict release "),
                    Not(HasSubstr("exceptions confirm"))));
}

TEST(WhatToDoTest, EveryNextActionHasItsText) {
  v1::Payment payment = Proposed();
  payment.set_next_action(static_cast<v1::NextAction>(999));
  const std::string newer = WhatToDo(payment);
  for (int i = v1::NextAction_MIN + 1; i <= v1::NextAction_MAX; ++i) {
    payment.set_next_action(static_cast<v1::NextAction>(i));
    EXPECT_NE(WhatToDo(payment), newer) << i;
  }
}

TEST(VerdictWordTest, GoesBothWays) {
  for (int i = v1::Verdict_MIN + 1; i <= v1::Verdict_MAX; ++i) {
    const auto verdict = static_cast<v1::Verdict>(i);
    EXPECT_EQ(VerdictFromWord(TypedWord(verdict)), verdict);
  }
  EXPECT_EQ(VerdictFromWord("CHARGE"), std::nullopt);
}

}  // namespace
}  // namespace waystation::ctl
