#include "switch/ctl/payment_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waystation::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Payment Paid() {
  v1::Payment payment;
  payment.set_payment_id("1042");
  payment.set_station_id("100000000001");
  payment.set_operator_id("2000000001");
  payment.set_request_id("till1-000042");
  payment.set_biller_id("electricity");
  payment.set_customer_number("3700000001");
  payment.set_customer_name("王*明");
  payment.set_amount_fen(8640);
  payment.set_state(v1::PAYMENT_STATE_SUCCEEDED);
  payment.set_biller_reference("E-77");
  payment.set_voucher("12345678901234567890");
  payment.set_business_date("2026-11-21");
  payment.set_accepted_at_ms(1'795'248'306'123);
  payment.set_changed_at_ms(1'795'248'306'456);
  return payment;
}

TEST(ReceiptTest, CarriesWhatTheCustomerIsOwed) {
  EXPECT_EQ(Receipt(Paid()),
            "=================== RECEIPT ====================\n"
            "station           100000000001\n"
            "operator          2000000001\n"
            "biller            electricity\n"
            "customer number   3700000001\n"
            "customer name     王*明\n"
            "amount            86.40 yuan\n"
            "business date     2026-11-21\n"
            "time              2026-11-21 16:05:06.123 UTC+8\n"
            "payment id        1042\n"
            "biller reference  E-77\n"
            "voucher           12345678901234567890\n"
            "=================== RECEIPT ====================\n");
}

TEST(ReceiptTest, OfACancelledPaymentDoesNotPassForPaid) {
  v1::Payment payment = Paid();
  payment.set_state(v1::PAYMENT_STATE_CANCELLED);
  EXPECT_TRUE(HasReceipt(payment));
  EXPECT_THAT(Receipt(payment), HasSubstr("NOT VALID         CANCELLED\n"));
}

TEST(ReceiptTest, IsOnlyForWhatWasPaid) {
  v1::Payment payment = Paid();
  for (const v1::PaymentState state :
       {v1::PAYMENT_STATE_HELD, v1::PAYMENT_STATE_DECLINED, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_REVERSING,
        v1::PAYMENT_STATE_REVERSED, v1::PAYMENT_STATE_REVIEW, v1::PAYMENT_STATE_ADJUSTED}) {
    payment.set_state(state);
    EXPECT_FALSE(HasReceipt(payment)) << state;
  }
}

TEST(DetailsTest, ShowsDeclineAndHistory) {
  v1::Payment payment = Paid();
  payment.set_state(v1::PAYMENT_STATE_DECLINED);
  payment.mutable_decline()->set_reason(v1::DECLINE_REASON_BILLER_DECLINED);
  payment.mutable_decline()->set_text("meter is blocked");
  payment.mutable_decline()->set_biller_code("E17");
  v1::StateChange* change = payment.add_history();
  change->set_sequence(1042);
  change->set_state(v1::PAYMENT_STATE_HELD);
  change->set_changed_at_ms(1'795'248'306'123);
  change->set_business_date("2026-11-21");
  const std::string text = Details(payment);
  EXPECT_THAT(text, HasSubstr("BILLER_DECLINED: meter is blocked (biller code E17)\n"));
  EXPECT_THAT(text, HasSubstr("    1042  HELD   2026-11-21 16:05:06.123  2026-11-21\n"));
  EXPECT_THAT(text, Not(HasSubstr("not known because")));
}

TEST(DetailsTest, ShowsWhoActsNextWhileItIsNotFinal) {
  v1::Payment payment = Paid();
  payment.set_owner(v1::PAYMENT_OWNER_NOBODY);
  payment.set_next_action(v1::NEXT_ACTION_NONE);
  EXPECT_EQ(NextStep(payment), "");
  EXPECT_THAT(Details(payment), Not(HasSubstr("next step")));
  payment.set_state(v1::PAYMENT_STATE_UNKNOWN);
  payment.set_owner(v1::PAYMENT_OWNER_RESOLVER);
  payment.set_next_action(v1::NEXT_ACTION_QUERY);
  payment.set_next_action_at_ms(1'795'248'306'123);
  payment.set_deadline_ms(1'795'248'307'123);
  EXPECT_THAT(Details(payment), HasSubstr("next step         RESOLVER: QUERY\n"
                                          "at                2026-11-21 16:05:06.123 UTC+8\n"
                                          "deadline          2026-11-21 16:05:07.123 UTC+8\n"));
}

TEST(DetailsTest, CallsTheCauseEvidenceOnceAPersonDecides) {
  v1::Payment payment = Paid();
  payment.set_unknown_cause("no answer");
  payment.set_state(v1::PAYMENT_STATE_UNKNOWN);
  EXPECT_THAT(Details(payment), HasSubstr("not known because  no answer\n"));
  payment.set_state(v1::PAYMENT_STATE_REVIEW);
  EXPECT_THAT(Details(payment), HasSubstr("evidence          no answer\n"));
}

TEST(DetailsTest, ShowsWhatIsProposedAndByWhomItWasConfirmed) {
  v1::Payment payment = Paid();
  payment.mutable_resolution()->set_verdict(v1::VERDICT_RELEASE);
  payment.mutable_resolution()->set_reason("not in the file");
  payment.mutable_resolution()->set_proposed_by("8000000001");
  payment.mutable_resolution()->set_proposal(1057);
  EXPECT_THAT(Details(payment), HasSubstr("proposed          RELEASE: not in the file\n"
                                          "proposed by       8000000001\n"
                                          "proposal          1057\n"));
  payment.mutable_resolution()->set_confirmed_by("8000000002");
  EXPECT_THAT(Details(payment), HasSubstr("resolved          RELEASE: not in the file\n"
                                          "proposed by       8000000001\n"
                                          "proposal          1057\n"
                                          "confirmed by      8000000002\n"));
}

TEST(DeclineTest, EveryReasonHasItsNextStep) {
  const std::string_view unknown = NextAfter(static_cast<v1::DeclineReason>(999));
  for (int i = v1::DeclineReason_MIN + 1; i <= v1::DeclineReason_MAX; ++i) {
    EXPECT_NE(NextAfter(static_cast<v1::DeclineReason>(i)), unknown) << i;
  }
}

}  // namespace
}  // namespace waystation::ctl
