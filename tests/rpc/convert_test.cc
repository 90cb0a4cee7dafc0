#include "switch/rpc/convert.h"

#include "gtest/gtest.h"

namespace waystation::rpc {
namespace {

using core::PaymentState;

core::StateChange Change(uint64_t sequence, PaymentState state) {
  return {sequence, state, core::TimePoint(std::chrono::milliseconds(1'000 * sequence)),
          *core::BusinessDate::Parse("2026-11-20")};
}

// Paid, a cancel refused, cancelled at the second try.
core::Payment CancelledPayment() {
  core::Payment payment;
  payment.id = core::PaymentId::FromNumber(7);
  payment.station = core::StationId::FromNumber(17);
  payment.operator_id = "0000000001";
  payment.request_id = "r1";
  payment.biller_id = "mobile";
  payment.customer_number = "13800000000";
  payment.amount = core::Money::Fen(5'000);
  payment.state = PaymentState::kCancelled;
  payment.decline = core::Decline{core::DeclineReason::kBillerDeclined, "61", "used up already"};
  payment.biller_reference = "M1";
  payment.voucher = "12345678901234567890";
  payment.business_date = *core::BusinessDate::Parse("2026-11-20");
  payment.history = {Change(7, PaymentState::kHeld),       Change(8, PaymentState::kUnknown),
                     Change(9, PaymentState::kSucceeded),  Change(11, PaymentState::kCancelling),
                     Change(12, PaymentState::kSucceeded), Change(20, PaymentState::kCancelling),
                     Change(25, PaymentState::kCancelled)};
  return payment;
}

TEST(AsOf, TheLastChangeIsThePaymentAsItStands) {
  EXPECT_EQ(AsOf(CancelledPayment(), 6), CancelledPayment());
}

TEST(AsOf, AnEarlierChangeKnowsNothingOfLaterOnes) {
  const core::Payment payment = CancelledPayment();
  for (size_t i = 0; i + 1 < payment.history.size(); ++i) {
    const core::Payment past = AsOf(payment, i);
    EXPECT_EQ(past.history.size(), i + 1);
    EXPECT_EQ(past.state, payment.history[i].state);
    EXPECT_EQ(past.last_sequence(), payment.history[i].sequence);
    EXPECT_EQ(past.decline, std::nullopt);
    EXPECT_EQ(past.biller_reference, i >= 2 ? "M1" : "") << "known from the approval on";
    EXPECT_EQ(past.voucher.empty(), i < 2);
    EXPECT_EQ(past.amount, payment.amount);
    EXPECT_EQ(past.accepted_at(), payment.accepted_at());
  }
}

TEST(Convert, APayment) {
  v1::Payment out;
  ToProto(CancelledPayment(), &out);
  EXPECT_EQ(out.payment_id(), "7");
  EXPECT_EQ(out.station_id(), "000000000017") << "leading zeros are kept";
  EXPECT_EQ(out.state(), v1::PAYMENT_STATE_CANCELLED);
  EXPECT_EQ(out.decline().reason(), v1::DECLINE_REASON_BILLER_DECLINED);
  EXPECT_EQ(out.decline().biller_code(), "61");
  EXPECT_EQ(out.business_date(), "2026-11-20");
  EXPECT_EQ(out.accepted_at_ms(), 7'000);
  EXPECT_EQ(out.changed_at_ms(), 25'000);
  EXPECT_EQ(out.sequence(), 25U);
  ASSERT_EQ(out.history_size(), 7);
  EXPECT_EQ(out.history(1).state(), v1::PAYMENT_STATE_UNKNOWN);
}

}  // namespace
}  // namespace waystation::rpc
