// One biller hangs: the others do not notice; it goes out of service and comes back.

#include <thread>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kFailures = 8;

class HangingBiller : public SwitchTest {
 protected:
  void Start(const SwitchOptions& options) {
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
    ASSERT_TRUE(OpenStation(api_, station_, 10'000'000'000).ok());
  }
  // Billers that are soon given up and soon tried again.
  void StartQuick() {
    SwitchOptions options;
    options.time_limit_ms = 300;
    options.breaker_failures = kFailures;
    options.probe_after_ms = 100;
    Start(options);
  }

  // Without waiting for the outcome. The biller is silent until the deadline.
  Answer<v1::PayResponse> PaySilent(const std::string& request_id) {
    v1::PayRequest request = PayRequestFor(station_, request_id, "mobile", CustomerNumber("mobile", 1, 96), 5'000);
    request.set_wait_ms(0);
    return Pay(api_, request);
  }
  v1::Payment PayMobile(const std::string& request_id) {
    const Answer<v1::PayResponse> answer = PaySilent(request_id);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.value.payment();
  }

  // Has so many payments hang, one after the other, until the biller counts as out of service.
  void Hang() {
    const uint64_t first = PayMobile("silent-0").sequence();
    uint32_t sent = 1;
    while (sent < kFailures) PayMobile(fmt::format("silent-{}", sent++));
    Watch watch(api_, station_, first);
    while (GetBiller(api_, "mobile").value.lane().breaker() == v1::BREAKER_STATE_CLOSED) {
      const std::optional<v1::PaymentEvent> event = watch.Next();
      ASSERT_TRUE(event.has_value());
      if (event->payment().state() == v1::PAYMENT_STATE_UNKNOWN) PayMobile(fmt::format("silent-{}", sent++));
    }
  }

  std::string Show(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {"switchctl", "--address", process_->address(), "biller", "show", "mobile"};
    command.insert(command.end(), more.begin(), more.end());
    const Ended shown = RunToEnd(command, process_->folder() + "/show.log");
    EXPECT_EQ(shown.exit_status, 0) << shown.errors;
    return shown.output;
  }

  const std::string station_ = StationNumber(1);
};

// Every place with one biller is taken by a payment that hangs, and long before the first of them is given up the
// others have answered hundreds.
TEST_F(HangingBiller, TheOthersGoOn) {
  constexpr int kPayments = 200;  // of each
  SwitchOptions options;
  options.time_limit_ms = 30'000;
  ASSERT_NO_FATAL_FAILURE(Start(options));
  const std::string first = PayMobile("silent-0").payment_id();
  uint32_t hanging = 1;
  while (PaySilent(fmt::format("silent-{}", hanging)).status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) {
    ASSERT_LT(++hanging, 2'000u);
  }
  EXPECT_EQ(GetBiller(api_, "mobile").value.lane().in_flight(), hanging);

  std::vector<std::jthread> stations;
  for (const char* biller : {"electricity", "gas"}) {
    stations.emplace_back([this, biller] {
      const Api api = process_->Connect();
      for (int i = 0; i < kPayments; ++i) {
        const std::string customer = CustomerNumber(biller, i, 0);
        const Answer<v1::InquireResponse> inquiry = Inquire(api, station_, biller, customer);
        EXPECT_TRUE(inquiry.ok() && inquiry.value.has_answer()) << inquiry.value.ShortDebugString();
        v1::PayRequest request = PayRequestFor(station_, fmt::format("{}-{}", biller, i), biller, customer,
                                               std::max<int64_t>(inquiry.value.answer().owed_fen(), 100));
        request.set_inquiry_token(inquiry.value.answer().inquiry_token());
        const Answer<v1::PayResponse> answer = Pay(api, request);
        EXPECT_EQ(answer.value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED)
            << answer.status.error_message() << answer.value.ShortDebugString();
      }
    });
  }
  stations.clear();
  EXPECT_EQ(GetPayment(api_, first).value.state(), v1::PAYMENT_STATE_HELD) << "it is still with its biller";
  EXPECT_EQ(GetBiller(api_, "mobile").value.lane().in_flight(), hanging);
}

TEST_F(HangingBiller, ItGoesOutOfServiceAndComesBack) {
  ASSERT_NO_FATAL_FAILURE(StartQuick());
  ASSERT_NO_FATAL_FAILURE(Hang());
  // While it is open, or the few that are let through hang as well.
  v1::Payment declined;
  for (int i = 0; declined.state() != v1::PAYMENT_STATE_DECLINED; ++i) {
    declined = PayMobile(fmt::format("declined-{}", i));
  }
  EXPECT_EQ(declined.decline().reason(), v1::DECLINE_REASON_BILLER_OUT_OF_SERVICE);
  EXPECT_THAT(declined.decline().text(), HasSubstr("no answers from the biller since "));

  const v1::BillerLane lane = GetBiller(api_, "mobile").value.lane();
  EXPECT_NE(lane.breaker(), v1::BREAKER_STATE_CLOSED);
  EXPECT_GE(lane.last_minute().unknown(), kFailures);
  EXPECT_GE(lane.last_minute().refused(), 1u);
  EXPECT_EQ(lane.last_error().cause(), "no answer by the deadline");
  EXPECT_THAT(Show(), HasSubstr("no answer by the deadline"));
  EXPECT_THAT(Show({"--json"}), HasSubstr("\"lastMinute\":"));

  // The probe is answered; the first payment that is let through and succeeds ends it.
  v1::Payment paid;
  for (int i = 0; GetBiller(api_, "mobile").value.lane().breaker() != v1::BREAKER_STATE_CLOSED; ++i) {
    v1::PayRequest request =
        PayRequestFor(station_, fmt::format("good-{}", i), "mobile", CustomerNumber("mobile", 1, 0), 5'000);
    const Answer<v1::PayResponse> answer = Pay(api_, request);
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    paid = answer.value.payment();
  }
  EXPECT_EQ(paid.state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_THAT(Show(), HasSubstr("takes payments  yes"));
}

TEST_F(HangingBiller, ABillerThatIsNotThereIsNamed) {
  ASSERT_NO_FATAL_FAILURE(StartQuick());
  const Answer<v1::Biller> answer = GetBiller(api_, "water");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("expected one of: electricity, gas, mobile"));
  EXPECT_EQ(GetBiller(api_, "No").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace waystation::e2e
