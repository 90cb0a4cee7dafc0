// The life of a payment over the API: each result in its order of precedence, each script of the sandbox, cancel.

#include <csignal>

#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr grpc::StatusCode kOk = grpc::StatusCode::OK;

// "HELD UNKNOWN SUCCEEDED"
std::string HistoryText(const v1::Payment& payment) {
  std::string text;
  for (const v1::StateChange& change : payment.history()) {
    const std::string name = v1::PaymentState_Name(change.state()).substr(std::string("PAYMENT_STATE_").size());
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

class PaymentLife : public SwitchTest {
 protected:
  // Sends `request` under a new id; it is declined for `reason`, which is remembered.
  void Declined(v1::PayRequest* request, v1::DeclineReason reason) {
    request->set_request_id(fmt::format("declined-{}", declined_.size()));
    const Answer<v1::PayResponse> answer = Pay(api_, *request);
    SCOPED_TRACE(v1::DeclineReason_Name(reason));
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.value.payment().state(), v1::PAYMENT_STATE_DECLINED);
    EXPECT_EQ(answer.value.payment().decline().reason(), reason) << answer.value.payment().ShortDebugString();
    EXPECT_NE(answer.value.payment().decline().text(), "");
    declined_.emplace_back(*request, answer.value.SerializeAsString());
  }

  // A declined request keeps its decline, whatever has changed since.
  void ExpectSameDeclines() {
    for (const auto& [request, answer] : declined_) {
      EXPECT_EQ(Pay(api_, request).value.SerializeAsString(), answer) << request.ShortDebugString();
    }
  }

  void Refused(const v1::PayRequest& request, grpc::StatusCode code, const std::string& field) {
    const grpc::Status status = Pay(api_, request).status;
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), StartsWith(field + ": "));
  }

  std::string TokenFor(const std::string& customer_number) {
    const Answer<v1::InquireResponse> inquiry = Inquire(api_, station_, "gas", customer_number);
    EXPECT_TRUE(inquiry.ok()) << inquiry.status.error_message();
    owed_ = inquiry.value.answer().owed_fen();
    return inquiry.value.answer().inquiry_token();
  }

  const std::string station_ = StationNumber(1);
  int64_t owed_ = 0;
  std::vector<std::pair<v1::PayRequest, std::string>> declined_;
};

