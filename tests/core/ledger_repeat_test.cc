// The same request sent again gets the first answer, at any time; with other content it is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger_table.h"
#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::IsEmpty;

TEST(LedgerRepeatTest, ARepeatedPaymentIsThatPaymentAsItStands) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result           | balance | reserved | forwarded | available |
    | purchase S1 600.00 R1   | ok               |  600.00 |     0.00 |      0.00 |    600.00 |
    | pay S1 mobile 100.00 Q1 | HELD             |  600.00 |   100.00 |      0.00 |    500.00 |
    | pay S1 mobile 100.00 Q1 | again HELD       |  600.00 |   100.00 |      0.00 |    500.00 |
    | unknown Q1              | UNKNOWN          |  600.00 |     0.00 |    100.00 |    500.00 |
    | pay S1 mobile 100.00 Q1 | again UNKNOWN    |  600.00 |     0.00 |    100.00 |    500.00 |
    | approve Q1              | SUCCEEDED        |  500.00 |     0.00 |      0.00 |    500.00 |
    | pay S1 mobile 100.00 Q1 | again SUCCEEDED  |  500.00 |     0.00 |      0.00 |    500.00 |
    | forget                  | ok               |         |          |           |           |
    | pay S1 mobile 100.00 Q1 | again SUCCEEDED  |  500.00 |     0.00 |      0.00 |    500.00 |
    | cancel Q1               | CANCELLING       |  500.00 |     0.00 |      0.00 |    500.00 |
    | pay S1 mobile 100.00 Q1 | again CANCELLING |  500.00 |     0.00 |      0.00 |    500.00 |
    | cancel-confirmed Q1     | CANCELLED        |  600.00 |     0.00 |      0.00 |    600.00 |
    | pay S1 mobile 100.00 Q1 | again CANCELLED  |  600.00 |     0.00 |      0.00 |    600.00 |
    | forget                  | ok               |         |          |           |           |
    | pay S1 mobile 100.00 Q1 | again CANCELLED  |  600.00 |     0.00 |      0.00 |    600.00 |
    | close day               | ok               |         |          |           |           |
    | pay S1 mobile 100.00 Q1 | again CANCELLED  |  600.00 |     0.00 |      0.00 |    600.00 |
  )"),
              IsEmpty());
}

TEST(LedgerRepeatTest, ADeclinedRequestKeepsItsIdAndItsDecline) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                         | result                                        | balance | reserved |
    | pay S1 gas 100.00 Q1                       | DECLINED INSUFFICIENT_AVAILABLE_BALANCE       |    0.00 |     0.00 |
    | purchase S1 600.00 R1                      | ok                                            |  600.00 |     0.00 |
    | pay S1 gas 100.00 Q1                       | again DECLINED INSUFFICIENT_AVAILABLE_BALANCE |  600.00 |     0.00 |
    | forget                                     | ok                                            |         |          |
    | pay S1 gas 100.00 Q1                       | again DECLINED INSUFFICIENT_AVAILABLE_BALANCE |  600.00 |     0.00 |
    | pay S1 gas 10.00 Q2 found AMOUNT_TOO_SMALL | DECLINED AMOUNT_TOO_SMALL                     |  600.00 |     0.00 |
    | pay S1 gas 10.00 Q2                        | again DECLINED AMOUNT_TOO_SMALL               |  600.00 |     0.00 |
    | pay S1 gas 10.00 Q2 found INQUIRY_EXPIRED  | again DECLINED AMOUNT_TOO_SMALL               |  600.00 |     0.00 |
    | pay S1 gas 20.00 Q3                        | HELD                                          |  600.00 |    20.00 |
    | decline Q3                                 | DECLINED BILLER_DECLINED                      |  600.00 |     0.00 |
    | pay S1 gas 20.00 Q3                        | again DECLINED BILLER_DECLINED                |  600.00 |     0.00 |
  )"),
              IsEmpty());
}

TEST(LedgerRepeatTest, TheSameIdWithOtherContentIsRefused) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                                         | result                 | balance | reserved | why                |
    | purchase S1 600.00 R1                      | ok                     |  600.00 |     0.00 |                    |
    | pay S1 mobile 100.00 Q1                    | HELD                   |  600.00 |   100.00 |                    |
    | pay S1 mobile 100.01 Q1                    | refused ALREADY_EXISTS |  600.00 |   100.00 | with other content |
    | pay S1 power 100.00 Q1                     | refused ALREADY_EXISTS |  600.00 |   100.00 | with other content |
    | pay S1 mobile 100.00 Q1 number 13800000002 | refused ALREADY_EXISTS |  600.00 |   100.00 | with other content |
    | pay S1 mobile 100.00 Q1 by 0000000002      | refused ALREADY_EXISTS |  600.00 |   100.00 | with other content |
    | approve Q1                                 | SUCCEEDED              |  500.00 |     0.00 |                    |
    | forget                                     | ok                     |         |          |                    |
    | pay S1 mobile 100.01 Q1                    | refused ALREADY_EXISTS |  500.00 |     0.00 | with other content |
    | pay S1 mobile 100.00 Q1                    | again SUCCEEDED        |  500.00 |     0.00 |                    |
  )"),
              IsEmpty());
}

