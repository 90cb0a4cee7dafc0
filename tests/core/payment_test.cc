#include "switch/core/payment.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "switch/core/money_move.h"
#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

// What each event makes of a payment, by the state it finds. A point: it can't happen there.
constexpr std::string_view kFirstHalf = R"(
  |            | approved  | declined by biller | not sent | outcome unknown | never received | reversal started |
  | HELD       | SUCCEEDED | DECLINED           | DECLINED | UNKNOWN         | .              | .                |
  | SUCCEEDED  | .         | .                  | .        | .               | .              | .                |
  | DECLINED   | .         | .                  | .        | .               | .              | .                |
  | UNKNOWN    | SUCCEEDED | DECLINED           | .        | .               | DECLINED       | REVERSING        |
  | REVERSING  | .         | .                  | .        | .               | .              | .                |
  | REVERSED   | .         | .                  | .        | .               | .              | .                |
  | CANCELLING | .         | .                  | .        | .               | .              | .                |
  | CANCELLED  | .         | .                  | .        | .               | .              | .                |
  | REVIEW     | .         | .                  | .        | .               | .              | .                |
  | ADJUSTED   | .         | .                  | .        | .               | .              | .                |
)";
constexpr std::string_view kSecondHalf = R"(
  |            | reversal confirmed | cancel started | cancel confirmed | cancel refused | review needed |
  | HELD       | .                  | .              | .                | .              | .             |
  | SUCCEEDED  | .                  | CANCELLING     | .                | .              | .             |
  | DECLINED   | .                  | .              | .                | .              | .             |
  | UNKNOWN    | .                  | .              | .                | .              | REVIEW        |
  | REVERSING  | REVERSED           | .              | .                | .              | REVIEW        |
  | REVERSED   | .                  | .              | .                | .              | .             |
  | CANCELLING | .                  | .              | CANCELLED        | SUCCEEDED      | REVIEW        |
  | CANCELLED  | .                  | .              | .                | .              | .             |
  | REVIEW     | .                  | .              | .                | .              | .             |
  | ADJUSTED   | .                  | .              | .                | .              | .             |
)";
constexpr std::string_view kPeopleAndLateNews = R"(
  |            | adjusted | late approval |
  | HELD       | .        | .             |
  | SUCCEEDED  | .        | .             |
  | DECLINED   | .        | REVIEW        |
  | UNKNOWN    | .        | SUCCEEDED     |
  | REVERSING  | .        | REVERSING     |
  | REVERSED   | .        | REVIEW        |
  | CANCELLING | .        | .             |
  | CANCELLED  | .        | .             |
  | REVIEW     | ADJUSTED | REVIEW        |
  | ADJUSTED   | .        | .             |
)";

// {state, event} -> cell.
std::map<std::pair<std::string, std::string>, std::string> WholeGrid() {
  std::map<std::pair<std::string, std::string>, std::string> grid;
  for (std::string_view part : {kFirstHalf, kSecondHalf, kPeopleAndLateNews}) {
    const TextTable table = ParseTextTable(part);
    for (size_t row = 1; row < table.size(); ++row) {
      for (size_t column = 1; column < table[0].size(); ++column) {
        grid[{table[row][0], table[0][column]}] = table[row].at(column);
      }
    }
  }
  return grid;
}

TEST(PaymentTest, EveryEventInEveryState) {
  const auto grid = WholeGrid();
  EXPECT_EQ(grid.size(), kAllPaymentStates.size() * kAllPaymentEvents.size());
  for (PaymentState state : kAllPaymentStates) {
    for (PaymentEvent event : kAllPaymentEvents) {
      const auto cell = grid.find({std::string(Name(state)), std::string(Name(event))});
      ASSERT_NE(cell, grid.end()) << Name(state) << ", " << Name(event) << ": not in the grid";
      const std::optional<PaymentState> next = NextState(state, event);
      EXPECT_EQ(next.has_value() ? Name(*next) : ".", cell->second) << Name(state) << ", " << Name(event);
    }
  }
}

std::string_view Name(MoneyColumn column) {
  switch (column) {
    case MoneyColumn::kNone: return "none";
    case MoneyColumn::kReserved: return "reserved";
    case MoneyColumn::kForwarded: return "forwarded";
    case MoneyColumn::kCaptured: return "captured";
  }
  return "?";
}

