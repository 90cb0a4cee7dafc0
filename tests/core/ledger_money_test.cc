// Where the money of a payment stands, from the hold to the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger_table.h"

namespace waystation::core {
namespace {

using ::testing::IsEmpty;

TEST(LedgerMoneyTest, APaymentIsHeldThenCaptured) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result    | balance | reserved | forwarded | available | owed to mobile |
    | purchase S1 600.00 R1   | ok        |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
    | pay S1 mobile 100.00 Q1 | HELD      |  600.00 |   100.00 |      0.00 |    500.00 |           0.00 |
    | approve Q1              | SUCCEEDED |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, WhatTheBillerDeclinedOrNeverGotIsFree) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                          | balance | reserved | forwarded | available |
    | purchase S1 600.00 R1   | ok                              |  600.00 |     0.00 |      0.00 |    600.00 |
    | pay S1 mobile 100.00 Q1 | HELD                            |  600.00 |   100.00 |      0.00 |    500.00 |
    | decline Q1              | DECLINED BILLER_DECLINED        |  600.00 |     0.00 |      0.00 |    600.00 |
    | pay S1 mobile 200.00 Q2 | HELD                            |  600.00 |   200.00 |      0.00 |    400.00 |
    | not-sent Q2             | DECLINED NOT_SENT               |  600.00 |     0.00 |      0.00 |    600.00 |
    | pay S1 mobile 300.00 Q3 | HELD                            |  600.00 |   300.00 |      0.00 |    300.00 |
    | unknown Q3              | UNKNOWN                         |  600.00 |     0.00 |    300.00 |    300.00 |
    | never-received Q3       | DECLINED NOT_RECEIVED_BY_BILLER |  600.00 |     0.00 |      0.00 |    600.00 |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, AnUnknownOutcomeKeepsTheMoneyUntilItIsKnown) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                   | balance | reserved | forwarded | available | owed to power |
    | purchase S1 600.00 R1  | ok                       |  600.00 |     0.00 |      0.00 |    600.00 |          0.00 |
    | pay S1 power 100.00 Q1 | HELD                     |  600.00 |   100.00 |      0.00 |    500.00 |          0.00 |
    | unknown Q1             | UNKNOWN                  |  600.00 |     0.00 |    100.00 |    500.00 |          0.00 |
    | approve Q1             | SUCCEEDED                |  500.00 |     0.00 |      0.00 |    500.00 |        100.00 |
    | pay S1 power 200.00 Q2 | HELD                     |  500.00 |   200.00 |      0.00 |    300.00 |        100.00 |
    | unknown Q2             | UNKNOWN                  |  500.00 |     0.00 |    200.00 |    300.00 |        100.00 |
    | decline Q2             | DECLINED BILLER_DECLINED |  500.00 |     0.00 |      0.00 |    500.00 |        100.00 |
    | pay S1 power 250.00 Q3 | HELD                     |  500.00 |   250.00 |      0.00 |    250.00 |        100.00 |
    | unknown Q3             | UNKNOWN                  |  500.00 |     0.00 |    250.00 |    250.00 |        100.00 |
    | reverse Q3             | REVERSING                |  500.00 |     0.00 |    250.00 |    250.00 |        100.00 |
    | reversed Q3            | REVERSED                 |  500.00 |     0.00 |      0.00 |    500.00 |        100.00 |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, ReviewLeavesTheMoneyWhereItFoundIt) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result     | balance | reserved | forwarded | available | owed to mobile |
    | purchase S1 600.00 R1   | ok         |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |

      an unknown outcome, and a reversal that never came to an end: forwarded
    | pay S1 mobile 100.00 Q1 | HELD       |  600.00 |   100.00 |      0.00 |    500.00 |           0.00 |
    | unknown Q1              | UNKNOWN    |  600.00 |     0.00 |    100.00 |    500.00 |           0.00 |
    | review Q1               | REVIEW     |  600.00 |     0.00 |    100.00 |    500.00 |           0.00 |
    | pay S1 mobile 50.00 Q2  | HELD       |  600.00 |    50.00 |    100.00 |    450.00 |           0.00 |
    | unknown Q2              | UNKNOWN    |  600.00 |     0.00 |    150.00 |    450.00 |           0.00 |
    | reverse Q2              | REVERSING  |  600.00 |     0.00 |    150.00 |    450.00 |           0.00 |
    | review Q2               | REVIEW     |  600.00 |     0.00 |    150.00 |    450.00 |           0.00 |

      a cancel that nobody knows the end of: captured
    | pay S1 mobile 200.00 Q3 | HELD       |  600.00 |   200.00 |    150.00 |    250.00 |           0.00 |
    | approve Q3              | SUCCEEDED  |  400.00 |     0.00 |    150.00 |    250.00 |         200.00 |
    | cancel Q3               | CANCELLING |  400.00 |     0.00 |    150.00 |    250.00 |         200.00 |
    | review Q3               | REVIEW     |  400.00 |     0.00 |    150.00 |    250.00 |         200.00 |

      the adjustment takes it from there
    | release Q1              | ADJUSTED   |  400.00 |     0.00 |     50.00 |    350.00 |         200.00 |
    | release Q2              | ADJUSTED   |  400.00 |     0.00 |      0.00 |    400.00 |         200.00 |
    | release Q3              | ADJUSTED   |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, AvailableNeverGoesBelowZero) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                    | result                                  | reserved | available | why                |
    | purchase S1 600.00 R1 | ok                                      |     0.00 |    600.00 |                    |
    | pay S1 gas 600.01 Q1  | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |     0.00 |    600.00 | 600.00 yuan        |
    | pay S1 gas 400.00 Q2  | HELD                                    |   400.00 |    200.00 |                    |
    | pay S1 gas 400.00 Q3  | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |   400.00 |    200.00 | 200.00 yuan        |
    | pay S1 gas 200.00 Q4  | HELD                                    |   600.00 |      0.00 |                    |
    | pay S1 gas 0.01 Q5    | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |   600.00 |      0.00 |                    |
    | unknown Q2            | UNKNOWN                                 |   200.00 |      0.00 |                    |
    | pay S1 gas 0.01 Q6    | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |   200.00 |      0.00 |                    |
    | decline Q4            | DECLINED BILLER_DECLINED                |     0.00 |    200.00 | the biller said so |
    | pay S1 gas 0.01 Q7    | HELD                                    |     0.01 |    199.99 |                    |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, StationsAndBillersAreKeptApart) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                                  | balance | owed to mobile | owed to gas |
    | purchase S1 600.00 R1   | ok                                      |  600.00 |           0.00 |        0.00 |
    | pay S2 mobile 20.00 Q1  | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |    0.00 |           0.00 |        0.00 |
    | purchase S2 500.00 R1   | ok                                      |  500.00 |           0.00 |        0.00 |
    | pay S2 gas 120.00 Q2    | HELD                                    |  500.00 |           0.00 |        0.00 |
    | pay S1 mobile 100.00 Q2 | HELD                                    |  600.00 |           0.00 |        0.00 |
    | approve S2:Q2           | SUCCEEDED                               |  380.00 |           0.00 |      120.00 |
    | approve S1:Q2           | SUCCEEDED                               |  500.00 |         100.00 |      120.00 |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, WhatCanNotHappenToAPaymentIsRefusedAndChangesNothing) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                      | balance | reserved | why                               |
    | purchase S1 600.00 R1   | ok                          |  600.00 |     0.00 |                                   |
    | pay S1 mobile 100.00 Q1 | HELD                        |  600.00 |   100.00 |                                   |
    | reversed Q1             | refused FAILED_PRECONDITION |  600.00 |   100.00 | "reversal confirmed" can't happen |
    | never-received Q1       | refused FAILED_PRECONDITION |  600.00 |   100.00 | "never received" can't happen     |
    | approve Q1              | SUCCEEDED                   |  500.00 |     0.00 |                                   |
    | approve Q1              | refused FAILED_PRECONDITION |  500.00 |     0.00 | "approved" can't happen           |
    | decline Q1              | refused FAILED_PRECONDITION |  500.00 |     0.00 | "declined by biller" can't        |
    | start-cancel-unasked Q1 | refused FAILED_PRECONDITION |  500.00 |     0.00 | "cancel started" can't happen     |
    | forget                  | ok                          |         |          |                                   |
    | approve Q1              | refused NOT_FOUND           |  500.00 |     0.00 | is not open                       |
    | approve Q9              | refused NOT_FOUND           |         |          | payment_id: 999999 is not open    |
  )"),
              IsEmpty());
}

TEST(LedgerMoneyTest, OutcomesAreRecordedWhateverBecameOfStationAndBiller) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result    | balance | reserved | forwarded | owed to mobile |
    | purchase S1 600.00 R1   | ok        |  600.00 |     0.00 |      0.00 |           0.00 |
    | pay S1 mobile 100.00 Q1 | HELD      |  600.00 |   100.00 |      0.00 |           0.00 |
    | pay S1 mobile 50.00 Q2  | HELD      |  600.00 |   150.00 |      0.00 |           0.00 |
    | suspend S1              | ok        |  600.00 |   150.00 |      0.00 |           0.00 |
    | disable mobile          | ok        |         |          |           |           0.00 |
    | close day               | ok        |         |          |           |           0.00 |
    | approve Q1              | SUCCEEDED |  500.00 |    50.00 |      0.00 |         100.00 |
    | unknown Q2              | UNKNOWN   |  500.00 |     0.00 |     50.00 |         100.00 |
    | reverse Q2              | REVERSING |  500.00 |     0.00 |     50.00 |         100.00 |
    | reversed Q2             | REVERSED  |  500.00 |     0.00 |      0.00 |         100.00 |
  )"),
              IsEmpty());
}

}  // namespace
}  // namespace waystation::core