TEST_F(PaymentLife, OfTwoResultsThatApplyTheFirstIsGiven) {
  SwitchOptions options;
  options.step_fen = 100;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 0).ok());
  const v1::PayRequest used = PayRequestFor(station_, "used", "mobile", CustomerNumber("mobile", 1, 0), 2'000);
  ASSERT_TRUE(Pay(api_, used).ok());
  const std::string token = TokenFor(CustomerNumber("gas", 1, 0));
  const int64_t owed = owed_;
  const std::string other_token = TokenFor(CustomerNumber("gas", 2, 0));
  ASSERT_TRUE(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_DISABLED).ok());
  ASSERT_TRUE(SetStationStatus(api_, station_, v1::STATION_STATUS_SUSPENDED).ok());

  // Everything is wrong; then one thing after another is put right.
  v1::PayRequest request = PayRequestFor("1", "", "NOPE", "?", 0);
  request.set_operator_id("1");
  request.set_inquiry_token("made up");
  request.set_wait_ms(60'001);
  constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  Refused(request, kInvalid, "station_id");
  request.set_station_id(StationNumber(9));
  Refused(request, kInvalid, "operator_id");
  request.set_operator_id(kOperator);
  Refused(request, kInvalid, "request_id");
  request.set_request_id("used");
  Refused(request, kInvalid, "biller_id");
  request.set_biller_id("water");
  Refused(request, kInvalid, "customer_number");
  request.set_customer_number("12345");
  Refused(request, kInvalid, "amount_fen");
  request.set_amount_fen(1);
  Refused(request, kInvalid, "inquiry_token");
  request.clear_inquiry_token();
  Refused(request, kInvalid, "wait_ms");
  request.clear_wait_ms();
  Refused(request, grpc::StatusCode::NOT_FOUND, "biller_id");
  request.set_biller_id("gas");
  Refused(request, kInvalid, "customer_number");
  request.set_customer_number(CustomerNumber("gas", 1, 0));
  Refused(request, grpc::StatusCode::NOT_FOUND, "station_id");
  request.set_station_id(station_);
  Refused(request, grpc::StatusCode::ALREADY_EXISTS, "request_id");
  Declined(&request, v1::DECLINE_REASON_STATION_NOT_ACTIVE);
  ASSERT_TRUE(SetStationStatus(api_, station_, v1::STATION_STATUS_ACTIVE).ok());
  Declined(&request, v1::DECLINE_REASON_BILLER_DISABLED);
  ASSERT_TRUE(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_ENABLED).ok());
  Declined(&request, v1::DECLINE_REASON_INQUIRY_REQUIRED);
  request.set_inquiry_token(other_token);
  Declined(&request, v1::DECLINE_REASON_INQUIRY_MISMATCH);
  request.set_inquiry_token(token);
  Declined(&request, v1::DECLINE_REASON_AMOUNT_TOO_SMALL);
  request.set_amount_fen(1'000'001);
  Declined(&request, v1::DECLINE_REASON_AMOUNT_TOO_LARGE);
  request.set_amount_fen(owed + 1);
  Declined(&request, v1::DECLINE_REASON_AMOUNT_NOT_OWED);
  request.set_amount_fen(owed);
  Declined(&request, v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE);
  v1::PayRequest steps = PayRequestFor(station_, "", "mobile", CustomerNumber("mobile", 1, 90), 50);
  Declined(&steps, v1::DECLINE_REASON_AMOUNT_TOO_SMALL);
  steps.set_amount_fen(50'050);
  Declined(&steps, v1::DECLINE_REASON_AMOUNT_TOO_LARGE);
  steps.set_amount_fen(2'050);
  Declined(&steps, v1::DECLINE_REASON_AMOUNT_NOT_IN_STEP);
  steps.set_amount_fen(2'100);
  Declined(&steps, v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE);
  ASSERT_TRUE(Purchase(api_, station_, "money", 100'000).ok());
  Declined(&steps, v1::DECLINE_REASON_BILLER_DECLINED);

  request.set_request_id("paid");
  EXPECT_EQ(Pay(api_, request).value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(GetAccount(api_, station_).value.balance_fen(), 100'000 - owed);
  ExpectSameDeclines();
  ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
  ExpectSameDeclines();
  EXPECT_EQ(GetAccount(api_, station_).value.balance_fen(), 100'000 - owed);
}

TEST_F(PaymentLife, EachScriptOfTheSandboxComesToItsEnd) {
  struct Row {
    int ending;
    const char* history;
    v1::DeclineReason decline;
    const char* history_after_cancel;  // empty: it is not cancelled
  };
  constexpr v1::DeclineReason kNone = v1::DECLINE_REASON_UNSPECIFIED;
  const Row rows[] = {
      {0, "HELD SUCCEEDED", kNone, "HELD SUCCEEDED CANCELLING CANCELLED"},
      {90, "HELD DECLINED", v1::DECLINE_REASON_BILLER_DECLINED, ""},
      {91, "HELD DECLINED", v1::DECLINE_REASON_NOT_SENT, ""},
      {92, "HELD UNKNOWN SUCCEEDED", kNone, "HELD UNKNOWN SUCCEEDED CANCELLING CANCELLED"},
      {93, "HELD UNKNOWN DECLINED", v1::DECLINE_REASON_NOT_RECEIVED_BY_BILLER, ""},
      {94, "HELD UNKNOWN REVIEW", kNone, ""},
      {95, "HELD UNKNOWN SUCCEEDED", kNone, ""},
      {96, "HELD UNKNOWN SUCCEEDED", kNone, ""},
      {97, "HELD SUCCEEDED", kNone, "HELD SUCCEEDED CANCELLING SUCCEEDED"},
      {98, "HELD SUCCEEDED", kNone, "HELD SUCCEEDED CANCELLING CANCELLED"},
      {99, "HELD UNKNOWN SUCCEEDED", kNone, ""},
  };
  SwitchOptions options;
  options.time_limit_ms = 200;
  options.review_after_ms = 3'000;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  int64_t balance = 1'000'000;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.ending);
    const Answer<v1::PayResponse> paid =
        Pay(api_, PayRequestFor(station_, fmt::format("r{}", row.ending), "electricity",
                                CustomerNumber("electricity", 1, row.ending), 1'000));
    ASSERT_TRUE(paid.ok()) << paid.status.error_message();
    const v1::Payment& payment = paid.value.payment();
    EXPECT_EQ(HistoryText(payment), row.history);
    EXPECT_EQ(payment.decline().reason(), row.decline);
    EXPECT_EQ(payment.unknown_cause() != "", payment.state() == v1::PAYMENT_STATE_REVIEW);
    EXPECT_EQ(GetPayment(api_, payment.payment_id()).value.SerializeAsString(), payment.SerializeAsString());
    EXPECT_EQ(GetPaymentByRequest(api_, station_, payment.request_id()).value.SerializeAsString(),
              payment.SerializeAsString());
    const bool succeeded = payment.state() == v1::PAYMENT_STATE_SUCCEEDED;
    EXPECT_THAT(payment.biller_reference(), MatchesRegex(succeeded ? "E[0-9]{20}" : ""));
    EXPECT_THAT(payment.voucher(), MatchesRegex(succeeded ? "[0-9]{20}" : ""));
    if (succeeded) balance -= 1'000;
    if (row.history_after_cancel[0] == '\0') continue;
    const Answer<v1::CancelResponse> cancel = Cancel(api_, station_, payment.payment_id());
    ASSERT_TRUE(cancel.ok()) << cancel.status.error_message();
    EXPECT_EQ(HistoryText(cancel.value.payment()), row.history_after_cancel);
    EXPECT_EQ(cancel.value.decline().biller_code(), row.ending == 97 ? "61" : "");
    if (cancel.value.payment().state() == v1::PAYMENT_STATE_CANCELLED) {
      balance += 1'000;
      EXPECT_EQ(Cancel(api_, station_, payment.payment_id()).value.SerializeAsString(),
                cancel.value.SerializeAsString());
    }
  }
  const v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.balance_fen(), balance);
  EXPECT_EQ(account.reserved_fen(), 0);
  EXPECT_EQ(account.forwarded_fen(), 1'000) << "what is in REVIEW stays held";
  EXPECT_EQ(account.available_fen(), balance - 1'000);
}

TEST_F(PaymentLife, ACancelIsDeclinedInOrderOfPrecedence) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  ASSERT_TRUE(OpenStation(api_, StationNumber(2), 0).ok());
  v1::PayRequest gas = PayRequestFor(station_, "gas", "gas", CustomerNumber("gas", 1, 0), 0);
  gas.set_inquiry_token(TokenFor(gas.customer_number()));
  gas.set_amount_fen(owed_);
  const std::string gas_id = Pay(api_, gas).value.payment().payment_id();
  const std::string mobile_id =
      Pay(api_, PayRequestFor(station_, "mobile", "mobile", CustomerNumber("mobile", 1, 0), 5'000))
          .value.payment()
          .payment_id();
  const std::string declined_id =
      Pay(api_, PayRequestFor(station_, "no", "gas", CustomerNumber("gas", 1, 0), 5'000)).value.payment().payment_id();
  const auto reason = [&](const std::string& id) {
    const Answer<v1::CancelResponse> cancel = Cancel(api_, station_, id);
    EXPECT_EQ(cancel.status.error_code(), kOk) << cancel.status.error_message();
    return cancel.value.decline().reason();
  };
  EXPECT_EQ(Cancel(api_, StationNumber(9), mobile_id).status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Cancel(api_, StationNumber(2), mobile_id).status.error_code(), grpc::StatusCode::NOT_FOUND);
  ASSERT_EQ(CloseDay(api_, "2026-11-20").value.business_date(), "2026-11-21");
  ASSERT_TRUE(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_DISABLED).ok());
  ASSERT_TRUE(SetStationStatus(api_, station_, v1::STATION_STATUS_SUSPENDED).ok());
  EXPECT_EQ(reason(declined_id), v1::DECLINE_REASON_STATION_NOT_ACTIVE);
  ASSERT_TRUE(SetStationStatus(api_, station_, v1::STATION_STATUS_ACTIVE).ok());
  EXPECT_EQ(reason(declined_id), v1::DECLINE_REASON_BILLER_DISABLED);
  ASSERT_TRUE(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_ENABLED).ok());
  EXPECT_EQ(reason(declined_id), v1::DECLINE_REASON_NOT_CANCELLABLE);
  EXPECT_EQ(reason(gas_id), v1::DECLINE_REASON_CANCEL_NOT_SUPPORTED);
  EXPECT_EQ(reason(mobile_id), v1::DECLINE_REASON_CANCEL_DATE_PASSED);
  EXPECT_EQ(HistoryText(GetPayment(api_, mobile_id).value), "HELD SUCCEEDED");
}

TEST_F(PaymentLife, ACallerWhoDoesNotWaitIsToldTheStateReached) {
  SwitchOptions options;
  options.time_limit_ms = 2'000;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 100'000).ok());
  v1::PayRequest request = PayRequestFor(station_, "silent", "mobile", CustomerNumber("mobile", 1, 96), 5'000);
  request.set_wait_ms(0);
  const v1::Payment held = Pay(api_, request).value.payment();
  EXPECT_EQ(HistoryText(held), "HELD");
  v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.reserved_fen(), 5'000);
  EXPECT_EQ(account.available_fen(), 95'000);
  // A call that would end before its wait is answered in time, too.
  request.clear_wait_ms();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  v1::PayResponse response;
  EXPECT_TRUE(api_.payments->Pay(&context, request, &response).ok());
  EXPECT_EQ(response.payment().SerializeAsString(), held.SerializeAsString());

  Watch watch(api_, station_, held.sequence());
  EXPECT_EQ(watch.Next()->payment().state(), v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_EQ(watch.Next()->payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.balance_fen(), 95'000);
  EXPECT_EQ(account.reserved_fen() + account.forwarded_fen(), 0);
}

TEST_F(PaymentLife, AnInquiryThatIsNotAnsweredIsDeclined) {
  SwitchOptions options;
  options.latency_ms = 2'000;
  options.time_limit_ms = 50;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 0).ok());
  const auto reason = [&] {
    return Inquire(api_, station_, "gas", CustomerNumber("gas", 1, 0)).value.decline().reason();
  };
  EXPECT_EQ(reason(), v1::DECLINE_REASON_BILLER_OUT_OF_SERVICE);
  ASSERT_TRUE(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_DISABLED).ok());
  EXPECT_EQ(reason(), v1::DECLINE_REASON_BILLER_DISABLED);
  ASSERT_TRUE(SetStationStatus(api_, station_, v1::STATION_STATUS_SUSPENDED).ok());
  EXPECT_EQ(reason(), v1::DECLINE_REASON_STATION_NOT_ACTIVE);
}

TEST_F(PaymentLife, ABillThatCannotBePaidIsDeclinedAtTheInquiry) {
  SwitchOptions options;
  options.gas_most_fen = 100;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  // The sandbox's bills are of 1 to 300 yuan.
  const Answer<v1::InquireResponse> answer = Inquire(api_, StationNumber(1), "gas", CustomerNumber("gas", 1, 0));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.value.decline().reason(), v1::DECLINE_REASON_AMOUNT_TOO_LARGE);
  EXPECT_THAT(answer.value.decline().text(), ::testing::HasSubstr("yuan; expected at most 1.00"));
}

}  // namespace
}  // namespace waystation::e2e
