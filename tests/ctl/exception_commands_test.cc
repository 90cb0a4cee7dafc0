// The commands of `switchctl exceptions` against a switch that answers what the test tells it to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ctl/fake_switch.h"
#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ExceptionCommandsTest : public testing::Test {
 protected:
  // The command line, cut at spaces; `more` as it is.
  Ran Run(const std::string& line, const std::vector<std::string>& more = {}) {
    std::istringstream words(line);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--address", fake_.address()});
    return RunWith(arguments);
  }

  static v1::Payment InReview() {
    v1::Payment payment;
    payment.set_payment_id("1042");
    payment.set_biller_id("gas");
    payment.set_amount_fen(5050);
    payment.set_state(v1::PAYMENT_STATE_REVIEW);
    payment.set_unknown_cause("no final answer");
    payment.set_owner(v1::PAYMENT_OWNER_PERSON);
    payment.set_next_action(v1::NEXT_ACTION_PROPOSE);
    return payment;
  }

  FakeSwitch fake_;
};

TEST_F(ExceptionCommandsTest, ListFollowsPagesWithTheSameRequest) {
  fake_.exceptions.pages.resize(3);
  *fake_.exceptions.pages[0].add_payments() = InReview();
  *fake_.exceptions.pages[2].add_payments() = InReview();  // the page between has none
  fake_.exceptions.pages[2].mutable_payments(0)->set_payment_id("1043");
  const Ran ran = Run("exceptions list --state review,unknown --state held --owner person --biller gas --overdue");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("1042"), HasSubstr("1043"), HasSubstr("no final answer"),
                             HasSubstr("2 open payments\n")));
  ASSERT_EQ(fake_.exceptions.lists.size(), 3U);
  for (v1::ListExceptionsRequest request : fake_.exceptions.lists) {
    EXPECT_THAT(request.states(),
                ElementsAre(v1::PAYMENT_STATE_REVIEW, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_HELD));
    EXPECT_THAT(request.owners(), ElementsAre(v1::PAYMENT_OWNER_PERSON));
    EXPECT_EQ(request.biller_id(), "gas");
    EXPECT_TRUE(request.overdue_only());
    request.clear_page_token();
    EXPECT_EQ(request.SerializeAsString(), fake_.exceptions.lists[0].SerializeAsString());
  }

  const Ran json = Run("exceptions list --json");
  EXPECT_EQ(std::ranges::count(json.out, '\n'), 2);
  EXPECT_TRUE(fake_.exceptions.lists.back().states().empty());
  EXPECT_FALSE(fake_.exceptions.lists.back().overdue_only());
}

TEST_F(ExceptionCommandsTest, ShowHasTheEvidenceAndTheCommandsToTypeNext) {
  fake_.payments.payment = InReview();
  const Ran ran = Run("exceptions show 1042");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(fake_.payments.get.payment_id(), "1042");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("PERSON: PROPOSE"), HasSubstr("no final answer"),
                             HasSubstr("switchctl exceptions resolve 1042 --verdict write-off ")));
  EXPECT_THAT(Run("exceptions show 1042 --json").out, HasSubstr("\"nextAction\":\"NEXT_ACTION_PROPOSE\""));
  fake_.payments.status = {grpc::StatusCode::NOT_FOUND, "payment_id: there is no payment 7"};
  EXPECT_EQ(Run("exceptions show 7").exit, 3);
}

TEST_F(ExceptionCommandsTest, ResolveProposesAndSaysWhoConfirms) {
  fake_.exceptions.payment = InReview();
  fake_.exceptions.payment.set_next_action(v1::NEXT_ACTION_CONFIRM);
  v1::Resolution* resolution = fake_.exceptions.payment.mutable_resolution();
  resolution->set_verdict(v1::VERDICT_WRITE_OFF);
  resolution->set_proposed_by("8000000001");
  resolution->set_proposal(1057);
  const Ran ran =
      Run("exceptions resolve 1042 --verdict write-off --by 8000000001", {"--reason", "it is in the biller's file"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(fake_.exceptions.proposal.payment_id(), "1042");
  EXPECT_EQ(fake_.exceptions.proposal.verdict(), v1::VERDICT_WRITE_OFF);
  EXPECT_EQ(fake_.exceptions.proposal.reason(), "it is in the biller's file");
  EXPECT_EQ(fake_.exceptions.proposal.clerk_id(), "8000000001");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Another person"),
                             HasSubstr("switchctl exceptions confirm 1042 --proposal 1057 --verdict write-off")));

  EXPECT_EQ(Run("exceptions resolve 1042 --verdict write-off --by 8000000001").exit, 2) << "without a reason";
  const Ran mistyped = Run("exceptions resolve 1042 --verdict forget --by 8000000001 --reason because");
  EXPECT_EQ(mistyped.exit, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("\"forget\" is not a verdict; expected one of charge, release, write-off"));
}

TEST_F(ExceptionCommandsTest, ConfirmPostsOrSaysWhyNot) {
  fake_.exceptions.payment = InReview();
  fake_.exceptions.payment.set_state(v1::PAYMENT_STATE_ADJUSTED);
  fake_.exceptions.payment.set_owner(v1::PAYMENT_OWNER_NOBODY);
  fake_.exceptions.payment.set_next_action(v1::NEXT_ACTION_NONE);
  const Ran ran = Run("exceptions confirm 1042 --proposal 1057 --verdict charge --by 8000000002");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(fake_.exceptions.confirmation.payment_id(), "1042");
  EXPECT_EQ(fake_.exceptions.confirmation.verdict(), v1::VERDICT_CHARGE_STATION);
  EXPECT_EQ(fake_.exceptions.confirmation.clerk_id(), "8000000002");
  EXPECT_EQ(fake_.exceptions.confirmation.proposal(), 1057U);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("ADJUSTED is final"), Not(HasSubstr("next step"))));

  fake_.exceptions.status = {grpc::StatusCode::FAILED_PRECONDITION, "clerk_id: 8000000001 has proposed this"};
  const Ran refused = Run("exceptions confirm 1042 --proposal 1057 --verdict charge --by 8000000001");
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("8000000001 has proposed this"));
  EXPECT_EQ(Run("exceptions confirm 1042 --verdict charge --by 8000000001").exit, 2) << "of no proposal";
}

TEST_F(ExceptionCommandsTest, TheHelpTeachesWhatTheVerdictsDo) {
  const Ran ran = RunWith({"exceptions", "--help"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("another person"), HasSubstr("never edited"), HasSubstr("suspense account")));
}

}  // namespace
}  // namespace waystation::ctl
