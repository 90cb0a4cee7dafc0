// What the ledger answers to reads, and what a payment's record says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/core/ledger_world.h"

namespace waystation::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const StationId kFirst = StationId::FromNumber(440'106'000'001);
const StationId kSecond = StationId::FromNumber(440'106'000'002);
const StationId kThird = StationId::FromNumber(440'106'000'003);

class LedgerReadTest : public testing::Test {
 protected:
  LedgerReadTest() {
    world_.Do(RegisterBiller{"power"});
    world_.Do(RegisterBiller{"mobile"});
    // Not in order of id.
    for (StationId station : {kSecond, kThird, kFirst}) {
      world_.Do(RegisterStation{station, "shop " + station.ToString(), {kThird}});
      world_.Do(SetStationStatus{station, StationStatus::kApproved, "papers are in order"});
      world_.Do(SetStationStatus{station, StationStatus::kActive, "key handed out"});
    }
    world_.Do(RecordCounterPurchase{kFirst, "R1", Money::Fen(60'000), "C1"});
  }

  Payment Pay(std::string request_id) {
    const Reply reply = world_
                            .Do(AcceptPayment{.station = kFirst,
                                              .operator_id = "0000000001",
                                              .request_id = std::move(request_id),
                                              .biller_id = "power",
                                              .customer_number = "0102030405",
                                              .customer_name = "*明",
                                              .amount = Money::Fen(10'000),
                                              .presented = {}})
                            .reply;
    EXPECT_TRUE(reply.status.ok()) << reply.status;
    return std::get<Payment>(reply.value);
  }

  Reply Record(PaymentId id, PaymentEvent event) {
    return world_
        .Do(RecordOutcome{.payment_id = id,
                          .event = event,
                          .decline = {},
                          .biller_reference = "",
                          .voucher = "",
                          .customer_name = "",
                          .unknown_cause = ""})
        .reply;
  }

  LedgerWorld world_;
};

TEST_F(LedgerReadTest, AStationsAccount) {
  const Reply reply = world_.Do(ReadAccount{kFirst}).reply;
  const Account& account = std::get<Account>(reply.value);
  EXPECT_EQ(account.station, kFirst);
  EXPECT_EQ(account.balance, Money::Fen(60'000));
  EXPECT_EQ(account.name, "shop 440106000001");
  EXPECT_EQ(account.status, StationStatus::kActive);
  EXPECT_EQ(account.status_reason, "key handed out");
  EXPECT_EQ(account.opened, FirstDate());
  EXPECT_THAT(account.signing_institutions, ElementsAre(kThird));
  EXPECT_EQ(reply.sequence, world_.ledger().last_sequence());
  EXPECT_EQ(world_.Do(ReadAccount{StationId::FromNumber(9)}).reply.status.code(), absl::StatusCode::kNotFound);
}

TEST_F(LedgerReadTest, AnAnswerRestsOnTheLastLegThatChangedWhatItTells) {
  const auto account = [&](StationId station) { return world_.Do(ReadAccount{station}).reply.rests_on; };
  const auto inquiry = [&](StationId station, const char* biller) {
    return world_.Do(AdmitInquiry{station, biller}).reply.rests_on;
  };
  const uint64_t second = account(kSecond);
  const uint64_t admitted = inquiry(kFirst, "mobile");
  const Payment paid = Pay("Q1");
  EXPECT_EQ(account(kFirst), paid.last_sequence());
  EXPECT_EQ(account(kSecond), second);
  EXPECT_LT(second, paid.id.number());
  // Money moves without a word of whether the station may ask.
  EXPECT_EQ(inquiry(kFirst, "mobile"), admitted);

  world_.Do(SetStationStatus{kFirst, StationStatus::kSuspended, "a fire"});
  const uint64_t suspended = world_.ledger().last_sequence();
  EXPECT_EQ(account(kFirst), suspended);
  EXPECT_EQ(inquiry(kFirst, "mobile"), suspended);
  EXPECT_LT(inquiry(kSecond, "mobile"), suspended);
  world_.Do(SetBillerStatus{"mobile", false, "works on the line"});
  EXPECT_EQ(inquiry(kSecond, "mobile"), world_.ledger().last_sequence());
  EXPECT_LT(inquiry(kSecond, "power"), suspended);
  EXPECT_EQ(account(kFirst), suspended);
  EXPECT_EQ(world_.Do(ReadBillers{}).reply.rests_on, world_.ledger().last_sequence());
  EXPECT_EQ(account(StationId::FromNumber(9)), 0u);
  // Were the station's registration undone, it would be told that the station is not there.
  EXPECT_EQ(inquiry(kFirst, "nobody"), suspended);
}

TEST_F(LedgerReadTest, APaymentsAnswerRestsOnItsLastLegAProposalToo) {
  const Payment payment = Pay("Q1");
  Record(payment.id, PaymentEvent::kOutcomeUnknown);
  Record(payment.id, PaymentEvent::kReviewNeeded);
  const uint64_t reviewed = world_.ledger().last_sequence();
  Pay("Q2");
  const auto by_id = [&] { return world_.Do(ReadPayment{payment.id}).reply; };
  const auto by_request = [&] { return world_.Do(ReadPaymentByRequest{kFirst, "Q1"}).reply; };
  for (const Reply& reply : {by_id(), by_request()}) {
    EXPECT_EQ(reply.rests_on, reviewed);
    EXPECT_EQ(reply.sequence, reviewed);
  }
  world_.Do(ProposeResolution{payment.id, Verdict::kRelease, "asked the biller", "C1"});
  const uint64_t proposed = world_.ledger().last_sequence();
  Pay("Q3");
  for (const Reply& reply : {by_id(), by_request()}) {
    ASSERT_TRUE(std::get<Payment>(reply.value).resolution.has_value());
    EXPECT_EQ(reply.rests_on, proposed);
    EXPECT_EQ(reply.sequence, proposed);
  }
}

TEST_F(LedgerReadTest, StationsInOrderOfIdAPageAtATime) {
  const auto page = [&](StationId after, uint32_t limit) {
    std::vector<StationId> ids;
    const Reply reply = world_.Do(ReadStations{after, limit}).reply;
    for (const Account& account : std::get<std::vector<Account>>(reply.value)) ids.push_back(account.station);
    return ids;
  };
  EXPECT_THAT(page(StationId(), 2), ElementsAre(kFirst, kSecond));
  EXPECT_THAT(page(kSecond, 2), ElementsAre(kThird));
  EXPECT_THAT(page(kThird, 2), IsEmpty());
}

TEST_F(LedgerReadTest, BillersInOrderOfNameWithTheirStatus) {
  world_.Do(SetBillerStatus{"power", false, "works on the line"});
  const Reply reply = world_.Do(ReadBillers{}).reply;
  const auto& billers = std::get<std::vector<BillerState>>(reply.value);
  ASSERT_EQ(billers.size(), 2u);
  EXPECT_EQ(billers[0].biller_id, "mobile");
  EXPECT_TRUE(billers[0].enabled);
  EXPECT_EQ(billers[1].biller_id, "power");
  EXPECT_FALSE(billers[1].enabled);
  EXPECT_EQ(billers[1].reason, "works on the line");
}

TEST_F(LedgerReadTest, APaymentByItsIdAndByItsRequestUntilItLeavesMemory) {
  const Payment payment = Pay("Q1");
  EXPECT_EQ(std::get<Payment>(world_.Do(ReadPayment{payment.id}).reply.value), payment);
  EXPECT_EQ(std::get<Payment>(world_.Do(ReadPaymentByRequest{kFirst, "Q1"}).reply.value), payment);
  EXPECT_EQ(world_.Do(ReadPaymentByRequest{kSecond, "Q1"}).reply.status.code(), absl::StatusCode::kNotFound);
  // A purchase's request id is no payment's.
  EXPECT_EQ(world_.Do(ReadPaymentByRequest{kFirst, "R1"}).reply.status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world_.ledger().FindPurchase({kFirst, "Q1"}), nullptr);

  world_.ForgetAtRest();
  EXPECT_EQ(world_.ledger().payments_in_memory(), 1u);
  Record(payment.id, PaymentEvent::kApproved);
  world_.ForgetAtRest();
  EXPECT_EQ(world_.ledger().payments_in_memory(), 0u);
  EXPECT_EQ(world_.Do(ReadPayment{payment.id}).reply.status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world_.Do(ReadPaymentByRequest{kFirst, "Q1"}).reply.status.code(), absl::StatusCode::kNotFound);
}

TEST_F(LedgerReadTest, TheStationsPaymentsInMemoryOldestFirst) {
  const PaymentId first = Pay("Q1").id;
  const PaymentId second = Pay("Q2").id;
  Record(first, PaymentEvent::kApproved);
  const auto ids = [&](StationId station) {
    std::vector<PaymentId> found;
    const Reply reply = world_.Do(ReadOpenPayments{station}).reply;
    for (const Payment& payment : std::get<std::vector<Payment>>(reply.value)) found.push_back(payment.id);
    return found;
  };
  EXPECT_THAT(ids(kFirst), ElementsAre(first, second));
  EXPECT_THAT(ids(kSecond), IsEmpty());
  world_.ForgetAtRest();
  EXPECT_THAT(ids(kFirst), ElementsAre(second));
  EXPECT_EQ(world_.Do(ReadOpenPayments{StationId::FromNumber(9)}).reply.status.code(), absl::StatusCode::kNotFound);
}

TEST_F(LedgerReadTest, TheBusinessDay) {
  const uint64_t before = world_.ledger().last_sequence();
  EXPECT_EQ(std::get<BusinessDay>(world_.Do(ReadBusinessDay{}).reply.value).date, FirstDate());
  const BusinessDay cut = std::get<BusinessDay>(world_.Do(CloseDay{FirstDate(), FirstDate().NextDay()}).reply.value);
  EXPECT_EQ(cut.date, FirstDate().NextDay());
  EXPECT_EQ(cut.opened_sequence, before + 1);
  EXPECT_EQ(cut.opened_at, StampOf(before + 1, FirstDate()).time);
  EXPECT_EQ(std::get<BusinessDay>(world_.Do(ReadBusinessDay{}).reply.value).opened_sequence, before + 1);
  EXPECT_EQ(world_.Do(CloseDay{FirstDate(), FirstDate().NextDay()}).reply.status.code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(LedgerReadTest, APurchaseAnswersWithItsRecord) {
  const LedgerWorld::Answer answer = world_.Do(RecordCounterPurchase{kFirst, "R2", Money::Fen(50'000), "C2"});
  const uint64_t sequence = answer.leg->sequence;
  const Purchase expected{.sequence = sequence,
                          .station = kFirst,
                          .request_id = "R2",
                          .amount = Money::Fen(50'000),
                          .clerk_id = "C2",
                          .balance_after = Money::Fen(110'000),
                          .business_date = FirstDate(),
                          .time = StampOf(sequence, FirstDate()).time};
  EXPECT_EQ(std::get<Purchase>(answer.reply.value), expected);
  EXPECT_EQ(std::get<Purchase>(world_.Do(RecordCounterPurchase{kFirst, "R2", Money::Fen(50'000), "C2"}).reply.value),
            expected);
}

TEST_F(LedgerReadTest, APurchaseLeavesMemoryOnceItIsDurable) {
  EXPECT_TRUE(world_.ledger().HasRequest({kFirst, "R1"}));
  EXPECT_EQ(world_.ledger().FindPurchase({kFirst, "R1"})->amount, Money::Fen(60'000));
  world_.ForgetAtRest();
  EXPECT_FALSE(world_.ledger().HasRequest({kFirst, "R1"}));
  EXPECT_EQ(world_.ledger().FindPurchase({kFirst, "R1"}), nullptr);
}

TEST_F(LedgerReadTest, AnotherBillersWordSettlesNothing) {
  const PaymentId id = Pay("Q1").id;
  RecordOutcome outcome{.payment_id = id,
                        .event = PaymentEvent::kApproved,
                        .decline = {},
                        .biller_reference = "B77",
                        .voucher = "",
                        .customer_name = "",
                        .unknown_cause = ""};
  for (const PaymentEvent event : {PaymentEvent::kApproved, PaymentEvent::kLateApproval}) {
    outcome.event = event;
    outcome.biller_id = "steam";
    const Reply refused = world_.Do(outcome).reply;
    EXPECT_EQ(refused.status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(refused.status.message(), fmt::format("payment_id: {} is a payment of biller {}, not of steam",
                                                    id.ToString(), world_.Find(id)->biller_id));
    EXPECT_EQ(world_.Find(id)->state, PaymentState::kHeld);
  }
  outcome.biller_id = world_.Find(id)->biller_id;
  outcome.event = PaymentEvent::kApproved;
  EXPECT_TRUE(world_.Do(outcome).reply.status.ok());
}

TEST_F(LedgerReadTest, APaymentsRecordKeepsItsHistoryAndWhatTheBillerSaid) {
  const PaymentId id = Pay("Q1").id;
  world_.Do(RecordOutcome{.payment_id = id,
                          .event = PaymentEvent::kOutcomeUnknown,
                          .decline = {},
                          .biller_reference = "",
                          .voucher = "",
                          .customer_name = "",
                          .unknown_cause = "no answer in time"});
  EXPECT_EQ(world_.Find(id)->unknown_cause, "no answer in time");
  world_.Do(CloseDay{FirstDate(), FirstDate().NextDay()});
  const Reply reply = world_
                          .Do(RecordOutcome{.payment_id = id,
                                            .event = PaymentEvent::kApproved,
                                            .decline = {},
                                            .biller_reference = "B77",
                                            .voucher = "01234567890123456789",
                                            .customer_name = "王*",
                                            .unknown_cause = ""})
                          .reply;
  const Payment& payment = std::get<Payment>(reply.value);
  EXPECT_EQ(payment.id.number(), payment.history[0].sequence);
  EXPECT_EQ(payment.biller_reference, "B77");
  EXPECT_EQ(payment.voucher, "01234567890123456789");
  EXPECT_EQ(payment.customer_name, "王*");
  EXPECT_EQ(payment.unknown_cause, "");
  EXPECT_EQ(payment.business_date, FirstDate());
  EXPECT_EQ(reply.sequence, payment.last_sequence());

  const auto change = [](uint64_t sequence, PaymentState state, BusinessDate date) {
    return StateChange{sequence, state, StampOf(sequence, date).time, date};
  };
  const uint64_t first = id.number();
  EXPECT_THAT(payment.history, ElementsAre(change(first, PaymentState::kHeld, FirstDate()),
                                           change(first + 1, PaymentState::kUnknown, FirstDate()),
                                           change(first + 3, PaymentState::kSucceeded, FirstDate().NextDay())));
}

TEST_F(LedgerReadTest, ARefusedOutcomeAnswersWithThePaymentAsItStands) {
  const Payment payment = Pay("Q1");
  const Reply reply = Record(payment.id, PaymentEvent::kReversalConfirmed);
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::get<Payment>(reply.value), payment);
}

TEST_F(LedgerReadTest, ReadsAndRefusalsAddNoLeg) {
  const uint64_t before = world_.ledger().last_sequence();
  EXPECT_FALSE(world_.Do(ReadAccount{kFirst}).leg.has_value());
  EXPECT_FALSE(world_.Do(ReadBillers{}).leg.has_value());
  EXPECT_FALSE(world_.Do(RegisterBiller{"power"}).leg.has_value());
  EXPECT_FALSE(world_.Do(SetStationStatus{kFirst, StationStatus::kApplied, ""}).leg.has_value());
  EXPECT_EQ(world_.ledger().last_sequence(), before);
}

TEST(RequestKeyTest, TheStationInBigEndianThenTheRequest) {
  EXPECT_EQ(RequestKey(StationId::FromNumber(0x0102030405), "Q1"), std::string("\0\0\0\1\2\3\4\5Q1", 10));
  EXPECT_LT(RequestKey(kFirst, "Z"), RequestKey(kSecond, "A"));
}

}  // namespace
}  // namespace waystation::core
