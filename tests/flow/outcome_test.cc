#include "switch/flow/outcome.h"

#include <gtest/gtest.h>

#include <string>

#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::flow {
namespace {

using core::DeclineReason;
using core::PaymentEvent;

const core::PaymentId kId = core::PaymentId::FromNumber(7);

TEST(OutcomeTest, OfPay) {
  const core::RecordOutcome approved = PayOutcomeFor(kId, adapters::Approved{"B1", "V1", "*明"});
  EXPECT_EQ(approved.payment_id, kId);
  EXPECT_EQ(approved.event, PaymentEvent::kApproved);
  EXPECT_EQ(approved.biller_reference, "B1");
  EXPECT_EQ(approved.voucher, "V1");
  EXPECT_EQ(approved.customer_name, "*明");
  EXPECT_EQ(approved.decline, std::nullopt);

  const core::RecordOutcome declined = PayOutcomeFor(kId, adapters::Declined{"51", "no"});
  EXPECT_EQ(declined.event, PaymentEvent::kDeclinedByBiller);
  EXPECT_EQ(declined.decline, (core::Decline{DeclineReason::kBillerDeclined, "51", "no"}));

  const core::RecordOutcome not_sent = PayOutcomeFor(kId, adapters::NotSent{"refused"});
  EXPECT_EQ(not_sent.event, PaymentEvent::kNotSent);
  EXPECT_EQ(not_sent.decline, (core::Decline{DeclineReason::kNotSent, "", "refused"}));

  const core::RecordOutcome unknown = PayOutcomeFor(kId, adapters::Unknown{"lost"});
  EXPECT_EQ(unknown.event, PaymentEvent::kOutcomeUnknown);
  EXPECT_EQ(unknown.unknown_cause, "lost");
  EXPECT_EQ(unknown.decline, std::nullopt);
}

TEST(OutcomeTest, OfCancel) {
  for (CancelRepeat repeat : {CancelRepeat::kNo, CancelRepeat::kYes}) {
    EXPECT_EQ(CancelOutcomeFor(kId, adapters::TakenBack{}, repeat)->event, PaymentEvent::kCancelConfirmed);
    const auto refused = CancelOutcomeFor(kId, adapters::Declined{"33", "used"}, repeat);
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->event, PaymentEvent::kCancelRefused);
    EXPECT_EQ(refused->decline, (core::Decline{DeclineReason::kBillerDeclined, "33", "used"}));
    EXPECT_FALSE(CancelOutcomeFor(kId, adapters::Unknown{"lost"}, repeat).has_value());
  }
  const auto failed = CancelOutcomeFor(kId, adapters::NotSent{"refused"}, CancelRepeat::kNo);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->event, PaymentEvent::kCancelRefused);
  EXPECT_EQ(failed->decline, (core::Decline{DeclineReason::kNotSent, "", "refused"}));
  EXPECT_FALSE(CancelOutcomeFor(kId, adapters::NotSent{"refused"}, CancelRepeat::kYes).has_value());
}

// What a biller sends can always be stored: a journal whose texts are not UTF-8 could not be read back.
TEST(OutcomeTest, TextsOfABillerAreCutAndCleaned) {
  const std::string bad = "a\xff" + std::string(500, 'x');
  const std::string wide = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "明";
    return text;
  }();
  for (const std::string& text : {bad, wide}) {
    const core::RecordOutcome approved = PayOutcomeFor(kId, adapters::Approved{text, text, text});
    EXPECT_LE(approved.biller_reference.size(), core::kMaxBillerReferenceBytes);
    EXPECT_LE(approved.voucher.size(), core::kMaxVoucherBytes);
    EXPECT_LE(approved.customer_name.size(), core::kMaxNameBytes);
    const core::RecordOutcome declined = PayOutcomeFor(kId, adapters::Declined{text, text});
    EXPECT_LE(declined.decline->biller_code.size(), core::kMaxBillerCodeBytes);
    EXPECT_LE(declined.decline->text.size(), core::kMaxReasonBytes);
    const core::RecordOutcome unknown = PayOutcomeFor(kId, adapters::Unknown{text});
    EXPECT_LE(unknown.unknown_cause.size(), core::kMaxReasonBytes);
    for (const std::string& stored : {approved.biller_reference, approved.voucher, approved.customer_name,
                                      declined.decline->biller_code, declined.decline->text, unknown.unknown_cause}) {
      EXPECT_TRUE(core::IsUtf8(stored)) << stored;
      EXPECT_GT(stored.size(), 20u) << "no more is lost than must be";
    }
  }
  EXPECT_EQ(PayOutcomeFor(kId, adapters::Unknown{"a\xff"
                                                 "b"})
                .unknown_cause,
            "a?b");
}

}  // namespace
}  // namespace waystation::flow
