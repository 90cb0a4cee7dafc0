#include "bench/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <set>

namespace waystation::bench {
namespace {

using ::testing::MatchesRegex;

TEST(Random, SameSeedSameNumbersAndBelowStaysBelow) {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 1'000; ++i) {
    const uint64_t value = a.Below(10);
    EXPECT_LT(value, 10u);
    EXPECT_EQ(value, b.Below(10));
  }
}

// How often each rank is picked, in 400,000 picks.
std::vector<double> PickedShares(const StationChoice& choice) {
  constexpr int kPicks = 400'000;
  Random random(20'261'121);
  std::vector<double> shares(choice.count());
  for (int i = 0; i < kPicks; ++i) shares[choice.Pick(random)] += 1.0 / kPicks;
  return shares;
}

TEST(BillerShare, EndingsComeAsOftenAsAskedAndOthersBehaveWell) {
  BillerShare biller{.id = "mobile"};
  biller.endings = {{.ending = 90, .probability = 0.1}, {.ending = 95, .probability = 0.02}};
  Random random(5);
  std::map<int, int> seen;
  std::string number;
  for (int i = 0; i < 100'000; ++i) {
    WriteCustomerNumber(biller, random, number);
    ASSERT_THAT(number, MatchesRegex("1[3-9][0-9]+"));
    ASSERT_EQ(number.size(), 11u);
    ++seen[std::stoi(number.substr(9))];
  }
  EXPECT_NEAR(seen[90], 10'000, 500);
  EXPECT_NEAR(seen[95], 2'000, 250);
  for (int ending = 0; ending < 88; ++ending) EXPECT_NEAR(seen[ending], 1'000, 200) << ending;
  EXPECT_EQ(seen.size(), 90u);
}

TEST(BillerShare, AnOutageForcesAllEndingsUntilItIsOver) {
  std::atomic<int> forced{96};
  BillerShare biller{.id = "electricity", .customers = CustomerShape::kMeter};
  biller.forced_ending = &forced;
  Random random(5);
  std::string number;
  for (int i = 0; i < 100; ++i) {
    WriteCustomerNumber(biller, random, number);
    ASSERT_THAT(number, MatchesRegex("[0-9]+96"));
  }
  forced = -1;
  for (int i = 0; i < 1'000; ++i) {
    WriteCustomerNumber(biller, random, number);
    ASSERT_LT(std::stoi(number.substr(8)), 88);
  }
}

TEST(PickBiller, EachByItsParts) {
  std::vector<BillerShare> billers(3);
  billers[0].parts = 1;
  billers[1].parts = 6;
  billers[2].parts = 3;
  Random random(11);
  std::array<int, 3> picked = {};
  for (int i = 0; i < 100'000; ++i) ++picked[static_cast<size_t>(&PickBiller(billers, random) - billers.data())];
  EXPECT_NEAR(picked[0], 10'000, 600);
  EXPECT_NEAR(picked[1], 60'000, 1'000);
  EXPECT_NEAR(picked[2], 30'000, 1'000);
}

TEST(StationChoice, UniformPicksAllAlike) {
  const StationChoice choice = StationChoice::Uniform(50);
  for (const double share : PickedShares(choice)) EXPECT_NEAR(share, 0.02, 0.002);
  EXPECT_DOUBLE_EQ(choice.Share(49), 0.02);
}

TEST(StationChoice, ZipfPicksEachRankInProportion) {
  constexpr double kTheta = 0.99;
  const StationChoice choice = StationChoice::Zipf(1'000, kTheta);
  double harmonic = 0;
  for (int k = 1; k <= 1'000; ++k) harmonic += std::pow(k, -kTheta);
  const std::vector<double> shares = PickedShares(choice);
  for (const size_t rank : {0u, 1u, 2u, 9u, 99u}) {
    const double expected = std::pow(static_cast<double>(rank + 1), -kTheta) / harmonic;
    EXPECT_NEAR(choice.Share(rank), expected, 1e-12);
    EXPECT_NEAR(shares[rank], expected, 0.1 * expected) << "rank " << rank;
  }
}

TEST(StationChoice, SharesSumToOne) {
  const StationChoice choice = StationChoice::Zipf(777, 1.2);
  double sum = 0;
  for (size_t rank = 0; rank < choice.count(); ++rank) sum += choice.Share(rank);
  EXPECT_NEAR(sum, 1.0, 1e-9);
}

TEST(StationChoice, OneStationIsAlwaysPicked) {
  Random random(1);
  for (const StationChoice& choice : {StationChoice::Uniform(1), StationChoice::Zipf(1, 0.99)}) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(choice.Pick(random), 0u);
  }
}

PaymentMix Mix(CustomerShape customers) {
  PaymentMix mix;
  mix.billers = {{.id = "mobile", .customers = customers}};
  mix.stations = StationChoice::Uniform(100);
  mix.run_id = "b1-2";
  mix.seed = 42;
  return mix;
}

TEST(PaymentMaker, MakesWellFormedPaymentsOfWellBehavedCustomers) {
  const PaymentMix mix = Mix(CustomerShape::kMobile);
  PaymentMaker maker(mix, 3);
  v1::PayRequest request;
  for (int i = 0; i < 5'000; ++i) {
    maker.MakeNext(request);
    EXPECT_THAT(request.station_id(), MatchesRegex("9900000000[0-9][0-9]|990000000100"));
    EXPECT_THAT(request.customer_number(), MatchesRegex("1[3-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-8][0-9]"));
    EXPECT_THAT(request.operator_id(), MatchesRegex("[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"));
    EXPECT_GE(request.amount_fen(), 2'000);
    EXPECT_LE(request.amount_fen(), kLargestAmountFen);
    EXPECT_EQ(request.biller_id(), "mobile");
  }
}

TEST(PaymentMaker, MeterNumbersHaveTenDigits) {
  const PaymentMix mix = Mix(CustomerShape::kMeter);
  PaymentMaker maker(mix, 0);
  v1::PayRequest request;
  for (int i = 0; i < 1'000; ++i) {
    maker.MakeNext(request);
    ASSERT_EQ(request.customer_number().size(), 10u);
    EXPECT_LT(request.customer_number().substr(8), "90");
  }
}

TEST(PaymentMaker, PaysTheBillsOfABillerThatNeedsAnInquiryAndOfEachBillerTheSamePart) {
  PaymentMix mix = Mix(CustomerShape::kMobile);
  mix.billers.push_back(
      {.id = "gas",
       .customers = CustomerShape::kGas,
       .needs_inquiry = true,
       .bills = {{.rank = 7, .customer_number = "12345600", .amount_fen = 321, .inquiry_token = "t"},
                 {.rank = 8, .customer_number = "12345601", .amount_fen = 123, .inquiry_token = "u"}}});
  PaymentMaker maker(mix, 0);
  v1::PayRequest request;
  std::map<std::string, int> paid;
  for (int i = 0; i < 4'000; ++i) {
    maker.MakeNext(request);
    ++paid[request.biller_id() + " " + request.inquiry_token()];
    if (request.inquiry_token().empty()) continue;
    const bool first = request.inquiry_token() == "t";
    EXPECT_EQ(request.station_id(), first ? "990000000008" : "990000000009");
    EXPECT_EQ(request.customer_number(), first ? "12345600" : "12345601");
    EXPECT_EQ(request.amount_fen(), first ? 321 : 123);
  }
  EXPECT_NEAR(paid["mobile "], 2'000, 200);
  EXPECT_NEAR(paid["gas t"], 1'000, 150);
  EXPECT_NEAR(paid["gas u"], 1'000, 150);
}

TEST(PaymentMaker, NoTwoPaymentsOfARunShareARequestId) {
  const PaymentMix mix = Mix(CustomerShape::kMobile);
  std::set<std::string> seen;
  v1::PayRequest request;
  for (size_t slot = 0; slot < 120; ++slot) {
    PaymentMaker maker(mix, slot);
    for (int i = 0; i < 120; ++i) {
      maker.MakeNext(request);
      EXPECT_LE(request.request_id().size(), 64u);
      EXPECT_TRUE(seen.insert(request.request_id()).second) << request.request_id();
    }
  }
}

TEST(PaymentMaker, SameSeedSamePayments) {
  const PaymentMix mix = Mix(CustomerShape::kMobile);
  PaymentMaker a(mix, 5);
  PaymentMaker b(mix, 5);
  v1::PayRequest first;
  v1::PayRequest second;
  for (int i = 0; i < 100; ++i) {
    a.MakeNext(first);
    b.MakeNext(second);
    EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  }
}

}  // namespace
}  // namespace waystation::bench
