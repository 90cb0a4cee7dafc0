// Whole command lines against a switch that answers what the test tells it to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/ctl/fake_switch.h"
#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kStation = "100000000001";

class CommandsTest : public testing::Test {
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

  Ran Pay(const std::vector<std::string>& more = {}) {
    return Run("pay --station 100000000001 --operator 2000000001 --biller mobile --customer 13800000000 --amount 50.5",
               more);
  }

  void SetPayment(v1::PaymentState state) {
    fake_.payments.payment.set_payment_id("1042");
    fake_.payments.payment.set_station_id(kStation);
    fake_.payments.payment.set_amount_fen(5050);
    fake_.payments.payment.set_state(state);
  }

  FakeSwitch fake_;
};

TEST_F(CommandsTest, PayPrintsTheReceiptAndMakesARequestIdItTellsFirst) {
  SetPayment(v1::PAYMENT_STATE_SUCCEEDED);
  const Ran ran = Pay();
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("RECEIPT"), HasSubstr("50.50 yuan"), HasSubstr("1042")));
  EXPECT_EQ(ran.err, "request id: " + fake_.payments.pay.request_id() + "\n");
  EXPECT_EQ(fake_.payments.pay.amount_fen(), 5050);
  EXPECT_FALSE(fake_.payments.pay.has_wait_ms());

  const std::string first_id = fake_.payments.pay.request_id();
  Pay();
  EXPECT_NE(fake_.payments.pay.request_id(), first_id);
}

TEST_F(CommandsTest, PaySendsWhatItWasGiven) {
  SetPayment(v1::PAYMENT_STATE_SUCCEEDED);
  const Ran ran = Pay({"--request-id", "till1-7", "--token", "t0k", "--wait", "2.5", "--json"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, AllOf(StartsWith("{\"payment\":{\"paymentId\":\"1042\""), HasSubstr("\"amountFen\":\"5050\""),
                             HasSubstr("\"state\":\"PAYMENT_STATE_SUCCEEDED\"")));
  EXPECT_EQ(fake_.payments.pay.request_id(), "till1-7");
  EXPECT_EQ(fake_.payments.pay.inquiry_token(), "t0k");
  EXPECT_EQ(fake_.payments.pay.wait_ms(), 2500U);
}

TEST_F(CommandsTest, AnEmptyRequestIdIsNotReplacedByANewOne) {
  fake_.payments.status = {grpc::StatusCode::INVALID_ARGUMENT, "request_id: is empty; expected 1 to 64 bytes"};
  const Ran ran = Pay({"--request-id", ""});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("switchctl pay: INVALID_ARGUMENT: request_id: is empty"));
  EXPECT_EQ(fake_.payments.pay.request_id(), "");
}

TEST_F(CommandsTest, ADeclinedPaymentSaysWhyAndWhatToDo) {
  SetPayment(v1::PAYMENT_STATE_DECLINED);
  fake_.payments.payment.mutable_decline()->set_reason(v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE);
  fake_.payments.payment.mutable_decline()->set_text("10.00 available, 50.50 asked for");
  const Ran ran = Pay();
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.out, Not(HasSubstr("RECEIPT")));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("declined: INSUFFICIENT_AVAILABLE_BALANCE: 10.00 available"),
                             HasSubstr("counter-purchase")));
}

TEST_F(CommandsTest, APaymentThatIsNotKnownYetWarnsAgainstPayingAgain) {
  SetPayment(v1::PAYMENT_STATE_UNKNOWN);
  const Ran ran = Pay({"--wait", "0"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.out, Not(HasSubstr("RECEIPT")));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("payment 1042 is UNKNOWN"), HasSubstr("switchctl payment show 1042"),
                             HasSubstr("do not pay again under another request id")));
}

TEST_F(CommandsTest, AReversedPaymentIsRefused) {
  SetPayment(v1::PAYMENT_STATE_REVERSED);
  EXPECT_EQ(Pay().exit, 3);
}

TEST_F(CommandsTest, AConnectionLostWhilePayingTellsTheIdToRepeat) {
  fake_.payments.status = {grpc::StatusCode::UNAVAILABLE, "going away"};
  const Ran ran = Pay({"--request-id", "till1-7"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("UNAVAILABLE: going away"), HasSubstr("--request-id till1-7")));
}

TEST_F(CommandsTest, InquireShowsWhatIsOwedAndTheToken) {
  v1::InquiryAnswer* answer = fake_.payments.inquiry.mutable_answer();
  answer->set_customer_name("王*明");
  answer->set_owed_fen(8640);
  answer->set_inquiry_token("t0k");
  const Ran ran = Run("inquire --station 100000000001 --operator 2000000001 --biller gas --customer 30000000");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("王*明"), HasSubstr("86.40 yuan"), HasSubstr("t0k")));
}

