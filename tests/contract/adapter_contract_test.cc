#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "adapters/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "re2/re2.h"
#include "switch/core/limits.h"
#include "tests/adapters/await.h"
#include "tests/adapters/outcome_text.h"
#include "tests/adapters/payment.h"
#include "tests/contract/registered.h"

// What every adapter promises, run over all that is registered.
namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::Le;
using ::testing::SizeIs;
using Clock = std::chrono::steady_clock;

TEST(ContractCases, CoverWhatIsRegistered) {
  std::set<std::string_view> covered;
  for (const RegisteredCase& registered : RegisteredCases()) covered.insert(registered.adapter);
  const std::vector<std::string_view> names = AdapterNames();
  EXPECT_EQ(covered, std::set<std::string_view>(names.begin(), names.end()));
}

class AdapterContract : public testing::TestWithParam<RegisteredCase> {
 protected:
  static std::unique_ptr<BillerAdapter> Make(const Settings& settings) {
    auto created = Create(GetParam().adapter, settings, {});
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }

  Deadline Soon() const { return In(biller_->card().time_limit); }
  InquiryRequest Inquiry() const { return {core::StationId::FromNumber(1), GetParam().customer_number}; }

  // A payment that the card allows: of what is owed where the biller goes by that, else of the least amount.
  PaymentRequest Payment(uint64_t id) {
    PaymentRequest request = MakePayment(id, GetParam().customer_number, biller_->card().least);
    if (biller_->card().amount_rule != AmountRule::kFree) {
      const InquiryOutcome outcome = Await(biller_->Inquire(Inquiry(), Soon()));
      EXPECT_TRUE(std::holds_alternative<InquiryFound>(outcome)) << Text(outcome);
      request.amount = std::get<InquiryFound>(outcome).owed;
    }
    return request;
  }

  const std::unique_ptr<BillerAdapter> biller_ = Make(GetParam().settings);
};

TEST_P(AdapterContract, CardHoldsTogether) {
  const CapabilityCard& card = biller_->card();
  EXPECT_TRUE(ValidateCard(card).ok()) << ValidateCard(card);
  EXPECT_THAT(card.service, AnyOf("mobile", "electricity", "gas", "water"));
  const re2::RE2 pattern(card.customer_number_pattern);
  EXPECT_TRUE(re2::RE2::FullMatch(GetParam().customer_number, pattern));
  EXPECT_TRUE(re2::RE2::FullMatch(GetParam().unknown_customer_number, pattern));
  EXPECT_FALSE(re2::RE2::FullMatch("", pattern));
  if (card.amount_rule != AmountRule::kFree) {
    EXPECT_EQ(card.inquiry, InquiryRule::kRequired) << "without it nobody knows what is owed";
  }
  EXPECT_TRUE(card.can_query || card.can_reverse) << "without either nothing settles an unknown outcome";
  EXPECT_TRUE(card.can_query || !card.query_denial_is_final);
}

TEST_P(AdapterContract, InquiryFindsTheCustomer) {
  if (biller_->card().inquiry != InquiryRule::kNone) {
    const InquiryOutcome outcome = Await(biller_->Inquire(Inquiry(), Soon()));
    ASSERT_TRUE(std::holds_alternative<InquiryFound>(outcome)) << Text(outcome);
    const InquiryFound& found = std::get<InquiryFound>(outcome);
    EXPECT_THAT(found.customer_name, SizeIs(Le(core::kMaxNameBytes)));
    EXPECT_GE(found.owed, core::Money());
    if (biller_->card().amount_rule != AmountRule::kFree) {
      EXPECT_GE(found.owed, biller_->card().least);
      EXPECT_LE(found.owed, biller_->card().most);
    }
    EXPECT_EQ(Text(outcome), Text(Await(biller_->Inquire(Inquiry(), Soon()))));
  }
}

TEST_P(AdapterContract, InquiryDeclinesACustomerThatTheBillerDoesNotKnow) {
  if (biller_->card().inquiry != InquiryRule::kNone) {
    InquiryRequest inquiry = Inquiry();
    inquiry.customer_number = GetParam().unknown_customer_number;
    const InquiryOutcome outcome = Await(biller_->Inquire(inquiry, Soon()));
    ASSERT_TRUE(std::holds_alternative<Declined>(outcome)) << Text(outcome);
    EXPECT_THAT(std::get<Declined>(outcome).biller_code, SizeIs(Le(core::kMaxBillerCodeBytes)));
    EXPECT_THAT(std::get<Declined>(outcome).text, SizeIs(Le(core::kMaxReasonBytes)));
  }
}

TEST_P(AdapterContract, ApprovalHasAReferenceAndTheVoucherThatTheCardPromises) {
  const PayOutcome outcome = Await(biller_->Pay(Payment(1), Soon()));
  ASSERT_TRUE(std::holds_alternative<Approved>(outcome)) << Text(outcome);
  const Approved& approved = std::get<Approved>(outcome);
  EXPECT_FALSE(approved.biller_reference.empty());
  EXPECT_THAT(approved.biller_reference, SizeIs(Le(core::kMaxBillerReferenceBytes)));
  EXPECT_EQ(!approved.voucher.empty(), biller_->card().issues_voucher);
  EXPECT_THAT(approved.voucher, SizeIs(Le(core::kMaxVoucherBytes)));
  EXPECT_THAT(approved.customer_name, SizeIs(Le(core::kMaxNameBytes)));
}

