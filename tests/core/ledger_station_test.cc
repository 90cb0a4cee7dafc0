// Stations and billers: their life, credit limits, and what a status stops.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "switch/core/limits.h"
#include "tests/core/ledger_table.h"
#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LedgerStationTest, FromApplicationToClosing) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                      | balance | why                                           |
    | register S3            | ok                          |    0.00 |                                               |
    | register S3            | again ok                    |    0.00 |                                               |
    | register S3 as another | refused ALREADY_EXISTS      |    0.00 | is registered as "a shop"                     |
    | purchase S3 500.00 R1  | refused FAILED_PRECONDITION |    0.00 | is APPLIED; expected APPROVED                 |
    | pay S3 mobile 20.00 Q1 | DECLINED STATION_NOT_ACTIVE |    0.00 | the station is APPLIED; expected ACTIVE       |
    | activate S3            | refused FAILED_PRECONDITION |    0.00 | a station that is APPLIED can't become ACTIVE |
    | admit S3               | ok                          |    0.00 |                                               |
    | purchase S3 500.00 R2  | ok                          |  500.00 |                                               |
    | pay S3 mobile 20.00 Q2 | DECLINED STATION_NOT_ACTIVE |  500.00 | the station is APPROVED; expected ACTIVE      |
    | activate S3            | ok                          |  500.00 |                                               |
    | activate S3            | ok                          |  500.00 |                                               |
    | pay S3 mobile 20.00 Q3 | HELD                        |  500.00 |                                               |
    | approve Q3             | SUCCEEDED                   |  480.00 |                                               |
    | suspend S3             | ok                          |  480.00 |                                               |
    | purchase S3 500.00 R3  | ok                          |  980.00 |                                               |
    | pay S3 mobile 20.00 Q4 | DECLINED STATION_NOT_ACTIVE |  980.00 | the station is SUSPENDED; expected ACTIVE     |
    | close S3               | ok                          |  980.00 |                                               |
    | activate S3            | refused FAILED_PRECONDITION |  980.00 | a station that is CLOSED can't become ACTIVE  |
    | pay S3 mobile 20.00 Q5 | DECLINED STATION_NOT_ACTIVE |  980.00 | the station is CLOSED; expected ACTIVE        |
    | purchase S3 500.00 R4  | refused FAILED_PRECONDITION |  980.00 | is CLOSED                                     |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, NobodyKnowsAStationThatNeverRegistered) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do              | result            | why                                        |
    | admit S9        | refused NOT_FOUND | station_id: 440106000009 is not registered |
    | grant S9 100.00 | refused NOT_FOUND | station_id: 440106000009 is not registered |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, AStationIsClosedOnceItsHoldsAreSettled) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                      | reserved | forwarded | why                              |
    | purchase S1 600.00 R1   | ok                          |     0.00 |      0.00 |                                  |
    | pay S1 mobile 100.00 Q1 | HELD                        |   100.00 |      0.00 |                                  |
    | close S1                | refused FAILED_PRECONDITION |   100.00 |      0.00 | has 100.00 yuan in open payments |
    | unknown Q1              | UNKNOWN                     |     0.00 |    100.00 |                                  |
    | close S1                | refused FAILED_PRECONDITION |     0.00 |    100.00 | has 100.00 yuan in open payments |
    | suspend S1              | ok                          |     0.00 |    100.00 |                                  |
    | close S1                | refused FAILED_PRECONDITION |     0.00 |    100.00 | close it once they are settled   |
    | approve Q1              | SUCCEEDED                   |     0.00 |      0.00 |                                  |
    | close S1                | ok                          |     0.00 |      0.00 |                                  |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, CreditIsHowFarBelowZeroTheBalanceMayGo) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                      | result                                  | balance | reserved | available |
    | grant S1 200.00         | ok                                      |    0.00 |     0.00 |    200.00 |
    | grant S1 200.00         | ok                                      |    0.00 |     0.00 |    200.00 |
    | pay S1 mobile 150.00 Q1 | HELD                                    |    0.00 |   150.00 |     50.00 |
    | pay S1 mobile 50.01 Q2  | DECLINED INSUFFICIENT_AVAILABLE_BALANCE |    0.00 |   150.00 |     50.00 |
    | approve Q1              | SUCCEEDED                               | -150.00 |     0.00 |     50.00 |
    | grant S1 149.99         | refused FAILED_PRECONDITION             | -150.00 |     0.00 |     50.00 |
    | pay S1 mobile 50.00 Q3  | HELD                                    | -150.00 |    50.00 |      0.00 |
    | grant S1 150.00         | refused FAILED_PRECONDITION             | -150.00 |    50.00 |      0.00 |
    | decline Q3              | DECLINED BILLER_DECLINED                | -150.00 |     0.00 |     50.00 |
    | grant S1 150.00         | ok                                      | -150.00 |     0.00 |      0.00 |
    | purchase S1 500.00 R1   | ok                                      |  350.00 |     0.00 |    500.00 |
    | grant S1 0.00           | ok                                      |  350.00 |     0.00 |    350.00 |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, ALimitThatWouldLeaveTooLittleSaysWhatItNeeds) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                   | result                      | available | why                                       |
    | grant S1 200.00      | ok                          |    200.00 |                                           |
    | pay S1 gas 150.00 Q1 | HELD                        |     50.00 |                                           |
    | grant S1 149.99      | refused FAILED_PRECONDITION |     50.00 | -1 fen available; expected at least 15000 |
    | grant S1 150.00      | ok                          |      0.00 |                                           |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, ADisabledBillerTakesNoPaymentAndNoCancel) {
  EXPECT_THAT(RunLedgerTable(R"(
    | do                     | result                   | balance | why                                               |
    | purchase S1 600.00 R1  | ok                       |  600.00 |                                                   |
    | pay S1 power 20.00 Q1  | HELD                     |  600.00 |                                                   |
    | approve Q1             | SUCCEEDED                |  580.00 |                                                   |
    | disable power          | ok                       |         |                                                   |
    | disable power          | ok                       |         |                                                   |
    | disable steam          | refused NOT_FOUND        |         | biller_id: "steam" is not a biller of this switch |
    | pay S1 power 20.00 Q2  | DECLINED BILLER_DISABLED |  580.00 | biller power is disabled by operations            |
    | cancel Q1              | declined BILLER_DISABLED |  580.00 | biller power is disabled by operations            |
    | pay S1 mobile 20.00 Q3 | HELD                     |  580.00 |                                                   |
    | enable power           | ok                       |         |                                                   |
    | cancel Q1              | CANCELLING               |  580.00 |                                                   |
  )"),
              IsEmpty());
}

