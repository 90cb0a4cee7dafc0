#include <string>
#include <tuple>

#include "adapters/outcome_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_faults.h"

// Each operation under each fault, in both dialects.
namespace waystation::adapters {
namespace {

using sim::FaultKind;
using ::testing::HasSubstr;

class EachFault : public Iso8583Faults, public testing::WithParamInterface<std::tuple<Dialect, FaultKind>> {
 protected:
  void SetUp() override { Begin(std::get<0>(GetParam())); }
  static bool mac() { return std::get<0>(GetParam()).mac; }
  static FaultKind fault() { return std::get<1>(GetParam()); }
  // Whether an answer comes that can be relied on.
  static bool Answers() {
    switch (fault()) {
      case FaultKind::kNone:
      case FaultKind::kDecline:
      case FaultKind::kOutOfOrder:
      case FaultKind::kCutAfter:
      case FaultKind::kDouble:
      case FaultKind::kHeldUp:
      case FaultKind::kDrip: return true;
      case FaultKind::kBadMac: return !mac();
      case FaultKind::kLose:
      case FaultKind::kSilent:
      case FaultKind::kLate:
      case FaultKind::kCutUnheard:
      case FaultKind::kCutBefore:
      case FaultKind::kCutMiddle:
      case FaultKind::kWrongReference:
      case FaultKind::kGarbage: return false;
    }
    return false;
  }
  Deadline Limit() const { return Answers() ? In(kPatience) : In(kSoon); }
};

TEST_P(EachFault, PayNeverSaysThatThereIsNoEffectWhereThereMayBe) {
  Fault("pay", fault());
  const PaymentRequest payment = Payment(1'000'000'000'000'001);
  const PayOutcome outcome = Await(biller_->Pay(payment, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "approved" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
  EXPECT_EQ(HasEffect(payment), sim::HasEffect(fault()));
  EXPECT_THAT(Books(payment), HasSubstr(" asked=1"));
  if (HasEffect(payment)) {
    EXPECT_THAT(Books(payment), HasSubstr("times=1 customer=1234567800 amount_fen=5000"));
  }
  if (fault() == FaultKind::kBadMac && mac()) {
    EXPECT_THAT(Alarms(), HasSubstr("a wrong MAC"));
  }

  // Then the truth is found by a query, and the link works again.
  NoFaults();
  WaitForTheLink();
  const QueryOutcome found = Await(biller_->Query(payment, In(kPatience)));
  if (HasEffect(payment)) {
    EXPECT_EQ(Kind(found), "approved") << Text(found);
    if (Kind(outcome) == "approved") {
      EXPECT_EQ(Text(found), Text(outcome));
    }
  } else {
    EXPECT_EQ(Kind(found), fault() == FaultKind::kDecline ? "declined 05" : "never received") << Text(found);
  }
  EXPECT_EQ(Kind(Await(biller_->Pay(Payment(1'000'000'000'000'002), In(kPatience)))), "approved");
}

TEST_P(EachFault, QueryNeverDeniesWhatHasItsEffect) {
  const PaymentRequest payment = Payment(7);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("query", fault());
  const std::string found = Kind(Await(biller_->Query(payment, Limit())));
  EXPECT_EQ(found, Answers() && fault() != FaultKind::kDecline ? "approved" : "unknown");
}

TEST_P(EachFault, ReverseSaysTakenBackOnlyWhereItIs) {
  const PaymentRequest payment = Payment(8);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("reverse", fault());
  const ReverseOutcome outcome = Await(biller_->Reverse(payment, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "taken back" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
  EXPECT_EQ(HasEffect(payment), !sim::HasEffect(fault()));
  NoFaults();
  WaitForTheLink();
  PaymentRequest again = payment;
  again.earlier_attempts = 1;
  EXPECT_EQ(Kind(Await(biller_->Reverse(again, In(kPatience)))), "taken back");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_P(EachFault, CancelSaysTakenBackOnlyWhereItIs) {
  const PaymentRequest payment = Payment(9);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("cancel", fault());
  const CancelOutcome outcome = Await(biller_->Cancel(payment, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "taken back" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
  EXPECT_EQ(HasEffect(payment), !sim::HasEffect(fault()));
  NoFaults();
  WaitForTheLink();
  EXPECT_EQ(Kind(Await(biller_->Cancel(payment, In(kPatience)))), "taken back");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_P(EachFault, InquiryFindsTheCustomerOrSaysThatItDoesNotKnow) {
  Fault("inquire", fault());
  const InquiryOutcome outcome = Await(biller_->Inquire({core::StationId::FromNumber(1), kCustomer}, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "found" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
}

std::string FaultTestName(const testing::TestParamInfo<std::tuple<Dialect, FaultKind>>& test) {
  return std::get<0>(test.param).name + "_" + std::string(sim::ToText(std::get<1>(test.param)));
}
INSTANTIATE_TEST_SUITE_P(Hosts, EachFault,
                         testing::Combine(testing::ValuesIn(Dialects()), testing::ValuesIn(sim::AllFaults())),
                         FaultTestName);

}  // namespace
}  // namespace waystation::adapters