TEST(PaymentTest, WhereTheMoneyStandsAndWhoActsNext) {
  const TextTable table = ParseTextTable(R"(
    | number | state      | money     | in REVIEW after it | somebody acts next |
    | 1      | HELD       | reserved  | reserved           | yes                |
    | 2      | SUCCEEDED  | captured  | captured           | no                 |
    | 3      | DECLINED   | none      | none               | no                 |
    | 4      | UNKNOWN    | forwarded | forwarded          | yes                |
    | 5      | REVERSING  | forwarded | forwarded          | yes                |
    | 6      | REVERSED   | none      | none               | no                 |
    | 7      | CANCELLING | captured  | captured           | yes                |
    | 8      | CANCELLED  | none      | none               | no                 |
    | 10     | ADJUSTED   | none      | none               | no                 |
  )");
  for (size_t row = 1; row < table.size(); ++row) {
    const std::optional<PaymentState> state = PaymentStateFromNumber(static_cast<uint32_t>(std::stoul(table[row][0])));
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(Name(*state), table[row][1]);
    EXPECT_EQ(Name(ColumnOf(*state, *state)), table[row][2]) << Name(*state);
    EXPECT_EQ(Name(ColumnOf(PaymentState::kReview, *state)), table[row][3]) << Name(*state);
    EXPECT_EQ(IsAtRest(*state) ? "no" : "yes", table[row][4]) << Name(*state);
  }
  EXPECT_EQ(PaymentStateFromNumber(9), PaymentState::kReview);
  EXPECT_FALSE(IsAtRest(PaymentState::kReview));
}

TEST(PaymentTest, NothingLeavesRestButACancelAndALateSuccess) {
  for (PaymentState state : kAllPaymentStates) {
    for (PaymentEvent event : kAllPaymentEvents) {
      const std::optional<PaymentState> next = NextState(state, event);
      if (!IsAtRest(state) || !next.has_value()) continue;
      if (event == PaymentEvent::kCancelStarted) {
        EXPECT_EQ(state, PaymentState::kSucceeded);
      } else {
        EXPECT_EQ(event, PaymentEvent::kLateApproval);
        EXPECT_EQ(*next, PaymentState::kReview);
      }
    }
  }
}

TEST(PaymentTest, APaymentInReviewKeepsTheColumnItCameWith) {
  Payment payment;
  payment.state = PaymentState::kReview;
  payment.history = {{.sequence = 7, .state = PaymentState::kUnknown, .time = {}, .business_date = {}},
                     {.sequence = 9, .state = PaymentState::kReview, .time = {}, .business_date = {}}};
  EXPECT_EQ(payment.column(), MoneyColumn::kForwarded);
  EXPECT_EQ(payment.last_sequence(), 9u);
  payment.history.front().state = PaymentState::kCancelling;
  EXPECT_EQ(payment.column(), MoneyColumn::kCaptured);
  // Evidence that comes later leaves it there.
  payment.history.push_back(payment.history.back());
  EXPECT_EQ(payment.column(), MoneyColumn::kCaptured);
  EXPECT_EQ(payment.state_before_review(), PaymentState::kCancelling);
  payment.state = PaymentState::kHeld;
  EXPECT_EQ(payment.column(), MoneyColumn::kReserved);
}

TEST(PaymentTest, WhereAVerdictPutsTheMoney) {
  Payment payment;
  payment.state = PaymentState::kReview;
  payment.history = {{.sequence = 7, .state = PaymentState::kUnknown, .time = {}, .business_date = {}},
                     {.sequence = 9, .state = PaymentState::kReview, .time = {}, .business_date = {}}};
  const TextTable table = ParseTextTable(R"(
    | 1 | CHARGE_STATION | captured |
    | 2 | RELEASE        | none     |
    | 3 | WRITE_OFF      | none     |
  )");
  ASSERT_EQ(table.size(), size_t{kLastVerdict});
  for (const auto& row : table) {
    const std::optional<Verdict> verdict = VerdictFromNumber(static_cast<uint32_t>(std::stoul(row[0])));
    ASSERT_TRUE(verdict.has_value()) << row[0];
    EXPECT_EQ(Name(*verdict), row[1]);
    EXPECT_EQ(Name(ColumnAfter(payment, PaymentState::kAdjusted, Resolution{*verdict, "", "", ""})), row[2]);
  }
  for (uint32_t number : {0u, kLastVerdict + 1u, 257u}) EXPECT_FALSE(VerdictFromNumber(number).has_value()) << number;
  EXPECT_EQ(ColumnAfter(payment, PaymentState::kReview, {}), MoneyColumn::kForwarded);
  EXPECT_EQ(ColumnAfter(payment, PaymentState::kSucceeded, {}), MoneyColumn::kCaptured);
}