TEST(LedgerStationTest, ANewReasonForTheSameStatusIsRecordedARepeatIsNot) {
  const StationId station = StationId::FromNumber(440'106'000'001);
  LedgerWorld world;
  world.Do(RegisterStation{station, "a shop", {}});
  world.Do(SetStationStatus{station, StationStatus::kClosed, "moved away"});
  const auto reason = [&] { return world.ledger().FindStation(station)->status_reason; };
  EXPECT_FALSE(world.Do(SetStationStatus{station, StationStatus::kClosed, "moved away"}).leg.has_value());
  EXPECT_FALSE(world.Do(SetStationStatus{station, StationStatus::kClosed, ""}).leg.has_value());
  EXPECT_EQ(reason(), "moved away");
  EXPECT_TRUE(world.Do(SetStationStatus{station, StationStatus::kClosed, "overcharging"}).leg.has_value());
  EXPECT_EQ(reason(), "overcharging");
  EXPECT_EQ(world.ledger().FindStation(station)->status, StationStatus::kClosed);
}

TEST(LedgerStationTest, AClosedStationIsGrantedNoCredit) {
  const StationId station = StationId::FromNumber(440'106'000'001);
  LedgerWorld world;
  world.Do(RegisterStation{station, "a shop", {}});
  EXPECT_TRUE(world.Do(GrantCredit{station, Money::Fen(10'000), ""}).reply.status.ok());
  world.Do(SetStationStatus{station, StationStatus::kClosed, ""});
  EXPECT_TRUE(world.Do(GrantCredit{station, Money::Fen(10'000), ""}).reply.status.ok()) << "a repeat";
  const Reply refused = world.Do(GrantCredit{station, Money::Fen(20'000), ""}).reply;
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status.message()), HasSubstr("is CLOSED"));
  EXPECT_EQ(world.ledger().FindStation(station)->credit_limit, Money::Fen(10'000));
}

TEST(LedgerStationTest, APurchaseThatWouldLiftTheBalanceTooHighIsRefused) {
  const StationId station = StationId::FromNumber(440'106'000'001);
  LedgerWorld world;
  world.Do(RegisterStation{station, "a shop", {}});
  world.Do(SetStationStatus{station, StationStatus::kApproved, ""});
  EXPECT_TRUE(world.Do(RecordCounterPurchase{station, "R1", kMaxBalance, "C1"}).reply.status.ok());
  const Reply refused = world.Do(RecordCounterPurchase{station, "R2", Money::Fen(1), "C1"}).reply;
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status.message()),
              HasSubstr("would lift the balance to 1000000000000001; expected a balance of at most 1000000000000000"));
  EXPECT_EQ(world.ledger().FindStation(station)->balance, kMaxBalance);
}

TEST(LedgerStationTest, TheReasonOfADisabledBillerIsTold) {
  const StationId station = StationId::FromNumber(440'106'000'001);
  LedgerWorld world;
  world.Do(RegisterBiller{"mobile"});
  world.Do(RegisterStation{station, "a shop", {}});
  world.Do(SetStationStatus{station, StationStatus::kApproved, ""});
  world.Do(SetStationStatus{station, StationStatus::kActive, ""});
  world.Do(SetBillerStatus{"mobile", false, "works on the line"});
  const Reply reply = world
                          .Do(AcceptPayment{.station = station,
                                            .operator_id = "0000000001",
                                            .request_id = "Q1",
                                            .biller_id = "mobile",
                                            .customer_number = "13800000001",
                                            .customer_name = {},
                                            .amount = Money::Fen(2'000),
                                            .presented = {}})
                          .reply;
  EXPECT_EQ(std::get<Payment>(reply.value).decline->text, "biller mobile is disabled by operations: works on the line");
}

}  // namespace
}  // namespace waystation::core
