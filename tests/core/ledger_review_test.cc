#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger_table.h"

namespace waystation::core {
namespace {

using ::testing::IsEmpty;

TEST(LedgerReviewTest, AnApprovalThatComesLateForAnUnknownPaymentCapturesIt) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result     | balance | reserved | forwarded | available | owed to mobile |
    | purchase S1 600.00 R1   | ok         |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
    | pay S1 mobile 100.00 Q1 | HELD       |  600.00 |   100.00 |      0.00 |    500.00 |           0.00 |
    | unknown Q1              | UNKNOWN    |  600.00 |     0.00 |    100.00 |    500.00 |           0.00 |
    | approve-late Q1         | SUCCEEDED  |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | approve-late Q1         | SUCCEEDED  |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | cancel Q1               | CANCELLING |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | approve-late Q1         | CANCELLING |  500.00 |     0.00 |      0.00 |    500.00 |         100.00 |
    | cancel-confirmed Q1     | CANCELLED  |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
    | approve-late Q1         | CANCELLED  |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
  )"),
              IsEmpty());
}

TEST(LedgerReviewTest, OneThatComesAfterTheMoneyWasFreedIsALateSuccess) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                           | result                          | forwarded | why          |
    | purchase S1 600.00 R1                        | ok                              |      0.00 |              |
    | pay S1 mobile 100.00 Q1                      | HELD                            |      0.00 |              |
    | 1 times: unknown Q1, reverse Q1, reversed Q1 | REVERSED                        |      0.00 |              |
    | approve-late Q1                              | REVIEW                          |      0.00 | was REVERSED |
    | approve-late Q1                              | REVIEW                          |      0.00 | was REVERSED |

      also when it had left memory
    | pay S1 mobile 100.00 Q2                      | HELD                            |      0.00 |              |
    | 1 times: unknown Q2, never-received Q2       | DECLINED NOT_RECEIVED_BY_BILLER |      0.00 |              |
    | forget                                       | ok                              |           |              |
    | approve-late Q2                              | REVIEW                          |      0.00 | was DECLINED |

      while it is being taken back it is evidence, for when the biller refuses
    | pay S1 mobile 100.00 Q3                      | HELD                            |      0.00 |              |
    | 1 times: unknown Q3, reverse Q3              | REVERSING                       |    100.00 |              |
    | approve-late Q3                              | REVERSING                       |    100.00 |              |
    | review Q3                                    | REVIEW                          |    100.00 |              |

      what is with the biller for the first time is the flow's; what was declined at once was never sent
    | pay S1 mobile 100.00 Q4                      | HELD                            |    100.00 |              |
    | approve-late Q4                              | refused FAILED_PRECONDITION     |    100.00 |              |
    | pay S1 mobile 900.00 Q5                      |                                 |    100.00 |              |
    | approve-late Q5                              | refused FAILED_PRECONDITION     |    100.00 |              |
    | approve-late Q6                              | refused NOT_FOUND               |           |              |
  )"),
              IsEmpty());
}

TEST(LedgerReviewTest, EachVerdictFromEachColumn) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                                  | result   | balance | forwarded | owed to gas | suspense |
    | purchase S1 900.00 R1                               | ok       |  900.00 |      0.00 |        0.00 |     0.00 |

      forwarded
    | 1 times: pay S1 gas 10.00 A1, unknown A1, review A1 | REVIEW   |  900.00 |     10.00 |        0.00 |     0.00 |
    | charge A1                                           | ADJUSTED |  890.00 |      0.00 |       10.00 |     0.00 |
    | 1 times: pay S1 gas 10.00 A2, unknown A2, review A2 | REVIEW   |  890.00 |     10.00 |       10.00 |     0.00 |
    | release A2                                          | ADJUSTED |  890.00 |      0.00 |       10.00 |     0.00 |
    | 1 times: pay S1 gas 10.00 A3, unknown A3, review A3 | REVIEW   |  890.00 |     10.00 |       10.00 |     0.00 |
    | write-off A3                                        | ADJUSTED |  890.00 |      0.00 |       20.00 |   -10.00 |

      captured: a cancel without an end
    | 1 times: pay S1 gas 20.00 B1, approve B1            |          |         |           |             |          |
    | 1 times: cancel B1, review B1                       | REVIEW   |  870.00 |      0.00 |       40.00 |   -10.00 |
    | charge B1                                           | ADJUSTED |  870.00 |      0.00 |       40.00 |   -10.00 |
    | 1 times: pay S1 gas 20.00 B2, approve B2            |          |         |           |             |          |
    | 1 times: cancel B2, review B2                       | REVIEW   |  850.00 |      0.00 |       60.00 |   -10.00 |
    | release B2                                          | ADJUSTED |  870.00 |      0.00 |       40.00 |   -10.00 |
    | 1 times: pay S1 gas 20.00 B3, approve B3            |          |         |           |             |          |
    | 1 times: cancel B3, review B3                       | REVIEW   |  850.00 |      0.00 |       60.00 |   -10.00 |
    | write-off B3                                        | ADJUSTED |  870.00 |      0.00 |       60.00 |   -30.00 |

      free: a late success
    | 1 times: pay S1 gas 50.00 C1, decline C1            |          |         |           |             |          |
    | approve-late C1                                     | REVIEW   |  870.00 |      0.00 |       60.00 |   -30.00 |
    | charge C1                                           | ADJUSTED |  820.00 |      0.00 |      110.00 |   -30.00 |
    | 1 times: pay S1 gas 50.00 C2, decline C2            |          |         |           |             |          |
    | approve-late C2                                     | REVIEW   |  820.00 |      0.00 |      110.00 |   -30.00 |
    | release C2                                          | ADJUSTED |  820.00 |      0.00 |      110.00 |   -30.00 |
    | 1 times: pay S1 gas 50.00 C3, decline C3            |          |         |           |             |          |
    | approve-late C3                                     | REVIEW   |  820.00 |      0.00 |      110.00 |   -30.00 |
    | write-off C3                                        | ADJUSTED |  820.00 |      0.00 |      160.00 |   -80.00 |
  )"),
              IsEmpty());
}

