// A station takes back its own payment: on its business date, from SUCCEEDED only, and not for ever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "switch/core/limits.h"
#include "tests/core/ledger_table.h"

namespace waystation::core {
namespace {

using ::testing::IsEmpty;

TEST(LedgerCancelTest, TheMoneyComesBackOnceTheBillerConfirms) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result          | balance | reserved | forwarded | available | owed to mobile |
    | purchase S1 600.00 R1   | ok              |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
    | pay S1 mobile 100.00 Q1 | HELD            |  600.00 |   100.00 |      0.00 |    500.00 |           0.00 |
    | approve Q1              | SUCCEEDED       |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | cancel Q1               | CANCELLING      |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | cancel-confirmed Q1     | CANCELLED       |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
    | cancel Q1               | again CANCELLED |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
  )"),
              IsEmpty());
}

TEST(LedgerCancelTest, AfterTheBillerRefusedThePaymentStandsAndMayBeCancelledAgain) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result     | balance | available | owed to mobile | why                |
    | purchase S1 600.00 R1   | ok         |  600.00 |    600.00 |           0.00 |                    |
    | pay S1 mobile 100.00 Q1 | HELD       |  600.00 |    500.00 |           0.00 |                    |
    | approve Q1              | SUCCEEDED  |  500.00 |    500.00 |         100.00 |                    |
    | cancel Q1               | CANCELLING |  500.00 |    500.00 |         100.00 |                    |
    | cancel-refused Q1       | SUCCEEDED  |  500.00 |    500.00 |         100.00 | the biller said so |
    | cancel Q1               | CANCELLING |  500.00 |    500.00 |         100.00 |                    |
    | cancel-confirmed Q1     | CANCELLED  |  600.00 |    600.00 |           0.00 |                    |
  )"),
              IsEmpty());
}

TEST(LedgerCancelTest, APaymentThatLeftMemoryIsOpenedAgain) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result     | balance | owed to power |
    | purchase S1 600.00 R1  | ok         |  600.00 |          0.00 |
    | pay S1 power 100.00 Q1 | HELD       |  600.00 |          0.00 |
    | approve Q1             | SUCCEEDED  |  500.00 |        100.00 |
    | forget                 | ok         |         |        100.00 |
    | cancel Q1              | CANCELLING |  500.00 |        100.00 |
    | forget                 | ok         |         |        100.00 |
    | cancel-refused Q1      | SUCCEEDED  |  500.00 |        100.00 |
    | forget                 | ok         |         |        100.00 |
    | cancel Q1              | CANCELLING |  500.00 |        100.00 |
    | cancel-confirmed Q1    | CANCELLED  |  600.00 |          0.00 |
  )"),
              IsEmpty());
}

TEST(LedgerCancelTest, OnlyWhatSucceededCanBeCancelled) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                           | result                   | why                      |
    | purchase S1 600.00 R1                        | ok                       |                          |
    | pay S1 mobile 20.00 Q1                       | HELD                     |                          |
    | cancel Q1                                    | declined NOT_CANCELLABLE | the payment is HELD      |
    | unknown Q1                                   | UNKNOWN                  |                          |
    | cancel Q1                                    | declined NOT_CANCELLABLE | the payment is UNKNOWN   |
    | reverse Q1                                   | REVERSING                |                          |
    | cancel Q1                                    | declined NOT_CANCELLABLE | the payment is REVERSING |
    | review Q1                                    | REVIEW                   |                          |
    | cancel Q1                                    | declined NOT_CANCELLABLE | the payment is REVIEW    |
    | release Q1                                   | ADJUSTED                 |                          |
    | cancel Q1                                    | declined NOT_CANCELLABLE | the payment is ADJUSTED  |
    | pay S1 mobile 20.00 Q2                       | HELD                     |                          |
    | 1 times: unknown Q2, reverse Q2, reversed Q2 | REVERSED                 |                          |
    | cancel Q2                                    | declined NOT_CANCELLABLE | the payment is REVERSED  |
    | pay S1 mobile 20.00 Q3                       | HELD                     |                          |
    | decline Q3                                   | DECLINED BILLER_DECLINED |                          |
    | forget                                       | ok                       |                          |
    | cancel Q3                                    | declined NOT_CANCELLABLE | the payment is DECLINED  |
  )"),
              IsEmpty());
}