TEST_F(CommandsTest, ADeclinedInquiryIsRefused) {
  fake_.payments.inquiry.mutable_decline()->set_reason(v1::DECLINE_REASON_BILLER_DISABLED);
  const Ran ran = Run("inquire --station 100000000001 --operator 2000000001 --biller gas --customer 30000000 --json");
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.out, HasSubstr("DECLINE_REASON_BILLER_DISABLED"));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("declined: BILLER_DISABLED"), HasSubstr("biller enable")));
}

TEST_F(CommandsTest, CancelEndsByWhatBecameOfThePayment) {
  const std::string cancel = "payment cancel --station 100000000001 --operator 2000000001 1042";
  SetPayment(v1::PAYMENT_STATE_CANCELLED);
  EXPECT_EQ(Run(cancel).exit, 0);
  EXPECT_EQ(fake_.payments.cancel.payment_id(), "1042");
  SetPayment(v1::PAYMENT_STATE_CANCELLING);
  EXPECT_EQ(Run(cancel).exit, 4);
  SetPayment(v1::PAYMENT_STATE_SUCCEEDED);
  fake_.payments.cancel_decline.emplace().set_reason(v1::DECLINE_REASON_CANCEL_NOT_SUPPORTED);
  const Ran refused = Run(cancel);
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("CANCEL_NOT_SUPPORTED"));
}

