// What a biller's card rules out, in order of precedence.

#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <vector>

#include "switch/flow/payment_flow.h"

namespace waystation::flow {
namespace {

using adapters::AmountRule;
using adapters::InquiryRule;
using core::DeclineReason;
using core::Money;
using Standing = InquiryProof::Standing;

struct Row {
  std::string_view what;
  InquiryRule inquiry;
  Standing token;
  AmountRule rule;
  int64_t owed_fen;
  int64_t amount_fen;
  std::optional<DeclineReason> expected;
};

// Amounts from 20.00 to 500.00 yuan in steps of 10.00.
adapters::CapabilityCard CardOf(const Row& row) {
  adapters::CapabilityCard card;
  card.inquiry = row.inquiry;
  card.amount_rule = row.rule;
  card.least = Money::Fen(2'000);
  card.most = Money::Fen(50'000);
  card.step = Money::Fen(1'000);
  return card;
}

constexpr auto kNo = InquiryRule::kNone;
constexpr auto kMay = InquiryRule::kOptional;
constexpr auto kMust = InquiryRule::kRequired;
constexpr auto kFree = AmountRule::kFree;
constexpr auto kAtLeast = AmountRule::kAtLeastOwed;
constexpr auto kExact = AmountRule::kExact;
constexpr std::optional<DeclineReason> kTaken = std::nullopt;

const std::vector<Row> kRows = {
    // what                                      inquiry token               rule      owed    amount
    {"the least amount", kNo, Standing::kNone, kFree, 0, 2'000, kTaken},
    {"the largest amount", kNo, Standing::kNone, kFree, 0, 50'000, kTaken},
    {"no token where none is needed", kMay, Standing::kNone, kExact, 0, 3'000, kTaken},
    {"a token where none is needed", kMay, Standing::kValid, kFree, 7'000, 3'000, kTaken},
    {"the bill, exactly", kMust, Standing::kValid, kExact, 3'000, 3'000, kTaken},
    {"the bill, and more where it may exceed", kMust, Standing::kValid, kAtLeast, 3'000, 4'000, kTaken},
    {"the bill where more is allowed", kMust, Standing::kValid, kAtLeast, 3'000, 3'000, kTaken},

    {"no token", kMust, Standing::kNone, kFree, 0, 3'000, DeclineReason::kInquiryRequired},
    {"another's token", kMust, Standing::kMismatch, kFree, 0, 3'000, DeclineReason::kInquiryMismatch},
    {"another's token, unasked", kNo, Standing::kMismatch, kFree, 0, 3'000, DeclineReason::kInquiryMismatch},
    {"an old token", kMust, Standing::kExpired, kFree, 0, 3'000, DeclineReason::kInquiryExpired},
    {"an old token, unasked", kMay, Standing::kExpired, kFree, 0, 3'000, DeclineReason::kInquiryExpired},
    {"one fen too little", kNo, Standing::kNone, kFree, 0, 1'999, DeclineReason::kAmountTooSmall},
    {"one fen too much", kNo, Standing::kNone, kFree, 0, 50'001, DeclineReason::kAmountTooLarge},
    {"between two steps", kNo, Standing::kNone, kFree, 0, 2'500, DeclineReason::kAmountNotInStep},
    {"less than the bill", kMust, Standing::kValid, kAtLeast, 4'000, 3'000, DeclineReason::kAmountNotOwed},
    {"less than the exact bill", kMust, Standing::kValid, kExact, 4'000, 3'000, DeclineReason::kAmountNotOwed},
    {"more than the exact bill", kMust, Standing::kValid, kExact, 2'000, 3'000, DeclineReason::kAmountNotOwed},

    {"required before too small", kMust, Standing::kNone, kFree, 0, 1, DeclineReason::kInquiryRequired},
    {"mismatch before too small", kMust, Standing::kMismatch, kFree, 0, 1, DeclineReason::kInquiryMismatch},
    {"expired before too small", kMust, Standing::kExpired, kFree, 0, 1, DeclineReason::kInquiryExpired},
    {"expired before too large", kMust, Standing::kExpired, kFree, 0, 60'000, DeclineReason::kInquiryExpired},
    {"too small before the step", kNo, Standing::kNone, kFree, 0, 1'500, DeclineReason::kAmountTooSmall},
    {"too large before the step", kNo, Standing::kNone, kFree, 0, 50'500, DeclineReason::kAmountTooLarge},
    {"too small before the bill", kMust, Standing::kValid, kExact, 3'000, 1'000, DeclineReason::kAmountTooSmall},
    {"too large before the bill", kMust, Standing::kValid, kExact, 3'000, 51'000, DeclineReason::kAmountTooLarge},
    {"the step before the bill", kMust, Standing::kValid, kExact, 3'000, 2'500, DeclineReason::kAmountNotInStep},
};

TEST(CardDeclineTest, EachReasonAndEachNeighbour) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.what);
    PayOrder order;
    order.amount = Money::Fen(row.amount_fen);
    order.inquiry = {row.token, Money::Fen(row.owed_fen), ""};
    const std::optional<core::Decline> decline = CardDecline(CardOf(row), order);
    EXPECT_EQ(decline.has_value(), row.expected.has_value());
    if (!decline.has_value() || !row.expected.has_value()) continue;
    EXPECT_EQ(core::Name(decline->reason), core::Name(*row.expected));
    EXPECT_NE(decline->text, "") << "a person reads it";
    EXPECT_EQ(decline->biller_code, "");
  }
}

TEST(BillDeclineTest, ABillThatPayWouldNotTake) {
  struct Bill {
    AmountRule rule;
    int64_t owed_fen;
    std::optional<DeclineReason> expected;
  };
  for (const Bill& bill : {Bill{kExact, 2'000, kTaken},
                           {kExact, 50'000, kTaken},
                           {kExact, 1'999, DeclineReason::kAmountTooSmall},
                           {kExact, 0, DeclineReason::kAmountTooSmall},
                           {kExact, 50'001, DeclineReason::kAmountTooLarge},
                           {kExact, 2'500, DeclineReason::kAmountNotInStep},
                           // What is above the bill may be paid here.
                           {kAtLeast, 0, kTaken},
                           {kAtLeast, 2'500, kTaken},
                           {kAtLeast, 50'000, kTaken},
                           {kAtLeast, 50'001, DeclineReason::kAmountTooLarge},
                           {kFree, 0, kTaken},
                           {kFree, 60'000, kTaken}}) {
    const Row row{"", kMust, Standing::kValid, bill.rule, bill.owed_fen, bill.owed_fen, bill.expected};
    const std::optional<core::Decline> decline = BillDecline(CardOf(row), Money::Fen(bill.owed_fen));
    ASSERT_EQ(decline.has_value(), bill.expected.has_value()) << bill.owed_fen;
    if (!decline.has_value()) continue;
    EXPECT_EQ(core::Name(decline->reason), core::Name(*bill.expected)) << bill.owed_fen;
  }
}

TEST(CardDeclineTest, TextsNameTheAmountAndWhatWasExpected) {
  const auto text = [](int64_t amount_fen, AmountRule rule, int64_t owed_fen) {
    const Row row{"", kMust, Standing::kValid, rule, owed_fen, amount_fen, kTaken};
    PayOrder order;
    order.amount = Money::Fen(amount_fen);
    order.inquiry = {row.token, Money::Fen(owed_fen), ""};
    return CardDecline(CardOf(row), order)->text;
  };
  EXPECT_EQ(text(1'999, kFree, 0), "19.99 yuan; expected at least 20.00");
  EXPECT_EQ(text(60'000, kFree, 0), "600.00 yuan; expected at most 500.00");
  EXPECT_EQ(text(2'500, kFree, 0), "25.00 yuan; expected a multiple of 10.00");
  EXPECT_EQ(text(3'000, kAtLeast, 4'000), "30.00 yuan is less than the bill; expected at least 40.00");
  EXPECT_EQ(text(3'000, kExact, 4'000), "30.00 yuan is not the bill; expected exactly 40.00");
}

}  // namespace
}  // namespace waystation::flow
