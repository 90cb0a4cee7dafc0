// Which of two faults of a request is told: a row of each test has both, and the row after it only the lesser one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "switch/core/payment.h"
#include "tests/core/ledger_table.h"

namespace waystation::core {
namespace {

using ::testing::IsEmpty;

TEST(LedgerPrecedenceTest, PaymentNoSuchStationBeforeNoSuchBiller) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                    | result            | why                                        |
    | pay S9 steam 20.00 Q1 | refused NOT_FOUND | station_id: 440106000009 is not registered |
    | pay S1 steam 20.00 Q1 | refused NOT_FOUND | biller_id: "steam" is not a biller         |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PaymentNoSuchBillerBeforeDuplicate) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                 | why                                                   |
    | purchase S1 600.00 R1  | ok                     |                                                       |
    | pay S1 mobile 20.00 Q1 | HELD                   |                                                       |
    | pay S1 steam 20.00 Q1  | refused NOT_FOUND      | biller_id: "steam" is not a biller                    |
    | pay S1 power 20.00 Q1  | refused ALREADY_EXISTS | request_id: "Q1" was used by this station for payment |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PaymentDuplicateBeforeStationNotActive) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                      |
    | purchase S1 600.00 R1  | ok                          |
    | pay S1 mobile 20.00 Q1 | HELD                        |
    | suspend S1             | ok                          |
    | pay S1 mobile 20.00 Q1 | again HELD                  |
    | pay S1 mobile 30.00 Q1 | refused ALREADY_EXISTS      |
    | pay S1 mobile 30.00 Q2 | DECLINED STATION_NOT_ACTIVE |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PaymentStationNotActiveBeforeBillerDisabled) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                      | why                                       |
    | purchase S1 600.00 R1  | ok                          |                                           |
    | suspend S1             | ok                          |                                           |
    | disable mobile         | ok                          |                                           |
    | pay S1 mobile 20.00 Q1 | DECLINED STATION_NOT_ACTIVE | the station is SUSPENDED; expected ACTIVE |
    | activate S1            | ok                          |                                           |
    | pay S1 mobile 20.00 Q2 | DECLINED BILLER_DISABLED    | biller mobile is disabled by operations   |
    | enable mobile          | ok                          |                                           |
    | pay S1 mobile 20.00 Q3 | HELD                        |                                           |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PaymentBillerDisabledBeforeWhatTheFlowFound) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                                 | result                         |
    | purchase S1 600.00 R1                              | ok                             |
    | disable mobile                                     | ok                             |
    | pay S1 mobile 20.00 Q1 found BILLER_OUT_OF_SERVICE | DECLINED BILLER_DISABLED       |
    | enable mobile                                      | ok                             |
    | pay S1 mobile 20.00 Q2 found BILLER_OUT_OF_SERVICE | DECLINED BILLER_OUT_OF_SERVICE |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PaymentWhateverTheFlowFoundBeforeTheBalance) {
  for (uint32_t number = static_cast<uint32_t>(DeclineReason::kBillerOutOfService);
       number < static_cast<uint32_t>(DeclineReason::kInsufficientAvailableBalance); ++number) {
    EXPECT_THAT(RunLedgerTable(fmt::format(R"(
    | do                                | result                                  | balance | reserved |
    | purchase S1 600.00 R1             | ok                                      |  600.00 |     0.00 |
    | pay S1 mobile 600.01 Q1 found {0} | DECLINED {0}                            |  600.00 |     0.00 |
    | pay S1 mobile 600.01 Q2           | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |  600.00 |     0.00 |
    | pay S1 mobile 600.00 Q3           | HELD                                    |  600.00 |   600.00 |
    )",
                                           Name(*DeclineReasonFromNumber(number)))),
                IsEmpty());
  }
}

