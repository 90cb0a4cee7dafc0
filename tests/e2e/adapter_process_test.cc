// An adapter in a process of its own dies in the middle of a payment, and comes back.

#include "fmt/format.h"
#include "tests/contract/water_company.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

constexpr int64_t kDeposit = 1'000'000;
// Of whom the company enters a payment, and says nothing.
constexpr char kSilent[] = "100000095";

class AdapterProcessDies : public SwitchTest {
 protected:
  void SetUp() override {
    SwitchOptions options;
    // So long that the death comes first.
    options.more_billers = fmt::format(R"(  - id: water
    name: Water company
    adapter: remote
    settings:
      address: {}
      card_file: {}
    card:
      time_limit_ms: 60000
)",
                                       company_.address(), adapters::CardFile());
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
    ASSERT_TRUE(OpenStation(api_, station_, kDeposit).ok());
  }

  int Effects(const std::string& payment_id) {
    const absl::StatusOr<int> effects = company_.Effects(*core::PaymentId::Parse(payment_id));
    EXPECT_TRUE(effects.ok()) << effects.status();
    return effects.value_or(-1);
  }

  adapters::WaterCompany company_;
  const std::string station_ = StationNumber(1);
};

TEST_F(AdapterProcessDies, InTheMiddleOfAPaymentThatIsResolvedWhenItIsBack) {
  const Answer<v1::InquireResponse> inquiry = Inquire(api_, station_, "water", kSilent);
  ASSERT_TRUE(inquiry.ok() && inquiry.value.has_answer()) << inquiry.value.ShortDebugString();
  const int64_t owed_fen = inquiry.value.answer().owed_fen();
  v1::PayRequest request = PayRequestFor(station_, "water-1", "water", kSilent, owed_fen);
  request.set_inquiry_token(inquiry.value.answer().inquiry_token());
  request.set_wait_ms(0);
  const Answer<v1::PayResponse> sent = Pay(api_, request);
  ASSERT_TRUE(sent.ok()) << sent.status.error_message();
  const std::string payment = sent.value.payment().payment_id();
  while (Effects(payment) == 0) {
  }

  Watch watch(api_, station_, sent.value.payment().sequence());
  company_.Kill();
  ASSERT_TRUE(watch.WaitFor(payment, v1::PAYMENT_STATE_UNKNOWN));
  // Nothing is free while nobody knows.
  EXPECT_EQ(GetAccount(api_, station_).value.available_fen(), kDeposit - owed_fen);

  company_.Start();
  ASSERT_TRUE(watch.WaitFor(payment, v1::PAYMENT_STATE_SUCCEEDED));
  const v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.balance_fen(), kDeposit - owed_fen);
  EXPECT_EQ(account.available_fen(), kDeposit - owed_fen);
  EXPECT_FALSE(GetPayment(api_, payment).value.biller_reference().empty());
  EXPECT_EQ(Effects(payment), 1);
  ASSERT_TRUE(Stop().ok());
  EXPECT_TRUE(process_->VerifyJournal().ok());
}

}  // namespace
}  // namespace waystation::e2e
