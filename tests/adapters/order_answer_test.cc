#include "adapters/order_answer.h"

#include <optional>
#include <string>
#include <vector>

#include "adapters/outcome_text.h"
#include "gtest/gtest.h"
#include "tests/adapters/payment.h"

namespace waystation::adapters {
namespace {

constexpr OrderState kPaid = OrderState::kPaid;
constexpr OrderState kRefused = OrderState::kRefused;
constexpr OrderState kTakenBack = OrderState::kTakenBack;
constexpr OrderState kProcessing = OrderState::kProcessing;

// What an answer about order 42 over 50.00 yuan settles, by the operation that it answers.
struct Row {
  std::string code;
  std::string order;
  std::optional<OrderState> state;
  std::string refusal;
  std::string reference;
  std::optional<int64_t> amount_fen;
  std::string pay;
  std::string query;
  std::string reverse;
  std::string cancel;
};

TEST(OrderAnswer, SettlesWhatItSaysAndNothingElse) {
  const ResultCodes codes =
      *ResultCodes::Parse("00 success\n14 declined no such account\n25 never_received\n96 unknown");
  const PaymentRequest request = MakePayment(42, "13800138000", core::Money::Fen(5'000));
  const std::optional<OrderState> silent;
  const std::optional<int64_t> none;
  const std::vector<Row> rows = {
      // --- success: of what? ---
      {"00", "42", kPaid, "", "M1", 5'000, "approved", "approved", "unknown", "unknown"},
      {"00", "42", kPaid, "", "", 5'000, "unknown", "unknown", "unknown", "unknown"},    // under which reference?
      {"00", "42", kPaid, "", "M1", 4'999, "unknown", "unknown", "unknown", "unknown"},  // another amount
      {"00", "42", kPaid, "", "M1", none, "unknown", "unknown", "unknown", "unknown"},
      {"00", "43", kPaid, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},  // another order
      {"00", "", kPaid, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"00", "42", silent, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},  // done, but what?
      {"00", "42", kProcessing, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"00", "42", kRefused, "14", "", 5'000, "unknown", "declined 14", "unknown", "unknown"},
      {"00", "43", kRefused, "14", "", 5'000, "unknown", "unknown", "unknown", "unknown"},  // another order was
      {"00", "42", kRefused, "96", "", 5'000, "unknown", "unknown", "unknown", "unknown"},  // for a reason that is none
      {"00", "42", kRefused, "77", "", 5'000, "unknown", "unknown", "unknown", "unknown"},  // that the table lacks
      {"00", "42", kRefused, "00", "", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"00", "42", kTakenBack, "", "M1", 5'000, "unknown", "declined ", "taken back", "taken back"},
      {"00", "42", kTakenBack, "", "", none, "unknown", "unknown", "taken back", "taken back"},
      {"00", "42", kTakenBack, "", "M1", 4'999, "unknown", "unknown", "unknown", "unknown"},  // another amount was
      {"00", "43", kTakenBack, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"00", "", kTakenBack, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      // --- no: the query too was declined, which says nothing of the payment ---
      {"14", "42", silent, "", "", none, "declined 14", "unknown", "declined 14", "declined 14"},
      {"14", "", silent, "", "", none, "declined 14", "unknown", "declined 14", "declined 14"},
      {"14", "42", kRefused, "14", "", 5'000, "declined 14", "unknown", "declined 14", "declined 14"},
      {"14", "42", kPaid, "", "M1", 5'000, "unknown", "unknown", "declined 14", "declined 14"},  // no, and yes
      {"14", "42", kProcessing, "", "", 5'000, "unknown", "unknown", "declined 14", "declined 14"},
      {"14", "42", kTakenBack, "", "", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"14", "43", silent, "", "", none, "unknown", "unknown", "unknown", "unknown"},  // to another order
      {"14", "42", silent, "", "", 4'999, "unknown", "unknown", "unknown", "unknown"},
      // --- never heard of it ---
      {"25", "42", silent, "", "", none, "unknown", "never received", "never received", "unknown"},
      {"25", "", silent, "", "", none, "unknown", "never received", "never received", "unknown"},
      {"25", "42", kPaid, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},  // but it is paid
      {"25", "42", kProcessing, "", "", none, "unknown", "unknown", "unknown", "unknown"},
      {"25", "42", kTakenBack, "", "", none, "unknown", "unknown", "unknown", "unknown"},
      {"25", "43", silent, "", "", none, "unknown", "unknown", "unknown", "unknown"},  // of another
      {"25", "42", silent, "", "", 4'999, "unknown", "unknown", "unknown", "unknown"},
      // --- codes that say nothing ---
      {"96", "42", kPaid, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"96", "42", kTakenBack, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
      {"77", "42", kPaid, "", "M1", 5'000, "unknown", "unknown", "unknown", "unknown"},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    OrderAnswer answer{.code = row.code,
                       .order = row.order,
                       .state = row.state,
                       .refusal = row.refusal,
                       .reference = row.reference,
                       .name = "",
                       .amount = std::nullopt,
                       .owed = std::nullopt};
    if (row.amount_fen) answer.amount = core::Money::Fen(*row.amount_fen);
    EXPECT_EQ(Kind(PayOutcomeOf(answer, codes, request)), row.pay) << "row " << i;
    EXPECT_EQ(Kind(QueryOutcomeOf(answer, codes, request)), row.query) << "row " << i;
    EXPECT_EQ(Kind(ReverseOutcomeOf(answer, codes, request)), row.reverse) << "row " << i;
    EXPECT_EQ(Kind(CancelOutcomeOf(answer, codes, request)), row.cancel) << "row " << i;
  }
}

TEST(OrderAnswer, AnInquiryFindsOrIsDeclined) {
  const ResultCodes codes = *ResultCodes::Parse("00 success\n14 declined no such account\n25 never_received");
  OrderAnswer answer;
  answer.name = "张*";
  for (const auto& [code, text] : std::vector<std::pair<std::string, std::string>>{
           {"00", "found 张* owes 0.00"},
           {"14", "declined 14: no such account"},
           {"25", "unknown: the answer to an inquiry says nothing that settles it: code 25"},
           {"77", "unknown: the answer to an inquiry says nothing that settles it: code 77"}}) {
    answer.code = code;
    EXPECT_EQ(Text(InquiryOutcomeOf(answer, codes)), text);
  }
  answer.code = "00";
  answer.owed = core::Money::Fen(17'515);
  EXPECT_EQ(Text(InquiryOutcomeOf(answer, codes)), "found 张* owes 175.15");
}

TEST(OrderState, HasItsWords) {
  EXPECT_EQ(ParseOrderState("processing"), kProcessing);
  EXPECT_EQ(ParseOrderState("paid"), kPaid);
  EXPECT_EQ(ParseOrderState("refused"), kRefused);
  EXPECT_EQ(ParseOrderState("taken_back"), kTakenBack);
  for (const std::string word : {"", "PAID", "paid ", "lost"}) EXPECT_EQ(ParseOrderState(word), std::nullopt);
}

}  // namespace
}  // namespace waystation::adapters