TEST(LedgerRepeatTest, TwoStationsMayUseTheSameId) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result    | balance | reserved |
    | purchase S1 600.00 R1   | ok        |  600.00 |     0.00 |
    | purchase S2 700.00 R1   | ok        |  700.00 |     0.00 |
    | pay S1 mobile 100.00 Q1 | HELD      |  600.00 |   100.00 |
    | pay S2 power 200.00 Q1  | HELD      |  700.00 |   200.00 |
    | forget                  | ok        |         |          |
    | approve S1:Q1           | SUCCEEDED |  500.00 |     0.00 |
    | look S2:Q1              | HELD      |  700.00 |   200.00 |
  )"),
              IsEmpty());
}

TEST(LedgerRepeatTest, ARepeatedCounterPurchaseCreditsOnce) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                          | result                 | balance | why                      |
    | purchase S1 600.00 R1       | ok                     |  600.00 |                          |
    | purchase S1 600.00 R1       | again ok               |  600.00 |                          |
    | purchase S1 600.01 R1       | refused ALREADY_EXISTS |  600.00 | another counter purchase |
    | purchase S1 600.00 R1 by C2 | refused ALREADY_EXISTS |  600.00 | another counter purchase |
    | forget                      | ok                     |         |                          |
    | purchase S1 600.00 R1       | again ok               |  600.00 |                          |
    | purchase S1 600.01 R1       | refused ALREADY_EXISTS |  600.00 | another counter purchase |
    | purchase S1 600.00 R2       | ok                     | 1200.00 |                          |
  )"),
              IsEmpty());
}

TEST(LedgerRepeatTest, PaymentsAndPurchasesShareTheirIds) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                 | balance | reserved | why                    |
    | purchase S1 600.00 X1   | ok                     |  600.00 |     0.00 |                        |
    | pay S1 mobile 600.00 X1 | refused ALREADY_EXISTS |  600.00 |     0.00 | for a counter purchase |
    | pay S1 mobile 500.00 X2 | HELD                   |  600.00 |   500.00 |                        |
    | purchase S1 500.00 X2   | refused ALREADY_EXISTS |  600.00 |   500.00 | for a payment          |
    | approve X2              | SUCCEEDED              |  100.00 |     0.00 |                        |
    | forget                  | ok                     |         |          |                        |
    | pay S1 mobile 600.00 X1 | refused ALREADY_EXISTS |  100.00 |     0.00 | for a counter purchase |
    | purchase S1 500.00 X2   | refused ALREADY_EXISTS |  100.00 |     0.00 | for a payment          |
  )"),
              IsEmpty());
}

// A switch that takes no new work, since its disk is nearly full or it was restored from a backup.
TEST(LedgerRepeatTest, WithoutRoomForNewWorkARepeatIsStillAnswered) {
  const absl::Status full = absl::ResourceExhaustedError("the disk is full");
  const StationId station = StationId::FromNumber(440106000001);
  LedgerWorld world;
  world.Do(RegisterStation{station, "shop", {}});
  world.Do(SetStationStatus{station, StationStatus::kApproved, ""});
  world.Do(SetStationStatus{station, StationStatus::kActive, ""});
  world.Do(RegisterBiller{"mobile"});
  RecordCounterPurchase purchase{station, "R1", Money::Fen(60'000), "8000000001"};
  AcceptPayment pay{station, "2000000001", "Q1", "mobile", "13800000000", "", Money::Fen(10'000), std::nullopt};
  world.Do(purchase);
  const PaymentId id = std::get<Payment>(world.Do(pay).reply.value).id;
  world.Do(RecordOutcome{id, PaymentEvent::kApproved, std::nullopt, "ref", "", "", ""});

  purchase.refuse_new = pay.refuse_new = full;
  StartCancel cancel{station, "2000000001", id, std::nullopt, full};
  EXPECT_TRUE(world.Do(purchase).reply.repeated);
  EXPECT_TRUE(world.Do(pay).reply.repeated);
  EXPECT_EQ(world.Do(cancel).reply.status, full);
  purchase.request_id = "R2";
  pay.request_id = "Q2";
  const uint64_t before = world.ledger().last_sequence();
  EXPECT_EQ(world.Do(purchase).reply.status, full);
  EXPECT_EQ(world.Do(pay).reply.status, full);
  EXPECT_EQ(world.ledger().last_sequence(), before)
      << "a refusal leaves no leg, so that the same request can come again";

  cancel.refuse_new = absl::OkStatus();
  EXPECT_EQ(std::get<Payment>(world.Do(cancel).reply.value).state, PaymentState::kCancelling);
  cancel.refuse_new = full;
  EXPECT_TRUE(world.Do(cancel).reply.repeated);
}

}  // namespace
}  // namespace waystation::core