TEST(PaymentDeathTest, AnAdjustmentHasAResolution) {
  EXPECT_DEATH(ColumnAfter(Payment(), PaymentState::kAdjusted, {}), "an adjustment has a resolution");
}

TEST(PaymentDeathTest, ReviewFollowsAnotherState) {
  EXPECT_DEATH(ColumnOf(PaymentState::kReview, PaymentState::kReview), "REVIEW follows another state");
}

TEST(PaymentTest, NumbersOfTheJournalForEvents) {
  const TextTable table = ParseTextTable(R"(
    | 1  | approved           |
    | 2  | declined by biller |
    | 3  | not sent           |
    | 4  | outcome unknown    |
    | 5  | never received     |
    | 6  | reversal started   |
    | 7  | reversal confirmed |
    | 8  | cancel started     |
    | 9  | cancel confirmed   |
    | 10 | cancel refused     |
    | 11 | review needed      |
    | 12 | adjusted           |
    | 13 | late approval      |
  )");
  ASSERT_EQ(table.size(), kAllPaymentEvents.size());
  for (const auto& row : table) {
    const std::optional<PaymentEvent> event = PaymentEventFromNumber(static_cast<uint32_t>(std::stoul(row[0])));
    ASSERT_TRUE(event.has_value()) << row[0];
    EXPECT_EQ(Name(*event), row[1]);
  }
  for (uint32_t number : {0u, 14u, 257u}) EXPECT_FALSE(PaymentEventFromNumber(number).has_value()) << number;
  for (uint32_t number : {0u, 11u, 257u}) EXPECT_FALSE(PaymentStateFromNumber(number).has_value()) << number;
}

TEST(PaymentTest, NumbersOfTheJournalForDeclinesInOrderOfPrecedence) {
  const TextTable table = ParseTextTable(R"(
    | 1  | STATION_NOT_ACTIVE             |
    | 2  | BILLER_DISABLED                |
    | 3  | BILLER_OUT_OF_SERVICE          |
    | 4  | INQUIRY_REQUIRED               |
    | 5  | INQUIRY_MISMATCH               |
    | 6  | INQUIRY_EXPIRED                |
    | 7  | AMOUNT_TOO_SMALL               |
    | 8  | AMOUNT_TOO_LARGE               |
    | 9  | AMOUNT_NOT_IN_STEP             |
    | 10 | AMOUNT_NOT_OWED                |
    | 11 | INSUFFICIENT_AVAILABLE_BALANCE |
    | 12 | NOT_SENT                       |
    | 13 | BILLER_DECLINED                |
    | 14 | NOT_RECEIVED_BY_BILLER         |
    | 15 | NOT_CANCELLABLE                |
    | 16 | CANCEL_NOT_SUPPORTED           |
    | 17 | CANCEL_DATE_PASSED             |
  )");
  ASSERT_EQ(table.size(), size_t{kLastDeclineReason});
  for (const auto& row : table) {
    const std::optional<DeclineReason> reason = DeclineReasonFromNumber(static_cast<uint32_t>(std::stoul(row[0])));
    ASSERT_TRUE(reason.has_value()) << row[0];
    EXPECT_EQ(Name(*reason), row[1]);
  }
  for (uint32_t number : {0u, kLastDeclineReason + 1u, 257u}) {
    EXPECT_FALSE(DeclineReasonFromNumber(number).has_value()) << number;
  }
}

TEST(PaymentTest, AnAmountMovesFromOneColumnToAnother) {
  const MoneyColumn columns[] = {MoneyColumn::kNone, MoneyColumn::kReserved, MoneyColumn::kForwarded,
                                 MoneyColumn::kCaptured};
  // A station that put in 1,000 fen, with 300 in the column.
  const std::map<MoneyColumn, AccountAfter> figures = {
      {MoneyColumn::kNone, {Money::Fen(1000), Money::Fen(0), Money::Fen(0)}},
      {MoneyColumn::kReserved, {Money::Fen(1000), Money::Fen(300), Money::Fen(0)}},
      {MoneyColumn::kForwarded, {Money::Fen(1000), Money::Fen(0), Money::Fen(300)}},
      {MoneyColumn::kCaptured, {Money::Fen(700), Money::Fen(0), Money::Fen(0)}}};
  for (MoneyColumn from : columns) {
    for (MoneyColumn to : columns) {
      EXPECT_EQ(Moved(figures.at(from), Money::Fen(300), from, to), figures.at(to)) << Name(from) << " to " << Name(to);
    }
  }
}

}  // namespace
}  // namespace waystation::core
