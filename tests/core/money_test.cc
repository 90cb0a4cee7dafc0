#include "switch/core/money.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(MoneyTest, YuanAreReadAndWritten) {
  const TextTable table = ParseTextTable(R"(
    | typed                | fen                 | written              |
    | 0                    | 0                   |                 0.00 |
    | 50                   | 5000                |                50.00 |
    | 50.5                 | 5050                |                50.50 |
    | 50.05                | 5005                |                50.05 |
    | 0.01                 | 1                   |                 0.01 |
    | -0.01                | -1                  |                -0.01 |
    | -0                   | 0                   |                 0.00 |
    | -12.30               | -1230               |               -12.30 |
    | 007                  | 700                 |                 7.00 |
    | 100000000.00         | 10000000000         |         100000000.00 |
    | 92233720368547758.07 | 9223372036854775807 | 92233720368547758.07 |
  )");
  for (size_t row = 1; row < table.size(); ++row) {
    const absl::StatusOr<Money> money = ParseYuan(table[row][0]);
    ASSERT_TRUE(money.ok()) << table[row][0] << ": " << money.status();
    EXPECT_EQ(std::to_string(money->fen()), table[row][1]);
    EXPECT_EQ(FormatYuan(*money), table[row][2]);
  }
}

TEST(MoneyTest, WhatIsNotAnAmountIsRefusedAndSaysWhy) {
  const TextTable table = ParseTextTable(R"(
    | typed                | fault                      |
    |                      | is not an amount           |
    | -                    | is not an amount           |
    | +5                   | is not an amount           |
    | --5                  | is not an amount           |
    | .50                  | is not an amount           |
    | 5,00                 | is not an amount           |
    | 1 000                | is not an amount           |
    | 1.2.3                | is not an amount           |
    | 1e3                  | is not an amount           |
    | 五十                 | is not an amount           |
    | 50.                  | ends with a point          |
    | 50.001               | has more than two decimals |
    | 92233720368547758.08 | is too large               |
    | 92233720368547759    | is too large               |
    | 9223372036854775808  | is too large               |
  )");
  for (size_t row = 1; row < table.size(); ++row) {
    const absl::StatusOr<Money> money = ParseYuan(table[row][0]);
    ASSERT_FALSE(money.ok()) << table[row][0];
    EXPECT_EQ(money.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(money.status().message()).find('"' + table[row][0] + "\" " + table[row][1]),
              std::string::npos)
        << money.status();
  }
}

TEST(MoneyTest, TheSmallestAmountCanBeWritten) {
  EXPECT_EQ(FormatYuan(Money::Fen(kLeast)), "-92233720368547758.08");
}

TEST(MoneyTest, CheckedAddSaysWhenASumDoesNotFit) {
  EXPECT_EQ(Money::CheckedAdd(Money::Fen(2), Money::Fen(3)), Money::Fen(5));
  EXPECT_EQ(Money::CheckedAdd(Money::Fen(kMost), Money::Fen(kLeast)), Money::Fen(-1));
  EXPECT_EQ(Money::CheckedAdd(Money::Fen(kMost), Money::Fen(1)), std::nullopt);
  EXPECT_EQ(Money::CheckedAdd(Money::Fen(kLeast), Money::Fen(-1)), std::nullopt);
}

TEST(MoneyTest, ArithmeticAndOrder) {
  Money money = Money::Fen(100);
  money += Money::Fen(50);
  EXPECT_EQ(money, Money::Fen(150));
  money -= Money::Fen(200);
  EXPECT_EQ(money, Money::Fen(-50));
  EXPECT_EQ(-money, Money::Fen(50));
  EXPECT_LT(money, Money());
  EXPECT_EQ(Money().fen(), 0);
}

TEST(MoneyDeathTest, AResultThatDoesNotFitStopsTheProcess) {
  EXPECT_DEATH(Money::Fen(kMost) + Money::Fen(1), "money sum does not fit");
  EXPECT_DEATH(Money::Fen(kLeast) - Money::Fen(1), "money difference does not fit");
  EXPECT_DEATH(-Money::Fen(kLeast), "money difference does not fit");
}

}  // namespace
}  // namespace waystation::core