TEST_F(CommandsTest, PaymentShowAsksByIdOrByRequest) {
  SetPayment(v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_EQ(Run("payment show 1042").exit, 0);
  EXPECT_EQ(fake_.payments.get.payment_id(), "1042");
  EXPECT_EQ(Run("payment show --station 100000000001 --request-id till1-7").exit, 0);
  EXPECT_EQ(fake_.payments.get.payment_id(), "");
  EXPECT_EQ(fake_.payments.get.request_id(), "till1-7");
  fake_.payments.status = {grpc::StatusCode::NOT_FOUND, "payment_id: 1042 was never accepted"};
  EXPECT_EQ(Run("payment show 1042").exit, 3);
}

TEST_F(CommandsTest, AReceiptIsOnlyForWhatWasPaid) {
  SetPayment(v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_THAT(Run("payment receipt 1042").out, HasSubstr("RECEIPT"));
  SetPayment(v1::PAYMENT_STATE_DECLINED);
  const Ran declined = Run("payment receipt 1042");
  EXPECT_EQ(declined.exit, 3);
  EXPECT_THAT(declined.out, IsEmpty());
  SetPayment(v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_EQ(Run("payment receipt 1042").exit, 4);
}

TEST_F(CommandsTest, PaymentListFollowsPagesWithTheSameRequest) {
  fake_.payments.pages.resize(3);
  for (int i = 0; i < 6; ++i) fake_.payments.pages[i / 2].add_payments()->set_payment_id(std::to_string(9000 - i));
  const Ran all = Run("payment list --station 100000000001 --from 2026-11-01 --state unknown,REVIEW --state held");
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_THAT(all.out, AllOf(HasSubstr("9000"), HasSubstr("8995"), HasSubstr("6 payments\n")));
  ASSERT_EQ(fake_.payments.lists.size(), 3U);
  for (v1::ListPaymentsRequest request : fake_.payments.lists) {
    request.clear_page_token();
    EXPECT_EQ(request.SerializeAsString(), fake_.payments.lists[0].SerializeAsString());
    EXPECT_THAT(request.states(),
                testing::ElementsAre(v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_REVIEW, v1::PAYMENT_STATE_HELD));
  }

  fake_.payments.lists.clear();
  const Ran three = Run("payment list --station 100000000001 --limit 3 --json");
  EXPECT_EQ(std::ranges::count(three.out, '\n'), 3);
  EXPECT_EQ(fake_.payments.lists.size(), 2U);
}

TEST_F(CommandsTest, WatchEndsAfterItsCountOrSaysHowToGoOn) {
  for (uint64_t sequence = 11; sequence <= 13; ++sequence) {
    v1::PaymentEvent event;
    event.set_sequence(sequence);
    fake_.payments.events.push_back(event);
  }
  const Ran counted = Run("payment watch --station 100000000001 --after 10 --count 2 --json");
  EXPECT_EQ(counted.exit, 0) << counted.err;
  EXPECT_EQ(std::ranges::count(counted.out, '\n'), 2);
  EXPECT_EQ(fake_.payments.watch.after_sequence(), 10U);

  fake_.payments.status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "the reader is too slow"};
  const Ran ended = Run("payment watch --station 100000000001");
  EXPECT_EQ(ended.exit, 4);
  EXPECT_FALSE(fake_.payments.watch.has_after_sequence());
  EXPECT_THAT(ended.err, AllOf(HasSubstr("too slow"), HasSubstr("--after 13")));
}

TEST_F(CommandsTest, FollowPrintsEachLegAndSaysHowToGoOn) {
  fake_.journal.messages.resize(3);  // the first without legs
  uint64_t sequence = 7;
  for (const int message : {1, 2}) {
    journal::v1::Block* block = fake_.journal.messages[static_cast<size_t>(message)].add_blocks();
    block->mutable_header()->set_time_ms(1'795'248'306'123);
    block->mutable_header()->set_business_date(20261121);
    for (int i = 0; i < 2; ++i) {
      journal::v1::Leg* leg = block->add_legs();
      leg->set_sequence(sequence++);
      leg->mutable_biller_registered()->set_biller_id("gas");
    }
  }
  const Ran done = Run("journal follow --from 7 --until-end");
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_EQ(fake_.journal.stream.from_sequence(), 7U);
  EXPECT_TRUE(fake_.journal.stream.until_end());
  EXPECT_EQ(std::ranges::count(done.out, '\n'), 4);
  EXPECT_THAT(done.out, testing::StartsWith("{\"sequence\":\"7\",\"timeMs\":\"1795248306123\","
                                            "\"businessDate\":\"2026-11-21\",\"billerRegistered\":"));

  fake_.journal.status = {grpc::StatusCode::UNAVAILABLE, "the switch is shutting down"};
  const Ran cut = Run("journal follow");
  EXPECT_EQ(cut.exit, 4);
  EXPECT_EQ(cut.out, done.out);
  EXPECT_THAT(cut.err, AllOf(HasSubstr("shutting down"), HasSubstr("--from 11")));

  fake_.journal.messages[1].mutable_blocks(0)->mutable_legs(1)->clear_fact();
  const Ran unknown = Run("journal follow --from 7");
  EXPECT_EQ(unknown.exit, 1);
  EXPECT_THAT(unknown.err, HasSubstr("use switchctl of the switch's version"));
}

TEST_F(CommandsTest, RegisterWithActivateWalksTheWholeWay) {
  fake_.admin.account.set_station_id(kStation);
  fake_.admin.account.set_status(v1::STATION_STATUS_APPLIED);
  const Ran ran =
      Run("station register 100000000001 --signed-by 100000000900 --signed-by 100000000901 --activate --name",
          {"李记 杂货"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(fake_.admin.registration.name(), "李记 杂货");
  EXPECT_EQ(fake_.admin.registration.signing_institutions_size(), 2);
  ASSERT_EQ(fake_.admin.status_sets.size(), 2U);
  EXPECT_EQ(fake_.admin.status_sets[0].status(), v1::STATION_STATUS_APPROVED);
  EXPECT_EQ(fake_.admin.status_sets[1].status(), v1::STATION_STATUS_ACTIVE);
  EXPECT_THAT(ran.out, HasSubstr("ACTIVE"));

  // The same again finds it active and leaves it at that; a suspended one is not woken up.
  EXPECT_EQ(Run("station register 100000000001 --activate --name", {"李记 杂货"}).exit, 0);
  fake_.admin.account.set_status(v1::STATION_STATUS_SUSPENDED);
  EXPECT_EQ(Run("station register 100000000001 --activate --name", {"李记 杂货"}).exit, 3);
  EXPECT_EQ(fake_.admin.status_sets.size(), 2U);
}

TEST_F(CommandsTest, StationStepsSetTheStatusWithItsReason) {
  const std::pair<const char*, v1::StationStatus> steps[] = {{"approve", v1::STATION_STATUS_APPROVED},
                                                             {"activate", v1::STATION_STATUS_ACTIVE},
                                                             {"suspend", v1::STATION_STATUS_SUSPENDED},
                                                             {"close", v1::STATION_STATUS_CLOSED}};
  for (const auto& [word, status] : steps) {
    EXPECT_EQ(Run(fmt::format("station {} {} --reason because", word, kStation)).exit, 0) << word;
    EXPECT_EQ(fake_.admin.status_sets.back().status(), status) << word;
    EXPECT_EQ(fake_.admin.status_sets.back().reason(), "because") << word;
  }
  fake_.admin.status = {grpc::StatusCode::FAILED_PRECONDITION, "status: cannot go from APPLIED to ACTIVE"};
  EXPECT_EQ(Run("station activate 100000000001").exit, 3);
}

TEST_F(CommandsTest, StationListFollowsPages) {
  fake_.admin.pages.resize(2);
  fake_.admin.pages[0].add_stations()->set_station_id("100000000001");
  fake_.admin.pages[1].add_stations()->set_station_id("100000000002");
  const Ran ran = Run("station list");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("100000000001"), HasSubstr("100000000002"), HasSubstr("2 stations")));
  EXPECT_EQ(std::ranges::count(Run("station list --json --limit 1").out, '\n'), 1);
}

TEST_F(CommandsTest, AccountShowHasEveryFieldOfTheInquiry) {
  v1::Account& account = fake_.accounts.account;
  account.set_station_id(kStation);
  account.set_account_number("10100000000001");
  account.set_name("李记");
  account.set_balance_fen(-5000);
  account.set_credit_limit_fen(200000);
  account.set_reserved_fen(100);
  account.set_forwarded_fen(200);
  account.set_available_fen(194700);
  account.set_is_signed(true);
  account.set_signing_institution("100000000900");
  account.set_signing_institution_count(2);
  account.set_opened_date("2026-11-21");
  account.set_status(v1::STATION_STATUS_ACTIVE);
  const Ran ran = Run("account show 100000000001");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  for (const char* text : {"10100000000001", "李记", "  -50.00 yuan", "2000.00 yuan", "1.00 yuan", "2.00 yuan",
                           "1947.00 yuan", "by 2 institutions, the first 100000000900", "2026-11-21", "ACTIVE"}) {
    EXPECT_THAT(ran.out, HasSubstr(text));
  }
  const Ran missing = Run("account show 100000000009");
  EXPECT_EQ(missing.exit, 3);
  EXPECT_THAT(missing.err, HasSubstr("100000000009 is not registered"));
}

TEST_F(CommandsTest, MoneyForAnAccountIsSentInFen) {
  EXPECT_EQ(Run("counter-purchase 100000000001 500.00 --receipt R-1 --clerk 8000000001").exit, 0);
  EXPECT_EQ(fake_.admin.purchase.amount_fen(), 50'000);
  EXPECT_EQ(fake_.admin.purchase.request_id(), "R-1");
  EXPECT_EQ(fake_.admin.purchase.clerk_id(), "8000000001");
  EXPECT_EQ(Run("credit grant 100000000001 2000 --reason festival").exit, 0);
  EXPECT_EQ(fake_.admin.grant.credit_limit_fen(), 200'000);
  EXPECT_EQ(fake_.admin.grant.reason(), "festival");
}

TEST_F(CommandsTest, Billers) {
  v1::Biller* gas = fake_.admin.billers.add_billers();
  gas->set_biller_id("gas");
  gas->set_name("燃气");
  gas->set_cancel(v1::CANCEL_RULE_NONE);
  EXPECT_THAT(Run("biller list").out, AllOf(HasSubstr("燃气"), HasSubstr("NONE")));
  gas->mutable_lane()->set_breaker(v1::BREAKER_STATE_OPEN);
  gas->mutable_lane()->set_out_of_service("no answers");
  EXPECT_THAT(Run("biller show gas").out, AllOf(HasSubstr("燃气"), HasSubstr("NO: no answers"), HasSubstr("OPEN")));
  EXPECT_THAT(Run("biller show gas --json").out, HasSubstr("\"breaker\":\"BREAKER_STATE_OPEN\""));
  const Ran missing = Run("biller show water");
  EXPECT_EQ(missing.exit, 3);
  EXPECT_THAT(missing.err, HasSubstr("it is not a biller of this switch"));
  EXPECT_EQ(Run("biller disable gas --reason maintenance").exit, 0);
  EXPECT_EQ(fake_.admin.biller_status.status(), v1::BILLER_STATUS_DISABLED);
  EXPECT_EQ(fake_.admin.biller_status.reason(), "maintenance");
  EXPECT_EQ(Run("biller enable gas").exit, 0);
  EXPECT_EQ(fake_.admin.biller_status.status(), v1::BILLER_STATUS_ENABLED);
}

TEST_F(CommandsTest, TheDay) {
  EXPECT_THAT(Run("day show").out, HasSubstr("2026-11-21"));
  EXPECT_THAT(Run("day close --date 2026-11-21 --next 2026-11-22").out, HasSubstr("2026-11-22"));
  EXPECT_EQ(fake_.admin.close.closing_date(), "2026-11-21");
  EXPECT_EQ(fake_.admin.close.opening_date(), "2026-11-22");
}

TEST_F(CommandsTest, HealthIsDoneOnlyWhenServing) {
  fake_.SetServing(true);
  EXPECT_EQ(Run("health").exit, 0);
  EXPECT_EQ(Run("health --json").out, "{\"status\":\"SERVING\"}\n");
  fake_.SetServing(false);
  const Ran ran = Run("health");
  EXPECT_EQ(ran.exit, 5);
  EXPECT_THAT(ran.err, HasSubstr("is NOT_SERVING; expected SERVING"));
}

TEST_F(CommandsTest, TheLogsLevelIsShownAndSet) {
  fake_.operations.state.mutable_log()->set_level(v1::LOG_LEVEL_INFO);
  fake_.operations.state.mutable_log()->set_lost_lines(3);
  const Ran shown = Run("log-level");
  EXPECT_EQ(shown.exit, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("INFO"), HasSubstr("3, since the start")));
  EXPECT_EQ(fake_.operations.log_level.level(), v1::LOG_LEVEL_UNSPECIFIED) << "nothing is set";
  EXPECT_THAT(Run("log-level debug").out, HasSubstr("DEBUG"));
  EXPECT_EQ(fake_.operations.log_level.level(), v1::LOG_LEVEL_DEBUG);
  EXPECT_THAT(Run("--json log-level WARN").out, HasSubstr("\"level\":\"LOG_LEVEL_WARN\""));
  const Ran bad = Run("log-level loud");
  EXPECT_EQ(bad.exit, 2);
  EXPECT_THAT(bad.err, HasSubstr("\"loud\" is not a level of the log; expected one of DEBUG, INFO, WARN, ERROR"));
}

TEST_F(CommandsTest, StatusSaysFirstWhetherPaymentsAreTaken) {
  v1::SwitchStatus& state = fake_.operations.state;
  state.set_last_sequence(4711);
  state.mutable_disk()->set_free_bytes(uint64_t{5000} << 20);
  state.mutable_disk()->set_low_below_bytes(uint64_t{1024} << 20);
  state.mutable_disk()->set_enough_from_bytes(uint64_t{1280} << 20);
  state.mutable_disk()->set_ballast_bytes(uint64_t{256} << 20);
  Ran ran = Run("status");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(StartsWith("takes new payments  yes\n"), HasSubstr("5000 MB"), HasSubstr("4711"),
                             HasSubstr("storage.backup_dir is not set")));

  state.mutable_disk()->set_low(true);
  state.mutable_disk()->set_ballast_bytes(0);
  state.mutable_backup()->set_folder("/backups");
  state.mutable_backup()->mutable_last()->set_backup_id(12);
  state.mutable_backup()->set_running_since_ms(1'795'248'306'123);
  state.mutable_backup()->set_last_failure("no room");
  ran = Run("status");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("NO: the disk is nearly full"), HasSubstr("1280 MB"), HasSubstr("released"),
                             HasSubstr("12, "), HasSubstr("no room"), HasSubstr("backup running")));

  state.mutable_restored()->set_backup_id(3);
  ran = Run("status");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("NO: restored from a backup"), HasSubstr("backup 3")));
  EXPECT_THAT(Run("status --json").out, HasSubstr("\"lastSequence\":\"4711\""));
}

TEST_F(CommandsTest, BackupsAreMadeAndTheOldSwitchConfirmedDead) {
  fake_.operations.backup.set_backup_id(12);
  fake_.operations.backup.set_last_sequence(4711);
  const Ran made = Run("backup create");
  EXPECT_EQ(made.exit, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("backup  12\n"), HasSubstr("4711")));

  const Ran confirmed = Run("backup confirm-old-switch-dead --by 8000000001", {"--reason", "host 7 is unplugged"});
  EXPECT_EQ(confirmed.exit, 0) << confirmed.err;
  EXPECT_EQ(fake_.operations.confirm.confirmed_by(), "8000000001");
  EXPECT_EQ(fake_.operations.confirm.reason(), "host 7 is unplugged");
  EXPECT_EQ(Run("backup confirm-old-switch-dead --by 8000000001").exit, 2) << "without a reason";

  fake_.operations.status = {grpc::StatusCode::FAILED_PRECONDITION, "a backup is being made"};
  const Ran refused = Run("backup create");
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("a backup is being made"));
}

}  // namespace
}  // namespace waystation::ctl
