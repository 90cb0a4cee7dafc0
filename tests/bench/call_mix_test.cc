#include "bench/call_mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waystation::bench {
namespace {

using ::testing::MatchesRegex;

CallMix SmallMix(std::array<uint32_t, kCallKinds> parts) {
  CallMix mix{.parts = parts};
  mix.payments.billers = {{.id = "mobile"}, {.id = "gas", .customers = CustomerShape::kGas, .can_cancel = false}};
  mix.payments.stations = StationChoice::Uniform(10);
  mix.payments.run_id = "b1";
  mix.payments.seed = 3;
  return mix;
}

v1::Payment Paid(const std::string& id, const std::string& biller) {
  v1::Payment payment;
  payment.set_payment_id(id);
  payment.set_station_id("990000000004");
  payment.set_biller_id(biller);
  return payment;
}

TEST(CallMaker, KindsComeByTheirParts) {
  const CallMix mix = SmallMix({40, 45, 1, 14});
  CallMaker maker(mix, 0);
  std::array<int, kCallKinds> named = {};
  for (int i = 0; i < 100'000; ++i) {
    maker.NotePaid(Paid("7", "mobile"));
    ++named[static_cast<size_t>(maker.Next())];
    v1::CancelRequest cancel;
    if (maker.made()[2] > 0 && named[2] > 0 && i % 100 == 0) maker.Fill(cancel);
  }
  EXPECT_NEAR(named[0], 40'000, 1'000);
  EXPECT_NEAR(named[1], 45'000, 1'000);
  EXPECT_NEAR(named[2], 1'000, 200);
  EXPECT_NEAR(named[3], 14'000, 800);
  for (size_t kind = 0; kind < kCallKinds; ++kind) EXPECT_EQ(maker.made()[kind], static_cast<uint64_t>(named[kind]));
}

TEST(CallMaker, ACancelTakesBackTheNewestOwnPaymentAndWithoutOneItIsAPayment) {
  const CallMix mix = SmallMix({0, 0, 1, 0});
  CallMaker maker(mix, 0);
  EXPECT_EQ(maker.Next(), CallKind::kPay);
  maker.NotePaid(Paid("7", "mobile"));
  maker.NotePaid(Paid("8", "mobile"));
  maker.NotePaid(Paid("9", "gas"));  // can't be cancelled
  v1::CancelRequest request;
  for (const char* id : {"8", "7"}) {
    ASSERT_EQ(maker.Next(), CallKind::kCancel);
    maker.Fill(request);
    EXPECT_EQ(request.payment_id(), id);
    EXPECT_EQ(request.station_id(), "990000000004");
    EXPECT_EQ(request.operator_id().size(), 10u);
  }
  EXPECT_EQ(maker.Next(), CallKind::kPay);
  EXPECT_EQ(maker.made(), (std::array<uint64_t, kCallKinds>{0, 2, 2, 0}));
}

TEST(CallMaker, RequestsAreOfTheMixAndEndingsAreCounted) {
  CallMix mix = SmallMix({1, 1, 1, 1});
  mix.payments.billers = {{.id = "mobile"}};
  mix.payments.billers[0].endings = {{.ending = 95, .probability = 1}};
  CallMaker maker(mix, 5);
  v1::InquireRequest inquire;
  maker.Fill(inquire);
  EXPECT_EQ(inquire.biller_id(), "mobile");
  EXPECT_THAT(inquire.customer_number(), MatchesRegex("1[0-9]+95"));
  EXPECT_THAT(inquire.station_id(), MatchesRegex("99000000000[1-9]|990000000010"));
  v1::GetAccountRequest account;
  maker.Fill(account);
  EXPECT_THAT(account.station_id(), MatchesRegex("99000000000[1-9]|990000000010"));
  v1::PayRequest pay;
  maker.Fill(pay);
  EXPECT_EQ(pay.request_id(), "b1-5-1");
  EXPECT_EQ(maker.endings()[95], 1u);
  EXPECT_EQ(maker.endings()[0], 0u);
}

TEST(CallMaker, TheSameSeedAndPlaceMakeTheSameCalls) {
  const CallMix mix = SmallMix({1, 1, 0, 1});
  CallMaker a(mix, 1);
  CallMaker b(mix, 1);
  CallMaker other(mix, 2);
  int same = 0;
  for (int i = 0; i < 200; ++i) {
    const CallKind kind = a.Next();
    ASSERT_EQ(b.Next(), kind);
    same += other.Next() == kind ? 1 : 0;
  }
  EXPECT_LT(same, 150);
}

}  // namespace
}  // namespace waystation::bench
