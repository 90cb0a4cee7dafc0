// Input that nobody should send: each answered with a status that names the field and what was expected, and without
// any effect.

#include <functional>
#include <vector>

#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr char kNotUtf8[] = "\xC3\x28";
constexpr char kPackage[] = "waystation.v1.";

class BadInput : public SwitchTest {
 protected:
  void SetUp() override {
    StartSwitch();
    ASSERT_TRUE(OpenStation(api_, station_, 100'000).ok());
    before_ = GetDay(api_);
    ASSERT_TRUE(before_.ok());
  }

  // Nothing changed, and the daemon goes on.
  void TearDown() override {
    const Answer<v1::BusinessDay> after = GetDay(api_);
    ASSERT_TRUE(after.ok()) << after.status.error_message();
    EXPECT_EQ(after.value.SerializeAsString(), before_.value.SerializeAsString());
    EXPECT_EQ(GetAccount(api_, station_).value.available_fen(), 100'000);
    EXPECT_EQ(Pay(api_, GoodPay()).value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
    EXPECT_TRUE(Stop().ok());
    EXPECT_TRUE(process_->VerifyJournal().ok());
  }

  v1::PayRequest GoodPay() const {
    return PayRequestFor(station_, "request-1", "mobile", CustomerNumber("mobile", 1, 0), 5'000);
  }

  template <typename Request>
  void Refused(const std::string& method, const Request& request, grpc::StatusCode code, const std::string& field,
               const std::string& expected) {
    const grpc::Status status = SendRaw(api_, kPackage + method, request.SerializeAsString()).status;
    SCOPED_TRACE(method + " {" + request.ShortDebugString() + "}");
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), StartsWith(field + ": "));
    EXPECT_THAT(status.error_message(), HasSubstr(expected));
  }

  const std::string station_ = StationNumber(1);
  Answer<v1::BusinessDay> before_;
};

TEST_F(BadInput, TextThatIsNotUtf8IsNamedInEachFieldOfEachCall) {
  int fields = 0;
  for (const char* service : {"PaymentService", "AccountService", "AdminService", "ExceptionService"}) {
    const google::protobuf::ServiceDescriptor* services =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(kPackage) + service);
    ASSERT_NE(services, nullptr);
    for (int m = 0; m < services->method_count(); ++m) {
      const google::protobuf::Descriptor& request = *services->method(m)->input_type();
      for (int f = 0; f < request.field_count(); ++f) {
        if (request.field(f)->type() != google::protobuf::FieldDescriptor::TYPE_STRING) continue;
        // Tag, length, text; all field numbers are below 16.
        const std::string bytes =
            std::string{static_cast<char>(request.field(f)->number() << 3 | 2), '\x02'} + kNotUtf8;
        const grpc::Status status =
            SendRaw(api_, fmt::format("{}{}/{}", kPackage, service, services->method(m)->name()), bytes).status;
        EXPECT_EQ(status.error_code(), kInvalid) << services->method(m)->name();
        EXPECT_EQ(status.error_message(), request.field(f)->name() + ": is not valid UTF-8; expected text in UTF-8");
        ++fields;
      }
    }
  }
  EXPECT_GE(fields, 37);
}

TEST_F(BadInput, BytesThatAreNoMessage) {
  for (const char* method :
       {"PaymentService/Pay", "PaymentService/WatchPayments", "AccountService/GetAccount",
        "AdminService/RegisterStation", "AdminService/ListBillers", "ExceptionService/ListExceptions",
        "ExceptionService/ConfirmResolution", "JournalService/Stream"}) {
    for (const std::string& bytes : {std::string("\x0a\x7f"
                                                 "1"),
                                     std::string("\xff\xff\xff\xff"), std::string(1, '\0')}) {
      const grpc::Status status = SendRaw(api_, std::string(kPackage) + method, bytes).status;
      EXPECT_EQ(status.error_code(), kInvalid) << method << ": " << status.error_message();
      EXPECT_THAT(status.error_message(), HasSubstr("expected its protobuf encoding")) << method;
    }
  }
}

TEST_F(BadInput, FieldsOfPay) {
  struct Row {
    std::function<void(v1::PayRequest*)> change;
    grpc::StatusCode code;
    const char* field;
    const char* expected;
  };
  const std::string long_text(65, '1');
  const std::vector<Row> rows = {
      {[](auto* r) { r->clear_station_id(); }, kInvalid, "station_id", "expected 12 digits"},
      {[](auto* r) { r->set_station_id("44010600001"); }, kInvalid, "station_id", "expected 12 digits"},
      {[](auto* r) { r->set_station_id("4401060000011"); }, kInvalid, "station_id", "expected 12 digits"},
      {[](auto* r) { r->set_station_id("44010600000x"); }, kInvalid, "station_id", "expected 12 digits"},
      {[](auto* r) { r->set_station_id("４４０１"); }, kInvalid, "station_id", "expected 12 digits"},
      {[](auto* r) { r->set_station_id(StationNumber(2)); }, grpc::StatusCode::NOT_FOUND, "station_id",
       "expected a registered station"},
      {[](auto* r) { r->clear_operator_id(); }, kInvalid, "operator_id", "expected 10 digits"},
      {[](auto* r) { r->set_operator_id("440106001"); }, kInvalid, "operator_id", "expected 10 digits"},
      {[](auto* r) { r->set_operator_id("44010600011"); }, kInvalid, "operator_id", "expected 10 digits"},
      {[](auto* r) { r->set_operator_id("440106000\n"); }, kInvalid, "operator_id", "control characters"},
      {[](auto* r) { r->clear_request_id(); }, kInvalid, "request_id", "expected 1 to 64"},
      {[&](auto* r) { r->set_request_id(long_text); }, kInvalid, "request_id", "expected 1 to 64"},
      {[](auto* r) { r->set_request_id("a b"); }, kInvalid, "request_id", "expected 1 to 64"},
      {[](auto* r) { r->set_request_id("缴费1"); }, kInvalid, "request_id", "expected 1 to 64"},
      {[](auto* r) { r->set_request_id(std::string("a\0b", 3)); }, kInvalid, "request_id", "control characters"},
      {[](auto* r) { r->clear_biller_id(); }, kInvalid, "biller_id", "expected 1 to 32"},
      {[&](auto* r) { r->set_biller_id(long_text); }, kInvalid, "biller_id", "expected 1 to 32"},
      {[](auto* r) { r->set_biller_id("Mobile"); }, kInvalid, "biller_id", "expected 1 to 32"},
      {[](auto* r) { r->set_biller_id("water"); }, grpc::StatusCode::NOT_FOUND, "biller_id",
       "expected one of electricity, gas, mobile"},
      {[](auto* r) { r->clear_customer_number(); }, kInvalid, "customer_number", "expected 1 to 32"},
      {[&](auto* r) { r->set_customer_number(long_text); }, kInvalid, "customer_number", "expected 1 to 32"},
      {[](auto* r) { r->set_customer_number("138 0000"); }, kInvalid, "customer_number", "expected 1 to 32"},
      {[](auto* r) { r->set_customer_number("12800000000"); }, kInvalid, "customer_number", "expected a mobile number"},
      {[](auto* r) { r->set_customer_number("1380000000"); }, kInvalid, "customer_number", "expected a mobile number"},
      {[](auto* r) { r->clear_amount_fen(); }, kInvalid, "amount_fen", "expected 1 to 10000000000 fen"},
      {[](auto* r) { r->set_amount_fen(-1); }, kInvalid, "amount_fen", "expected 1 to 10000000000 fen"},
      {[](auto* r) { r->set_amount_fen(INT64_MIN); }, kInvalid, "amount_fen", "expected 1 to 10000000000 fen"},
      {[](auto* r) { r->set_amount_fen(INT64_MAX); }, kInvalid, "amount_fen", "expected 1 to 10000000000 fen"},
      {[](auto* r) { r->set_amount_fen(10'000'000'001); }, kInvalid, "amount_fen", "expected 1 to 10000000000 fen"},
      {[](auto* r) { r->set_inquiry_token("made up"); }, kInvalid, "inquiry_token", "expected a token exactly as"},
      {[](auto* r) { r->set_inquiry_token("bWFkZSB1cCBhbmQgbG9uZyBlbm91Z2g"); }, kInvalid, "inquiry_token",
       "expected a token exactly as"},
      {[](auto* r) { r->set_inquiry_token(std::string(30'000, 'A')); }, kInvalid, "inquiry_token",
       "expected a token exactly as"},
      {[](auto* r) { r->set_wait_ms(60'001); }, kInvalid, "wait_ms", "expected 0 to 60000"},
  };
  for (const Row& row : rows) {
    v1::PayRequest request = GoodPay();
    row.change(&request);
    Refused("PaymentService/Pay", request, row.code, row.field, row.expected);
  }
}

TEST_F(BadInput, FieldsOfInquireAndCancel) {
  v1::InquireRequest inquire;
  inquire.set_station_id("1");
  Refused("PaymentService/Inquire", inquire, kInvalid, "station_id", "expected 12 digits");
  inquire.set_station_id(station_);
  Refused("PaymentService/Inquire", inquire, kInvalid, "operator_id", "expected 10 digits");
  inquire.set_operator_id(kOperator);
  Refused("PaymentService/Inquire", inquire, kInvalid, "biller_id", "expected 1 to 32");
  inquire.set_biller_id("water");
  Refused("PaymentService/Inquire", inquire, kInvalid, "customer_number", "expected 1 to 32");
  inquire.set_customer_number("12345");
  Refused("PaymentService/Inquire", inquire, grpc::StatusCode::NOT_FOUND, "biller_id", "expected one of electricity");
  inquire.set_biller_id("gas");
  Refused("PaymentService/Inquire", inquire, kInvalid, "customer_number", "expected a gas customer number");

  v1::CancelRequest cancel;
  Refused("PaymentService/Cancel", cancel, kInvalid, "station_id", "expected 12 digits");
  cancel.set_station_id(station_);
  Refused("PaymentService/Cancel", cancel, kInvalid, "operator_id", "expected 10 digits");
  cancel.set_operator_id(kOperator);
  for (const char* id : {"", "0", "01", "-1", "1x", "18446744073709551616", "999999999999999999999"}) {
    cancel.set_payment_id(id);
    Refused("PaymentService/Cancel", cancel, kInvalid, "payment_id", "expected 1 to 20 decimal digits");
  }
  cancel.set_payment_id("1");
  cancel.set_wait_ms(UINT32_MAX);
  Refused("PaymentService/Cancel", cancel, kInvalid, "wait_ms", "expected 0 to 60000");
  cancel.clear_wait_ms();
  for (const char* id : {"1", "18446744073709551615"}) {
    cancel.set_payment_id(id);
    Refused("PaymentService/Cancel", cancel, grpc::StatusCode::NOT_FOUND, "payment_id", "has no payment");
  }
}

TEST_F(BadInput, FieldsOfReads) {
  v1::GetPaymentRequest get;
  Refused("PaymentService/GetPayment", get, kInvalid, "payment_id", "expected either payment_id alone");
  get.set_payment_id("007");
  Refused("PaymentService/GetPayment", get, kInvalid, "payment_id", "expected 1 to 20 decimal digits");
  get.set_payment_id("18446744073709551615");
  Refused("PaymentService/GetPayment", get, grpc::StatusCode::NOT_FOUND, "payment_id", "expected an id");
  get.set_station_id(station_);
  Refused("PaymentService/GetPayment", get, kInvalid, "payment_id", "expected either payment_id alone");
  get.clear_payment_id();
  Refused("PaymentService/GetPayment", get, kInvalid, "request_id", "expected 1 to 64");
  get.set_request_id("never-sent");
  Refused("PaymentService/GetPayment", get, grpc::StatusCode::NOT_FOUND, "request_id", "has not accepted it");

  v1::ListPaymentsRequest list;
  Refused("PaymentService/ListPayments", list, kInvalid, "station_id", "expected 12 digits");
  list.set_station_id(station_);
  list.set_from_date("2026-11-20");
  Refused("PaymentService/ListPayments", list, kInvalid, "to_date", "expected");
  for (const char* date : {"2026-02-30", "2026-13-01", "20261120", "0000-00-00", "2026-11-20T", "99999-01-01"}) {
    list.set_to_date(date);
    Refused("PaymentService/ListPayments", list, kInvalid, "to_date", "YYYY-MM-DD");
  }
  for (const char* date : {"2026-11-19", "2027-11-21"}) {
    list.set_to_date(date);
    Refused("PaymentService/ListPayments", list, kInvalid, "to_date", "at most 366 days");
  }
  list.set_to_date("2026-11-20");
  list.add_states(static_cast<v1::PaymentState>(77));
  Refused("PaymentService/ListPayments", list, kInvalid, "states", "77");
  list.clear_states();
  list.set_page_size(501);
  Refused("PaymentService/ListPayments", list, kInvalid, "page_size", "expected 1 to 500");
  list.set_page_size(10);
  for (const std::string& token : {std::string("made up"), std::string(40, 'A'), std::string("_-_-")}) {
    list.set_page_token(token);
    Refused("PaymentService/ListPayments", list, kInvalid, "page_token", "expected next_page_token of the page before");
  }

  v1::WatchPaymentsRequest watch;
  Refused("PaymentService/WatchPayments", watch, kInvalid, "station_id", "expected 12 digits");
  watch.set_station_id(station_);
  watch.set_after_sequence(UINT64_MAX);
  Refused("PaymentService/WatchPayments", watch, grpc::StatusCode::OUT_OF_RANGE, "after_sequence", "expected at most");

  v1::StreamJournalRequest stream;
  stream.set_from_sequence(UINT64_MAX);
  Refused("JournalService/Stream", stream, grpc::StatusCode::OUT_OF_RANGE, "from_sequence", "expected at most");

  v1::GetAccountRequest account;
  Refused("AccountService/GetAccount", account, kInvalid, "station_id", "expected 12 digits");
  account.set_station_id(StationNumber(2));
  Refused("AccountService/GetAccount", account, grpc::StatusCode::NOT_FOUND, "station_id", "expected a registered");
}

TEST_F(BadInput, FieldsOfStations) {
  v1::RegisterStationRequest station;
  Refused("AdminService/RegisterStation", station, kInvalid, "station_id", "expected 12 digits");
  station.set_station_id(StationNumber(3));
  Refused("AdminService/RegisterStation", station, kInvalid, "name", "expected 1 to 120 bytes");
  station.set_name(std::string(121, 'n'));
  Refused("AdminService/RegisterStation", station, kInvalid, "name", "expected");
  for (const char* name : {"two\nlines", "bell\a", "\x7f", "\x1b[31m"}) {
    station.set_name(name);
    Refused("AdminService/RegisterStation", station, kInvalid, "name", "control characters");
  }
  station.set_name("Village shop");
  station.add_signing_institutions("12");
  Refused("AdminService/RegisterStation", station, kInvalid, "signing_institutions", "expected 12 digits");
  station.clear_signing_institutions();
  for (int i = 0; i < 9; ++i) station.add_signing_institutions(StationNumber(100 + i));
  Refused("AdminService/RegisterStation", station, kInvalid, "signing_institutions", "expected at most 8");
  station.set_station_id(station_);
  station.clear_signing_institutions();
  Refused("AdminService/RegisterStation", station, grpc::StatusCode::ALREADY_EXISTS, "station_id", "expected the same");

  v1::SetStationStatusRequest status;
  status.set_station_id(station_);
  Refused("AdminService/SetStationStatus", status, kInvalid, "status", "expected APPROVED, ACTIVE");
  status.set_status(static_cast<v1::StationStatus>(-1));
  Refused("AdminService/SetStationStatus", status, kInvalid, "status", "expected APPROVED, ACTIVE");
  status.set_status(v1::STATION_STATUS_SUSPENDED);
  status.set_reason(std::string(201, 'r'));
  Refused("AdminService/SetStationStatus", status, kInvalid, "reason", "expected at most 200");
  status.set_reason("moved\r\n");
  Refused("AdminService/SetStationStatus", status, kInvalid, "reason", "control characters");
  status.clear_reason();
  status.set_status(v1::STATION_STATUS_APPLIED);
  Refused("AdminService/SetStationStatus", status, grpc::StatusCode::FAILED_PRECONDITION, "status", "can't become");
  status.set_station_id(StationNumber(3));
  Refused("AdminService/SetStationStatus", status, grpc::StatusCode::NOT_FOUND, "station_id", "expected a registered");

  v1::ListStationsRequest list;
  list.set_page_size(UINT32_MAX);
  Refused("AdminService/ListStations", list, kInvalid, "page_size", "expected 1 to 500");
  list.clear_page_size();
  list.set_page_token("made up");
  Refused("AdminService/ListStations", list, kInvalid, "page_token", "expected a token exactly as");
}

TEST_F(BadInput, FieldsOfMoneyBillersAndDays) {
  v1::GrantCreditRequest credit;
  credit.set_station_id(station_);
  for (const int64_t fen : {int64_t{-1}, INT64_MIN, INT64_MAX, int64_t{10'000'000'001}}) {
    credit.set_credit_limit_fen(fen);
    Refused("AdminService/GrantCredit", credit, kInvalid, "credit_limit_fen", "expected 0 to 10000000000 fen");
  }
  v1::RecordCounterPurchaseRequest purchase;
  purchase.set_station_id(station_);
  Refused("AdminService/RecordCounterPurchase", purchase, kInvalid, "request_id", "expected 1 to 64");
  purchase.set_request_id("receipt-1");
  for (const int64_t fen : {int64_t{0}, int64_t{49'999}, int64_t{-50'000}, INT64_MAX}) {
    purchase.set_amount_fen(fen);
    Refused("AdminService/RecordCounterPurchase", purchase, kInvalid, "amount_fen",
            "expected 50000 to 10000000000 fen");
  }
  purchase.set_amount_fen(50'000);
  Refused("AdminService/RecordCounterPurchase", purchase, kInvalid, "clerk_id", "expected 10 digits");
  purchase.set_clerk_id(kOperator);
  purchase.set_request_id("opening");
  Refused("AdminService/RecordCounterPurchase", purchase, grpc::StatusCode::ALREADY_EXISTS, "request_id",
          "expected a new id");

  v1::SetBillerStatusRequest biller;
  biller.set_biller_id("MOBILE");
  Refused("AdminService/SetBillerStatus", biller, kInvalid, "biller_id", "expected 1 to 32");
  biller.set_biller_id("mobile");
  Refused("AdminService/SetBillerStatus", biller, kInvalid, "status", "expected ENABLED or DISABLED");
  biller.set_status(v1::BILLER_STATUS_DISABLED);
  biller.set_reason("a\tb");
  Refused("AdminService/SetBillerStatus", biller, kInvalid, "reason", "control characters");
  biller.clear_reason();
  biller.set_biller_id("water");
  Refused("AdminService/SetBillerStatus", biller, grpc::StatusCode::NOT_FOUND, "biller_id",
          "expected one of: electricity, gas, mobile");

  v1::CloseBusinessDayRequest day;
  Refused("AdminService/CloseBusinessDay", day, kInvalid, "closing_date", "YYYY-MM-DD");
  day.set_closing_date("2026-11-31");
  Refused("AdminService/CloseBusinessDay", day, kInvalid, "closing_date", "YYYY-MM-DD");
  day.set_closing_date("2026-11-19");
  Refused("AdminService/CloseBusinessDay", day, grpc::StatusCode::FAILED_PRECONDITION, "closing_date",
          "expected 2026-11-20");
  day.set_closing_date("9999-12-31");
  Refused("AdminService/CloseBusinessDay", day, grpc::StatusCode::FAILED_PRECONDITION, "closing_date",
          "expected 2026-11-20");
  day.set_closing_date("2026-11-20");
  for (const char* date : {"2026-11-20", "2026-11-19", "2026-12-22"}) {
    day.set_opening_date(date);
    Refused("AdminService/CloseBusinessDay", day, kInvalid, "opening_date", "expected a date 1 to 31 days later");
  }
}

TEST_F(BadInput, ARequestOfFiveMegabytes) {
  v1::PayRequest request = GoodPay();
  request.set_customer_number(std::string(5 << 20, '1'));
  const Answer<v1::PayResponse> answer = Pay(api_, request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("65536"));
}

TEST_F(BadInput, ADeadlineThatHasPassed) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
  v1::PayResponse response;
  EXPECT_EQ(api_.payments->Pay(&context, GoodPay(), &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(BadInput, AMethodThatIsNotThere) {
  EXPECT_EQ(SendRaw(api_, "waystation.v1.PaymentService/Refund", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace waystation::e2e
