// Payments whose outcome stays open: who acts next, approvals that come late, and what two people decide.

#include <algorithm>
#include <csignal>

#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr grpc::StatusCode kRefused = grpc::StatusCode::FAILED_PRECONDITION;
constexpr char kFirstClerk[] = "8000000001";
constexpr char kSecondClerk[] = "8000000002";

class Exceptions : public SwitchTest {
 protected:
  // Pays 10.00 yuan without waiting; the customer's ending says what becomes of it.
  v1::Payment Start(const std::string& station, const std::string& biller, int ending) {
    v1::PayRequest request = PayRequestFor(station, fmt::format("r{}", paid_++), biller,
                                           CustomerNumber(biller, 1, ending), biller == "mobile" ? 2'000 : 1'000);
    request.set_wait_ms(0);
    const Answer<v1::PayResponse> answer = Pay(api_, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.value.payment();
  }

  // The event of the payment's next change into `state`; an empty one when there is none.
  static v1::Payment Reached(Watch& watch, const v1::Payment& payment, v1::PaymentState state) {
    while (std::optional<v1::PaymentEvent> event = watch.Next()) {
      if (event->payment().payment_id() == payment.payment_id() && event->payment().state() == state) {
        return event->payment();
      }
    }
    ADD_FAILURE() << payment.payment_id() << " never came to " << v1::PaymentState_Name(state);
    return v1::Payment();
  }

  Answer<v1::ListExceptionsResponse> ListPage(const v1::ListExceptionsRequest& request) {
    return Call(api_.exceptions.get(), &v1::ExceptionService::Stub::ListExceptions, request);
  }

  // The payment ids of all pages.
  std::vector<std::string> List(v1::ListExceptionsRequest request) {
    std::vector<std::string> ids;
    do {
      const Answer<v1::ListExceptionsResponse> page = ListPage(request);
      EXPECT_TRUE(page.ok()) << page.status.error_message();
      for (const v1::Payment& payment : page.value.payments()) ids.push_back(payment.payment_id());
      request.set_page_token(page.value.next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }

  Answer<v1::Payment> Propose(const std::string& id, v1::Verdict verdict, const std::string& reason,
                              const std::string& clerk) {
    v1::ProposeResolutionRequest request;
    request.set_payment_id(id);
    request.set_verdict(verdict);
    request.set_reason(reason);
    request.set_clerk_id(clerk);
    return Call(api_.exceptions.get(), &v1::ExceptionService::Stub::ProposeResolution, request);
  }

  // What is proposed at present, unless told.
  Answer<v1::Payment> Confirm(const std::string& id, v1::Verdict verdict, const std::string& clerk,
                              uint64_t proposal = 0) {
    v1::ConfirmResolutionRequest request;
    const uint64_t present = GetPayment(api_, id).value.resolution().proposal();
    request.set_proposal(proposal != 0 ? proposal : std::max<uint64_t>(present, 1));
    request.set_payment_id(id);
    request.set_verdict(verdict);
    request.set_clerk_id(clerk);
    return Call(api_.exceptions.get(), &v1::ExceptionService::Stub::ConfirmResolution, request);
  }

  static void ExpectRefused(const Answer<v1::Payment>& answer, grpc::StatusCode code, const std::string& field) {
    EXPECT_EQ(answer.status.error_code(), code) << answer.status.error_message();
    EXPECT_THAT(answer.status.error_message(), StartsWith(field + ": "));
  }

  const std::string station_ = StationNumber(1);
  int paid_ = 0;
};

TEST_F(Exceptions, AnOpenPaymentSaysWhoDoesWhatNextAndUntilWhen) {
  SwitchOptions options;
  options.review_after_ms = 3'600'000;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  const v1::Payment started = Start(station_, "electricity", 94);
  Watch watch(api_, station_, 0);
  const v1::Payment event = Reached(watch, started, v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_EQ(event.owner(), v1::PAYMENT_OWNER_RESOLVER);
  EXPECT_EQ(event.next_action(), v1::NEXT_ACTION_QUERY);
  EXPECT_EQ(event.next_action_at_ms(), event.changed_at_ms() + 20) << "as of the change: the first query";
  EXPECT_EQ(event.deadline_ms(), event.changed_at_ms() + 3'600'000);

  const v1::Payment unknown = GetPayment(api_, started.payment_id()).value;
  EXPECT_EQ(unknown.owner(), v1::PAYMENT_OWNER_RESOLVER);
  EXPECT_EQ(unknown.next_action(), v1::NEXT_ACTION_QUERY);
  EXPECT_GE(unknown.next_action_at_ms(), event.next_action_at_ms());
  EXPECT_EQ(unknown.deadline_ms(), event.deadline_ms());

  // The same event, read later, is the same.
  const v1::Payment paid = Start(station_, "electricity", 0);
  const v1::Payment done = Reached(watch, paid, v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(done.owner(), v1::PAYMENT_OWNER_NOBODY);
  EXPECT_EQ(done.next_action(), v1::NEXT_ACTION_NONE);
  EXPECT_EQ(done.next_action_at_ms() + done.deadline_ms(), 0);
  Watch again(api_, station_, 0);
  const v1::Payment held = again.Next()->payment();
  EXPECT_EQ(held.owner(), v1::PAYMENT_OWNER_FLOW);
  EXPECT_EQ(held.next_action(), v1::NEXT_ACTION_AWAIT_ANSWER);
  EXPECT_EQ(held.deadline_ms(), held.accepted_at_ms() + 5'000) << "the biller's time limit";
  EXPECT_EQ(again.Next()->payment().SerializeAsString(), event.SerializeAsString());

  const auto listed = [&](v1::PaymentOwner owner, v1::NextAction action, bool overdue) {
    v1::ListPaymentsRequest request;
    request.set_station_id(station_);
    if (owner != v1::PAYMENT_OWNER_UNSPECIFIED) request.add_owners(owner);
    if (action != v1::NEXT_ACTION_UNSPECIFIED) request.add_next_actions(action);
    request.set_overdue_only(overdue);
    const auto page = Call(api_.payments.get(), &v1::PaymentService::Stub::ListPayments, request);
    EXPECT_TRUE(page.ok()) << page.status.error_message();
    std::vector<std::string> ids;
    for (const v1::Payment& payment : page.value.payments()) ids.push_back(payment.payment_id());
    return ids;
  };
  constexpr auto kAnyOwner = v1::PAYMENT_OWNER_UNSPECIFIED;
  constexpr auto kAnyAction = v1::NEXT_ACTION_UNSPECIFIED;
  EXPECT_THAT(listed(kAnyOwner, kAnyAction, false), ElementsAre(paid.payment_id(), started.payment_id()));
  EXPECT_THAT(listed(v1::PAYMENT_OWNER_NOBODY, kAnyAction, false), ElementsAre(paid.payment_id()));
  EXPECT_THAT(listed(v1::PAYMENT_OWNER_RESOLVER, kAnyAction, false), ElementsAre(started.payment_id()));
  EXPECT_THAT(listed(v1::PAYMENT_OWNER_PERSON, kAnyAction, false), IsEmpty());
  EXPECT_THAT(listed(kAnyOwner, v1::NEXT_ACTION_QUERY, false), ElementsAre(started.payment_id()));
  EXPECT_THAT(listed(kAnyOwner, v1::NEXT_ACTION_REVERSE, false), IsEmpty());
  EXPECT_THAT(listed(kAnyOwner, kAnyAction, true), IsEmpty());
}

TEST_F(Exceptions, AreListedOverAllStationsInPagesOfAnySize) {
  SwitchOptions options;
  options.review_after_ms = 3'600'000;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  std::vector<std::string> all;
  std::vector<std::string> mobile;
  for (int n = 1; n <= 3; ++n) {
    const std::string station = StationNumber(n);
    ASSERT_TRUE(OpenStation(api_, station, 1'000'000).ok());
    Watch watch(api_, station, 0);
    Start(station, "electricity", 0);  // final: in no list of exceptions
    for (const char* biller : {"electricity", "mobile"}) {
      const v1::Payment payment = Start(station, biller, 94);
      Reached(watch, payment, v1::PAYMENT_STATE_UNKNOWN);
      all.push_back(payment.payment_id());
      if (biller[0] == 'm') mobile.push_back(payment.payment_id());
    }
  }
  v1::ListExceptionsRequest request;
  for (const uint32_t page_size : {0, 1, 4, 6, 7, 500}) {
    request.set_page_size(page_size);
    EXPECT_EQ(List(request), all) << page_size;
  }
  request.set_page_size(1);
  request.set_biller_id("mobile");
  EXPECT_EQ(List(request), mobile);
  request.add_states(v1::PAYMENT_STATE_UNKNOWN);
  request.add_owners(v1::PAYMENT_OWNER_RESOLVER);
  EXPECT_EQ(List(request), mobile);

  const std::string token = ListPage(request).value.next_page_token();
  v1::ListExceptionsRequest other = request;
  other.set_biller_id("electricity");
  other.set_page_token(token);
  EXPECT_EQ(ListPage(other).status.error_code(), kInvalid);
  EXPECT_THAT(ListPage(other).status.error_message(), StartsWith("page_token: "));
  other.set_biller_id("mobile");
  other.set_page_size(500);
  EXPECT_EQ(ListPage(other).value.payments_size(), 2) << "the size of a page may change";

  request.set_overdue_only(true);
  EXPECT_THAT(List(request), IsEmpty());
  request.set_overdue_only(false);
  request.set_states(0, v1::PAYMENT_STATE_REVIEW);
  EXPECT_THAT(List(request), IsEmpty());
  request.set_states(0, v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_THAT(ListPage(request).status.error_message(), StartsWith("states: SUCCEEDED is no state of an open payment"));
  request.set_states(0, v1::PAYMENT_STATE_UNKNOWN);
  request.set_owners(0, v1::PAYMENT_OWNER_UNSPECIFIED);
  EXPECT_THAT(ListPage(request).status.error_message(), StartsWith("owners: 0 is no payment owner"));
}

TEST_F(Exceptions, PastItsDeadlineAPaymentIsReleasedByTwoPeople) {
  SwitchOptions options;
  options.review_after_ms = 100;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  Watch watch(api_, station_, 0);
  const v1::Payment started = Start(station_, "electricity", 94);
  const std::string id = started.payment_id();
  const v1::Payment review = Reached(watch, started, v1::PAYMENT_STATE_REVIEW);
  EXPECT_EQ(review.owner(), v1::PAYMENT_OWNER_PERSON);
  EXPECT_EQ(review.next_action(), v1::NEXT_ACTION_PROPOSE);
  EXPECT_EQ(review.next_action_at_ms() + review.deadline_ms(), 0);
  EXPECT_EQ(review.suggested_verdict(), v1::VERDICT_UNSPECIFIED) << "nobody knows";
  EXPECT_NE(review.unknown_cause(), "");
  EXPECT_EQ(GetPayment(api_, id).value.SerializeAsString(), review.SerializeAsString());
  EXPECT_EQ(GetAccount(api_, station_).value.forwarded_fen(), 1'000);

  ExpectRefused(Propose("x", v1::VERDICT_RELEASE, "x", kFirstClerk), kInvalid, "payment_id");
  ExpectRefused(Propose(id, v1::VERDICT_UNSPECIFIED, "x", kFirstClerk), kInvalid, "verdict");
  ExpectRefused(Propose(id, v1::VERDICT_RELEASE, "", kFirstClerk), kInvalid, "reason");
  ExpectRefused(Propose(id, v1::VERDICT_RELEASE, std::string(201, 'x'), kFirstClerk), kInvalid, "reason");
  ExpectRefused(Propose(id, v1::VERDICT_RELEASE, "x", "1"), kInvalid, "clerk_id");
  ExpectRefused(Confirm(id, v1::VERDICT_RELEASE, "1"), kInvalid, "clerk_id");
  ExpectRefused(Propose("999999", v1::VERDICT_RELEASE, "x", kFirstClerk), grpc::StatusCode::NOT_FOUND, "payment_id");
  ExpectRefused(Confirm(id, v1::VERDICT_RELEASE, kSecondClerk), kRefused, "payment_id");

  const Answer<v1::Payment> proposed = Propose(id, v1::VERDICT_RELEASE, "not in its file", kFirstClerk);
  ASSERT_TRUE(proposed.ok()) << proposed.status.error_message();
  EXPECT_EQ(proposed.value.state(), v1::PAYMENT_STATE_REVIEW);
  EXPECT_EQ(proposed.value.next_action(), v1::NEXT_ACTION_CONFIRM);
  EXPECT_EQ(proposed.value.resolution().proposed_by(), kFirstClerk);
  EXPECT_EQ(GetAccount(api_, station_).value.forwarded_fen(), 1'000) << "nothing is posted yet";
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  EXPECT_EQ(GetPayment(api_, id).value.SerializeAsString(), proposed.value.SerializeAsString());
  EXPECT_EQ(Propose(id, v1::VERDICT_RELEASE, "not in its file", kFirstClerk).value.SerializeAsString(),
            proposed.value.SerializeAsString())
      << "the same again changes nothing";

  ExpectRefused(Confirm(id, v1::VERDICT_RELEASE, kFirstClerk), kRefused, "clerk_id");
  ExpectRefused(Confirm(id, v1::VERDICT_CHARGE_STATION, kSecondClerk), kRefused, "verdict");
  const uint64_t first = proposed.value.resolution().proposal();
  const uint64_t second =
      Propose(id, v1::VERDICT_RELEASE, "nor in the one of today", kFirstClerk).value.resolution().proposal();
  EXPECT_GT(second, first);
  ExpectRefused(Confirm(id, v1::VERDICT_RELEASE, kSecondClerk, first), kRefused, "proposal");
  const Answer<v1::Payment> adjusted = Confirm(id, v1::VERDICT_RELEASE, kSecondClerk);
  ASSERT_TRUE(adjusted.ok()) << adjusted.status.error_message();
  EXPECT_EQ(adjusted.value.state(), v1::PAYMENT_STATE_ADJUSTED);
  EXPECT_EQ(adjusted.value.owner(), v1::PAYMENT_OWNER_NOBODY);
  EXPECT_EQ(adjusted.value.resolution().confirmed_by(), kSecondClerk);
  EXPECT_EQ(Confirm(id, v1::VERDICT_RELEASE, kSecondClerk).value.SerializeAsString(),
            adjusted.value.SerializeAsString());
  ExpectRefused(Propose(id, v1::VERDICT_RELEASE, "again", kFirstClerk), kRefused, "payment_id");
  const v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.balance_fen(), 1'000'000);
  EXPECT_EQ(account.available_fen(), 1'000'000);
  EXPECT_THAT(List(v1::ListExceptionsRequest()), IsEmpty());
  ASSERT_TRUE(Stop().ok());
  const absl::Status verified = process_->VerifyJournal();
  EXPECT_TRUE(verified.ok()) << verified;
}

TEST_F(Exceptions, AnApprovalThatComesLateCapturesOrIsALateSuccessForTwoPeople) {
  SwitchOptions options;
  options.time_limit_ms = 50;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  Watch watch(api_, station_, 0);
  // Both are approved 2 s after the deadline; until then a query says "unknown" of the one, "never received" of the
  // other, which is released for it.
  const v1::Payment late = Start(station_, "electricity", 88);
  const v1::Payment denied = Start(station_, "electricity", 89);
  const v1::Payment declined = Reached(watch, denied, v1::PAYMENT_STATE_DECLINED);
  EXPECT_EQ(declined.decline().reason(), v1::DECLINE_REASON_NOT_RECEIVED_BY_BILLER);
  const v1::Payment captured = Reached(watch, late, v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_NE(captured.biller_reference(), "");
  EXPECT_NE(captured.voucher(), "");

  const std::string id = denied.payment_id();
  Watch rest(api_, station_, declined.sequence());
  const v1::Payment review = Reached(rest, denied, v1::PAYMENT_STATE_REVIEW);
  EXPECT_EQ(review.suggested_verdict(), v1::VERDICT_CHARGE_STATION);
  EXPECT_NE(review.biller_reference(), "");
  EXPECT_THAT(review.unknown_cause(), AllOf(HasSubstr("when it was DECLINED"), HasSubstr(review.biller_reference())));
  EXPECT_THAT(List(v1::ListExceptionsRequest()), ElementsAre(id));
  EXPECT_EQ(GetAccount(api_, station_).value.balance_fen(), 999'000) << "the other one is paid";

  ASSERT_TRUE(Propose(id, v1::VERDICT_CHARGE_STATION, "approved after all", kFirstClerk).ok());
  ExpectRefused(Confirm(id, v1::VERDICT_CHARGE_STATION, kFirstClerk), kRefused, "clerk_id");
  const Answer<v1::Payment> adjusted = Confirm(id, v1::VERDICT_CHARGE_STATION, kSecondClerk);
  ASSERT_TRUE(adjusted.ok()) << adjusted.status.error_message();
  EXPECT_EQ(adjusted.value.state(), v1::PAYMENT_STATE_ADJUSTED);
  EXPECT_EQ(adjusted.value.biller_reference(), review.biller_reference());
  ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
  EXPECT_EQ(GetPayment(api_, id).value.SerializeAsString(), adjusted.value.SerializeAsString());
  const v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.balance_fen(), 998'000);
  EXPECT_EQ(account.reserved_fen() + account.forwarded_fen(), 0);
  ASSERT_TRUE(Stop().ok());
  const absl::Status verified = process_->VerifyJournal();
  EXPECT_TRUE(verified.ok()) << verified;
}

}  // namespace
}  // namespace waystation::e2e
