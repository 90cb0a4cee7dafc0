// One biller hangs: it goes out of service and comes back, and the others do not notice.

#include <atomic>
#include <thread>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kFailures = 8;

class HangingBiller : public SwitchTest {
 protected:
  void SetUp() override {
    SwitchOptions options;
    options.time_limit_ms = 300;
    options.breaker_failures = kFailures;
    options.probe_after_ms = 100;
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
    ASSERT_TRUE(OpenStation(api_, station_, 10'000'000'000).ok());
  }

  // Pays without waiting for the outcome. Ending 96: the biller is silent until the deadline.
  v1::Payment PayMobile(const std::string& request_id, int ending) {
    v1::PayRequest request = PayRequestFor(station_, request_id, "mobile", CustomerNumber("mobile", 1, ending), 5'000);
    request.set_wait_ms(0);
    const Answer<v1::PayResponse> answer = Pay(api_, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.value.payment();
  }

  // Sends payments that hang until the biller counts as out of service.
  void Hang() {
    const uint64_t first = PayMobile("silent-0", 96).sequence();
    for (uint32_t i = 1; i < kFailures; ++i) PayMobile(fmt::format("silent-{}", i), 96);
    Watch watch(api_, station_, first);
    size_t unknown = 0;
    while (unknown < kFailures) {
      const std::optional<v1::PaymentEvent> event = watch.Next();
      ASSERT_TRUE(event.has_value());
      unknown += event->payment().state() == v1::PAYMENT_STATE_UNKNOWN ? 1 : 0;
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

TEST_F(HangingBiller, TheOthersGoOn) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> paid{0};
  std::vector<std::jthread> counters;
  for (const char* biller : {"electricity", "gas"}) {
    counters.emplace_back([this, &stop, &paid, biller] {
      const Api api = process_->Connect();
      for (int i = 0; !stop; ++i) {
        const std::string customer = CustomerNumber(biller, i, 0);
        const Answer<v1::InquireResponse> inquiry = Inquire(api, station_, biller, customer);
        EXPECT_TRUE(inquiry.ok() && inquiry.value.has_answer()) << inquiry.value.ShortDebugString();
        v1::PayRequest request = PayRequestFor(station_, fmt::format("{}-{}", biller, i), biller, customer,
                                               std::max<int64_t>(inquiry.value.answer().owed_fen(), 100));
        request.set_inquiry_token(inquiry.value.answer().inquiry_token());
        const Answer<v1::PayResponse> answer = Pay(api, request);
        EXPECT_EQ(answer.value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED)
            << answer.status.error_message() << answer.value.ShortDebugString();
        ++paid;
      }
    });
  }
  Hang();
  for (int i = 0; i < 20; ++i) PayMobile(fmt::format("more-{}", i), 96);
  const uint64_t before = paid;
  while (paid < before + 20) std::this_thread::yield();
  stop = true;
  counters.clear();
  EXPECT_EQ(GetBiller(api_, "electricity").value.lane().breaker(), v1::BREAKER_STATE_CLOSED);
  EXPECT_EQ(GetBiller(api_, "gas").value.lane().breaker(), v1::BREAKER_STATE_CLOSED);
}

TEST_F(HangingBiller, ItGoesOutOfServiceAndComesBack) {
  Hang();
  // While it is open, or the few that are let through hang as well.
  v1::Payment declined;
  for (int i = 0; declined.state() != v1::PAYMENT_STATE_DECLINED; ++i) {
    declined = PayMobile(fmt::format("declined-{}", i), 96);
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
  const Answer<v1::Biller> answer = GetBiller(api_, "water");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("expected one of: electricity, gas, mobile"));
  EXPECT_EQ(GetBiller(api_, "No").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace waystation::e2e