TEST(LedgerReviewTest, ItTakesTwoPeople) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                       | result                      | why                          |
    | purchase S1 600.00 R1                    | ok                          |                              |
    | 1 times: pay S1 gas 10.00 Q1, unknown Q1 | UNKNOWN                     |                              |
    | propose Q1 charge by C1                  | refused FAILED_PRECONDITION | expected a payment in REVIEW |
    | confirm Q1 charge by C2                  | refused FAILED_PRECONDITION | expected a payment in REVIEW |
    | review Q1                                | REVIEW                      |                              |
    | adjust-unasked Q1                        | refused FAILED_PRECONDITION |                              |
    | confirm Q1 charge by C2                  | refused FAILED_PRECONDITION | nothing is proposed          |
    | propose Q1 charge by C1                  | REVIEW                      |                              |
    | propose Q1 charge by C1                  | again REVIEW                |                              |
    | confirm Q1 charge by C1                  | refused FAILED_PRECONDITION | expected another person      |
    | propose Q1 release by C2                 | REVIEW                      |                              |
    | confirm Q1 charge by C3                  | refused FAILED_PRECONDITION | expected RELEASE             |
    | confirm Q1 charge by C3 of before        | refused FAILED_PRECONDITION | C2 proposes RELEASE          |
    | confirm Q1 release by C3 of before       | refused FAILED_PRECONDITION | C2 proposes RELEASE          |
    | confirm Q1 release by C2                 | refused FAILED_PRECONDITION | expected another person      |
    | confirm Q1 release by C1                 | ADJUSTED                    |                              |
    | confirm Q1 release by C1                 | again ADJUSTED              |                              |
    | forget                                   | ok                          |                              |
    | confirm Q1 release by C1                 | again ADJUSTED              |                              |
    | confirm Q1 release by C3                 | refused FAILED_PRECONDITION | is ADJUSTED                  |
    | propose Q1 charge by C1                  | refused FAILED_PRECONDITION | is ADJUSTED                  |
    | propose Q9 charge by C1                  | refused NOT_FOUND           |                              |
    | confirm Q9 charge by C1                  | refused NOT_FOUND           |                              |
  )"),
              IsEmpty());
}

TEST(LedgerReviewTest, AnApprovalThatComesWhileAPersonLooksUndoesTheProposal) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                                  | result                      | why                 |
    | purchase S1 600.00 R1                               | ok                          |                     |
    | 1 times: pay S1 gas 10.00 Q1, unknown Q1, review Q1 | REVIEW                      |                     |
    | propose Q1 release by C1                            | REVIEW                      |                     |
    | approve-late Q1                                     | REVIEW                      | late success        |
    | confirm Q1 release by C2                            | refused FAILED_PRECONDITION | nothing is proposed |
    | propose Q1 charge by C1                             | REVIEW                      |                     |
    | approve-late Q1                                     | REVIEW                      | late success        |
    | confirm Q1 charge by C2                             | ADJUSTED                    |                     |
  )"),
              IsEmpty());
}

TEST(LedgerReviewTest, AStationIsNotChargedWhatItDoesNotHave) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                           | result                      | available | why          |
    | purchase S1 500.00 R1                        | ok                          |    500.00 |              |
    | pay S1 gas 400.00 Q1                         | HELD                        |    100.00 |              |
    | 1 times: unknown Q1, reverse Q1, reversed Q1 | REVERSED                    |    500.00 |              |
    | 1 times: pay S1 gas 200.00 Q2, approve Q2    | SUCCEEDED                   |    300.00 |              |
    | approve-late Q1                              | REVIEW                      |    300.00 | late success |
    | charge Q1                                    | refused FAILED_PRECONDITION |    300.00 | -100.00 yuan |
    | purchase S1 500.00 R2                        | ok                          |    800.00 |              |
    | charge Q1                                    | ADJUSTED                    |    400.00 |              |
  )"),
              IsEmpty());
}

}  // namespace
}  // namespace waystation::core