TEST(LedgerPrecedenceTest, InquiryNoSuchStationThenBillerThenStationStatusThenBillerStatus) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do               | result                      | why                                        |
    | inquire S9 steam | refused NOT_FOUND           | station_id: 440106000009 is not registered |
    | suspend S1       | ok                          |                                            |
    | disable gas      | ok                          |                                            |
    | inquire S1 steam | refused NOT_FOUND           | biller_id: "steam" is not a biller         |
    | inquire S1 gas   | declined STATION_NOT_ACTIVE | the station is SUSPENDED; expected ACTIVE  |
    | activate S1      | ok                          |                                            |
    | inquire S1 gas   | declined BILLER_DISABLED    | biller gas is disabled by operations       |
    | enable gas       | ok                          |                                            |
    | inquire S1 gas   | ok                          |                                            |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, CancelNoSuchStationBeforeNoSuchPayment) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do              | result            | why                                                    |
    | cancel Q1 by S9 | refused NOT_FOUND | station_id: 440106000009 is not registered             |
    | cancel Q1 by S1 | refused NOT_FOUND | payment_id: station 440106000001 has no payment 999999 |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, CancelOfAnotherStationsPaymentBeforeItsState) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result            | why                                             |
    | purchase S1 600.00 R1  | ok                |                                                 |
    | pay S1 mobile 20.00 Q1 | HELD              |                                                 |
    | approve Q1             | SUCCEEDED         |                                                 |
    | cancel Q1 by S2        | refused NOT_FOUND | payment_id: station 440106000002 has no payment |
    | cancel Q1 by S1        | CANCELLING        |                                                 |
    | cancel Q1 by S2        | refused NOT_FOUND | payment_id: station 440106000002 has no payment |
    | cancel Q1 by S1        | again CANCELLING  |                                                 |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, CancelRepeatedBeforeStationNotActive) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                      |
    | purchase S1 600.00 R1  | ok                          |
    | pay S1 mobile 20.00 Q1 | HELD                        |
    | approve Q1             | SUCCEEDED                   |
    | pay S1 mobile 20.00 Q2 | HELD                        |
    | approve Q2             | SUCCEEDED                   |
    | cancel Q1              | CANCELLING                  |
    | suspend S1             | ok                          |
    | cancel Q1              | again CANCELLING            |
    | cancel Q2              | declined STATION_NOT_ACTIVE |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, CancelStationNotActiveBeforeBillerDisabledBeforeNotCancellable) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                      | why                                     |
    | purchase S1 600.00 R1  | ok                          |                                         |
    | pay S1 mobile 20.00 Q1 | HELD                        |                                         |
    | suspend S1             | ok                          |                                         |
    | disable mobile         | ok                          |                                         |
    | cancel Q1              | declined STATION_NOT_ACTIVE |                                         |
    | activate S1            | ok                          |                                         |
    | cancel Q1              | declined BILLER_DISABLED    |                                         |
    | enable mobile          | ok                          |                                         |
    | cancel Q1              | declined NOT_CANCELLABLE    | the payment is HELD; expected SUCCEEDED |
    | look Q1                | HELD                        |                                         |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, CancelNotCancellableBeforeNotSupportedBeforeDatePassed) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                   | result                        |
    | purchase S1 600.00 R1                | ok                            |
    | pay S1 gas 20.00 Q1                  | HELD                          |
    | close day                            | ok                            |
    | cancel Q1 found CANCEL_NOT_SUPPORTED | declined NOT_CANCELLABLE      |
    | approve Q1                           | SUCCEEDED                     |
    | cancel Q1 found CANCEL_NOT_SUPPORTED | declined CANCEL_NOT_SUPPORTED |
    | cancel Q1                            | declined CANCEL_DATE_PASSED   |
    | look Q1                              | SUCCEEDED                     |
  )"),
              IsEmpty());
}

TEST(LedgerPrecedenceTest, PurchaseNoSuchStationThenDuplicateThenStationStatus) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                    | result                      | balance | why                                        |
    | purchase S9 600.00 R1 | refused NOT_FOUND           |         | station_id: 440106000009 is not registered |
    | purchase S1 600.00 R1 | ok                          |  600.00 |                                            |
    | close S1              | ok                          |  600.00 |                                            |
    | purchase S1 600.00 R1 | again ok                    |  600.00 |                                            |
    | purchase S1 700.00 R1 | refused ALREADY_EXISTS      |  600.00 | for another counter purchase               |
    | purchase S1 700.00 R2 | refused FAILED_PRECONDITION |  600.00 | is CLOSED; expected APPROVED               |
  )"),
              IsEmpty());
}

}  // namespace
}  // namespace waystation::core
