// That the tables of the other tests would notice.

#include "tests/core/ledger_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TextTableTest, CellsStandBetweenBars) {
  EXPECT_THAT(ParseTextTable("| a | b c |\n\n  heading\n  |  | d |\n"),
              ElementsAre(ElementsAre("a", "b c"), ElementsAre("", "d")));
}

TEST(LedgerTableTest, ARowThatWentOtherwiseIsNamedWithWhatWasFound) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result    | balance | reserved | available | owed to mobile | why  |
    | purchase S1 600.00 R1   | ok        |  600.01 |          |           |                |      |
    | pay S1 mobile 100.00 Q1 | UNKNOWN   |         |    99.99 |           |                |      |
    | approve Q1              |           |         |          |    499.99 |         100.01 | rain |
    | look Q1                 | SUCCEEDED |  500.00 |     0.00 |    500.00 |         100.00 |      |
  )"),
              ElementsAre("row 1, purchase S1 600.00 R1; balance: expected 600.01, found 600.00",
                          "row 2, pay S1 mobile 100.00 Q1; result: expected UNKNOWN, found HELD; "
                          "reserved: expected 99.99, found 100.00",
                          "row 3, approve Q1; available: expected 499.99, found 500.00; "
                          "owed to mobile: expected 100.01, found 100.00; why: expected rain, found "));
}

TEST(LedgerTableTest, SeveralThingsInARowTellOfTheLast) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                         | result           | available |
    | purchase S1 600.00 R1                      | ok               |    600.00 |
    | 2 times: pay S1 mobile 100.00 Q1, look Q2  | none             |           |
    | 3 times: unknown Q1, approve Q1, cancel Q1 | again CANCELLING |    500.00 |
  )"),
              IsEmpty());
}

TEST(LedgerTableDeathTest, ATableThatCannotBeReadStopsTheTest) {
  EXPECT_DEATH(RunLedgerTable("| do | result |\n| dance S1 | ok |"), "not a thing to do: dance");
  EXPECT_DEATH(RunLedgerTable("| do | wealth |\n| activate S1 | 1 |"), "not a column: wealth");
  EXPECT_DEATH(RunLedgerTable("| do | result |\n| purchase S1 ten R1 | ok |"), "is not an amount");
  EXPECT_DEATH(RunLedgerTable("| do | result |\n| look Q1 |"), "row 1 has 1 cells");
}

}  // namespace
}  // namespace waystation::core