TEST(LedgerCancelTest, APaymentOfAnEarlierDateGoesToBackOffice) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                      | balance | why                                   |
    | purchase S1 600.00 R1   | ok                          |  600.00 |                                       |
    | pay S1 mobile 100.00 Q1 | HELD                        |  600.00 |                                       |
    | approve Q1              | SUCCEEDED                   |  500.00 |                                       |
    | pay S1 mobile 50.00 Q2  | HELD                        |  500.00 |                                       |
    | pay S1 mobile 20.00 Q3  | HELD                        |  500.00 |                                       |
    | approve Q3              | SUCCEEDED                   |  480.00 |                                       |
    | cancel Q3               | CANCELLING                  |  480.00 |                                       |
    | close day 2026-11-24    | ok                          |         |                                       |
    | cancel Q1               | declined CANCEL_DATE_PASSED |  480.00 | of 2026-11-21, and 2026-11-24 is open |
    | forget                  | ok                          |         |                                       |
    | cancel Q1               | declined CANCEL_DATE_PASSED |  480.00 | of 2026-11-21, and 2026-11-24 is open |

      the date is that of acceptance, whenever the biller answered
    | approve Q2              | SUCCEEDED                   |  430.00 |                                       |
    | cancel Q2               | declined CANCEL_DATE_PASSED |  430.00 |                                       |

      a cancel that was taken before the cut still ends, and the next day's payments can be cancelled
    | cancel-confirmed Q3     | CANCELLED                   |  450.00 |                                       |
    | pay S1 mobile 30.00 Q4  | HELD                        |  450.00 |                                       |
    | approve Q4              | SUCCEEDED                   |  420.00 |                                       |
    | cancel Q4               | CANCELLING                  |  420.00 |                                       |
  )"),
              IsEmpty());
}

TEST(LedgerCancelTest, AfterManyRefusalsNoMoreCancelsAreTaken) {
  // Acceptance and approval are two changes, each cancel with its refusal two more.
  static_assert(kMaxChangesBeforeCancel == 24 && kMaxStateChanges > kMaxChangesBeforeCancel + 2);
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                     | result                   | balance | why                              |
    | purchase S1 600.00 R1                  | ok                       |  600.00 |                                  |
    | pay S1 mobile 100.00 Q1                | HELD                     |  600.00 |                                  |
    | approve Q1                             | SUCCEEDED                |  500.00 |                                  |
    | 10 times: cancel Q1, cancel-refused Q1 | SUCCEEDED                |  500.00 |                                  |
    | cancel Q1                              | CANCELLING               |  500.00 |                                  |
    | cancel-refused Q1                      | SUCCEEDED                |  500.00 |                                  |
    | cancel Q1                              | declined NOT_CANCELLABLE |  500.00 | the biller has refused too often |
    | cancel Q1 found CANCEL_NOT_SUPPORTED   | declined NOT_CANCELLABLE |  500.00 | the biller has refused too often |
    | look Q1                                | SUCCEEDED                |  500.00 |                                  |
  )"),
              IsEmpty());
}

TEST(LedgerDayTest, DatesOnlyGoForwardAndNotFar) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                   | result                   | why                                                 |
    | close day 2026-11-21 | refused INVALID_ARGUMENT | opening_date: 2026-11-21 does not follow 2026-11-21 |
    | close day 2026-11-20 | refused INVALID_ARGUMENT | expected a date 1 to 31 days later                  |
    | close day 2026-12-23 | refused INVALID_ARGUMENT | expected a date 1 to 31 days later                  |
    | close day 2026-12-22 | ok                       |                                                     |
    | close day            | ok                       |                                                     |
    | close day 2026-12-23 | refused INVALID_ARGUMENT | opening_date: 2026-12-23 does not follow 2026-12-23 |
  )"),
              IsEmpty());
}

}  // namespace
}  // namespace waystation::core