TEST_P(AdapterContract, PaymentsHaveReferencesOfTheirOwn) {
  std::set<std::string> references;
  for (uint64_t id = 1; id <= 100; ++id) {
    const PayOutcome outcome = Await(biller_->Pay(Payment(id), Soon()));
    ASSERT_TRUE(std::holds_alternative<Approved>(outcome)) << Text(outcome);
    references.insert(std::get<Approved>(outcome).biller_reference);
  }
  EXPECT_THAT(references, SizeIs(100));
}

TEST_P(AdapterContract, QueryAgreesWithThePaymentAlsoAfterARestart) {
  PaymentRequest request = Payment(1);
  const PayOutcome paid = Await(biller_->Pay(request, Soon()));
  if (biller_->card().can_query) {
    const std::unique_ptr<BillerAdapter> restarted = Make(GetParam().settings);
    for (request.earlier_attempts = 0; request.earlier_attempts < 3; ++request.earlier_attempts) {
      EXPECT_EQ(Text(Await(biller_->Query(request, Soon()))), Text(paid));
      EXPECT_EQ(Text(Await(restarted->Query(request, Soon()))), Text(paid));
    }
  }
}

TEST_P(AdapterContract, TakingBackIsSafeToRepeat) {
  PaymentRequest request = Payment(1);
  const PayOutcome paid = Await(biller_->Pay(request, Soon()));
  ASSERT_TRUE(std::holds_alternative<Approved>(paid)) << Text(paid);
  request.biller_reference = std::get<Approved>(paid).biller_reference;
  for (request.earlier_attempts = 0; request.earlier_attempts < 3; ++request.earlier_attempts) {
    if (biller_->card().can_reverse) {
      EXPECT_EQ(Kind(Await(biller_->Reverse(request, Soon()))), "taken back");
    }
    if (biller_->card().cancel != CancelRule::kNone) {
      EXPECT_EQ(Kind(Await(biller_->Cancel(request, Soon()))), "taken back");
    }
  }
}

TEST_P(AdapterContract, ProbeFindsTheBillerThere) {
  EXPECT_TRUE(Await(biller_->Probe(Soon())));
}

TEST_P(AdapterContract, NothingIsSentOnceTheDeadlineHasPassed) {
  const CapabilityCard& card = biller_->card();
  const PaymentRequest request = Payment(1);
  const Deadline passed = Clock::now() - milliseconds(1);
  EXPECT_EQ(Kind(Await(biller_->Pay(request, passed))), "not sent");
  if (card.inquiry != InquiryRule::kNone) {
    EXPECT_EQ(Kind(Await(biller_->Inquire(Inquiry(), passed))), "not sent");
  }
  if (card.can_query) {
    EXPECT_EQ(Kind(Await(biller_->Query(request, passed))), "unknown");
  }
  if (card.can_reverse) {
    EXPECT_EQ(Kind(Await(biller_->Reverse(request, passed))), "unknown");
  }
  if (card.cancel != CancelRule::kNone) {
    EXPECT_EQ(Kind(Await(biller_->Cancel(request, passed))), "not sent");
  }
  EXPECT_FALSE(Await(biller_->Probe(passed)));
}

TEST_P(AdapterContract, SilenceIsUnknownNotBeforeTheDeadline) {
  const CapabilityCard& card = biller_->card();
  const PaymentRequest request = Payment(1);
  const std::unique_ptr<BillerAdapter> slow = Make(GetParam().slow_settings);
  const milliseconds limit(50);
  const auto expect_unknown = [&limit](auto operation) {
    const Deadline deadline = In(limit);
    EXPECT_EQ(Kind(Await(operation(deadline))), "unknown");
    EXPECT_GE(Clock::now(), deadline);
  };
  expect_unknown([&](Deadline deadline) { return slow->Pay(request, deadline); });
  if (card.inquiry != InquiryRule::kNone) {
    expect_unknown([&](Deadline deadline) { return slow->Inquire(Inquiry(), deadline); });
  }
  if (card.can_query) expect_unknown([&](Deadline deadline) { return slow->Query(request, deadline); });
  if (card.can_reverse) expect_unknown([&](Deadline deadline) { return slow->Reverse(request, deadline); });
  if (card.cancel != CancelRule::kNone) {
    expect_unknown([&](Deadline deadline) { return slow->Cancel(request, deadline); });
  }
  EXPECT_FALSE(Await(slow->Probe(In(limit))));
}

TEST_P(AdapterContract, SeveralThreadsMayUseIt) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kPaymentsEach = 100;
  const PaymentRequest first = Payment(1);
  std::vector<uint64_t> approved(kThreads);
  {
    std::vector<std::jthread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        PaymentRequest request = first;
        for (uint64_t i = 0; i < kPaymentsEach; ++i) {
          request.payment_id = core::PaymentId::FromNumber(1 + thread * kPaymentsEach + i);
          if (Kind(Await(biller_->Pay(request, Soon()))) == "approved") ++approved[thread];
        }
      });
    }
  }
  EXPECT_THAT(approved, testing::Each(kPaymentsEach));
}

INSTANTIATE_TEST_SUITE_P(Registered, AdapterContract, testing::ValuesIn(RegisteredCases()),
                         [](const auto& test) { return test.param.label; });

}  // namespace
}  // namespace waystation::adapters
