#include "switch/rpc/convert.h"

#include <vector>

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

// In REVIEW, by way of `states`.
core::Payment Reviewed(const std::vector<PaymentState>& states) {
  core::Payment payment = CancelledPayment();
  payment.history = {Change(7, PaymentState::kHeld)};
  for (PaymentState state : states) payment.history.push_back(Change(payment.last_sequence() + 1, state));
  payment.history.push_back(Change(payment.last_sequence() + 1, PaymentState::kReview));
  payment.state = PaymentState::kReview;
  return payment;
}

TEST(AsOf, AResolutionIsOfTheAdjustment) {
  core::Payment payment = Reviewed({PaymentState::kUnknown});
  payment.resolution = core::Resolution{core::Verdict::kRelease, "not in the file", "8000000001", ""};
  EXPECT_EQ(AsOf(payment, 2).resolution, std::nullopt) << "proposed after the change";
  payment.resolution->confirmed_by = "8000000002";
  payment.state = PaymentState::kAdjusted;
  payment.history.push_back(Change(10, PaymentState::kAdjusted));
  EXPECT_EQ(AsOf(payment, 3), payment);
  EXPECT_EQ(AsOf(payment, 2).resolution, std::nullopt);
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
  ToProto(CancelledPayment(), flow::NextStep(), &out);
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
  EXPECT_EQ(out.owner(), v1::PAYMENT_OWNER_NOBODY);
  EXPECT_EQ(out.next_action(), v1::NEXT_ACTION_NONE);
  EXPECT_EQ(out.next_action_at_ms(), 0);
  EXPECT_EQ(out.deadline_ms(), 0);
  EXPECT_FALSE(out.has_resolution());
  EXPECT_EQ(out.suggested_verdict(), v1::VERDICT_UNSPECIFIED);
}

TEST(Convert, TheNextStepAndTheResolution) {
  core::Payment payment = Reviewed({PaymentState::kUnknown});
  payment.resolution = core::Resolution{core::Verdict::kWriteOff, "in the file", "8000000001", ""};
  const flow::NextStep next{.owner = flow::Owner::kResolver,
                            .action = flow::NextAction::kReverse,
                            .at = core::TimePoint(std::chrono::milliseconds(12)),
                            .deadline = core::TimePoint(std::chrono::milliseconds(34))};
  v1::Payment out;
  ToProto(payment, next, &out);
  EXPECT_EQ(out.owner(), v1::PAYMENT_OWNER_RESOLVER);
  EXPECT_EQ(out.next_action(), v1::NEXT_ACTION_REVERSE);
  EXPECT_EQ(out.next_action_at_ms(), 12);
  EXPECT_EQ(out.deadline_ms(), 34);
  EXPECT_EQ(out.resolution().verdict(), v1::VERDICT_WRITE_OFF);
  EXPECT_EQ(out.resolution().reason(), "in the file");
  EXPECT_EQ(out.resolution().proposed_by(), "8000000001");
  EXPECT_EQ(out.resolution().confirmed_by(), "");
}

TEST(Convert, AVerdictIsSuggestedWhereTheRecordHasTheBillersApproval) {
  EXPECT_EQ(SuggestedVerdict(Reviewed({PaymentState::kUnknown, PaymentState::kDeclined})),
            core::Verdict::kChargeStation);
  EXPECT_EQ(SuggestedVerdict(Reviewed({PaymentState::kReversing, PaymentState::kReversed})),
            core::Verdict::kChargeStation);
  for (const PaymentState before : {PaymentState::kUnknown, PaymentState::kReversing, PaymentState::kCancelling}) {
    core::Payment payment = Reviewed({before});
    payment.biller_reference.clear();
    EXPECT_EQ(SuggestedVerdict(payment), std::nullopt) << core::Name(before);
    payment.biller_reference = "M1";
    EXPECT_EQ(SuggestedVerdict(payment).has_value(), before != PaymentState::kCancelling) << core::Name(before);
  }
  EXPECT_EQ(SuggestedVerdict(CancelledPayment()), std::nullopt);
}

}  // namespace
}  // namespace waystation::rpc
