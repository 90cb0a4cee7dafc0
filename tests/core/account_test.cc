#include "switch/core/account.h"

#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

TEST(AccountTest, TheLifeOfAStation) {
  const TextTable table = ParseTextTable(R"(
    | from \ to | APPLIED | APPROVED | ACTIVE | SUSPENDED | CLOSED |
    | APPLIED   | no      | yes      | no     | no        | yes    |
    | APPROVED  | no      | no       | yes    | no        | yes    |
    | ACTIVE    | no      | no       | no     | yes       | yes    |
    | SUSPENDED | no      | no       | yes    | no        | yes    |
    | CLOSED    | no      | no       | no     | no        | no     |
  )");
  ASSERT_EQ(table.size(), 6u);
  for (uint32_t from = 1; from <= 5; ++from) {
    const StationStatus before = *StationStatusFromNumber(from);
    ASSERT_EQ(table[from][0], Name(before));
    for (uint32_t to = 1; to <= 5; ++to) {
      const StationStatus after = *StationStatusFromNumber(to);
      ASSERT_EQ(table[0][to], Name(after));
      EXPECT_EQ(CanFollow(before, after), table[from][to] == "yes") << Name(before) << " to " << Name(after);
    }
  }
}

TEST(AccountTest, NumbersOfTheJournal) {
  const TextTable kinds = ParseTextTable(R"(
    | 1 | station          |
    | 2 | biller payable   |
    | 3 | bank clearing    |
    | 4 | counter clearing |
    | 5 | commission       |
    | 6 | suspense         |
  )");
  for (const auto& row : kinds) {
    const uint32_t number = static_cast<uint32_t>(std::stoul(row[0]));
    ASSERT_TRUE(AccountKindFromNumber(number).has_value()) << number;
    EXPECT_EQ(Name(*AccountKindFromNumber(number)), row[1]);
    EXPECT_EQ(static_cast<uint32_t>(*AccountKindFromNumber(number)), number);
  }
  for (uint32_t number : {0u, 7u, 257u}) EXPECT_FALSE(AccountKindFromNumber(number).has_value()) << number;
  for (uint32_t number : {0u, 6u, 257u}) EXPECT_FALSE(StationStatusFromNumber(number).has_value()) << number;
}

TEST(AccountTest, AvailableIsBalanceAndCreditLessWhatIsHeld) {
  Account account;
  account.balance = Money::Fen(60'000);
  account.credit_limit = Money::Fen(20'000);
  account.reserved = Money::Fen(1'500);
  account.forwarded = Money::Fen(500);
  EXPECT_EQ(account.available(), Money::Fen(78'000));
}

}  // namespace
}  // namespace waystation::core
