#include "adapters/card.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "switch/core/limits.h"

namespace waystation::adapters {
namespace {

using core::Money;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

CapabilityCard GoodCard() {
  CapabilityCard card;
  card.service = "water";
  card.least = Money::Fen(100);
  card.most = Money::Fen(1'000);
  card.customer_number_pattern = R"(\d{6})";
  card.customer_number_hint = "6 digits";
  return card;
}

std::string Fault(const CardOverrides& overrides) {
  return std::string(WithOverrides(GoodCard(), overrides).status().message());
}

TEST(Card, OverridesTakeThePlaceOfWhatTheAdapterHas) {
  CardOverrides overrides;
  overrides.least = Money::Fen(200);
  overrides.most = core::kMaxAmount;
  overrides.step = Money::Fen(50);
  overrides.customer_number_pattern = R"(\d{7})";
  overrides.customer_number_hint = "7 digits";
  overrides.time_limit = milliseconds(1);
  overrides.max_in_flight = 7;
  overrides.max_waiting = 0;
  overrides.service_hours = "06:00-23:30";
  const absl::StatusOr<CapabilityCard> card = WithOverrides(GoodCard(), overrides);
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_EQ(card->service, "water");
  EXPECT_EQ(card->least, Money::Fen(200));
  EXPECT_EQ(card->most, core::kMaxAmount);
  EXPECT_EQ(card->step, Money::Fen(50));
  EXPECT_EQ(card->customer_number_pattern, R"(\d{7})");
  EXPECT_EQ(card->customer_number_hint, "7 digits");
  EXPECT_EQ(card->time_limit, milliseconds(1));
  EXPECT_EQ(card->max_in_flight, 7u);
  EXPECT_EQ(card->max_waiting, 0u);
  EXPECT_EQ(card->service_hours.ToString(), "06:00-23:30");
}

TEST(Card, HoursOfTheAdapterCanBeOverriddenToAlways) {
  CapabilityCard card = GoodCard();
  card.service_hours = *core::ServiceHours::Parse("08:00-17:00");
  EXPECT_FALSE(WithOverrides(card, {})->service_hours.always());
  EXPECT_TRUE(WithOverrides(card, {.service_hours = "00:00-24:00"})->service_hours.always());
}

TEST(Card, WithoutOverridesItStaysAsItIs) {
  const absl::StatusOr<CapabilityCard> card = WithOverrides(GoodCard(), {});
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_EQ(card->most, Money::Fen(1'000));
  EXPECT_EQ(card->customer_number_hint, "6 digits");
}

TEST(Card, FaultsNameTheField) {
  EXPECT_EQ(Fault({.least = Money::Fen(0)}), "card.least_fen: 0 is out of range; expected 1 .. 10000000000");
  EXPECT_EQ(Fault({.most = Money::Fen(99)}), "card.most_fen: 99 is out of range; expected 100 .. 10000000000");
  EXPECT_THAT(Fault({.most = core::kMaxAmount + Money::Fen(1)}), StartsWith("card.most_fen: 10000000001 is out"));
  EXPECT_THAT(Fault({.step = Money::Fen(0)}), StartsWith("card.step_fen: 0 is out"));
  EXPECT_THAT(Fault({.customer_number_pattern = "(\\d"}),
              StartsWith("card.customer_number_pattern: \"(\\d\" does not compile"));
  // Patterns of other dialects, which the switch could not match with.
  EXPECT_THAT(Fault({.customer_number_pattern = R"((?=1)\d{7})"}),
              HasSubstr("does not compile (invalid perl operator: (?=); expected an RE2 regular expression"));
  EXPECT_THAT(Fault({.customer_number_pattern = R"((\d)\1{6})"}), HasSubstr("does not compile"));
  EXPECT_THAT(Fault({.customer_number_pattern = ""}), StartsWith("card.customer_number_pattern: 0 bytes long"));
  EXPECT_THAT(Fault({.customer_number_hint = ""}), StartsWith("card.customer_number_hint: 0 bytes long"));
  EXPECT_EQ(Fault({.time_limit = milliseconds(300'001)}),
            "card.time_limit_ms: 300001 is out of range; expected 1 .. 300000");
  EXPECT_THAT(Fault({.time_limit = milliseconds(0)}), StartsWith("card.time_limit_ms: 0 is out"));
  EXPECT_THAT(Fault({.max_in_flight = 1}), StartsWith("card.max_in_flight: 1 is out"));
  EXPECT_THAT(Fault({.max_in_flight = 100'001}), StartsWith("card.max_in_flight: 100001 is out"));
  EXPECT_THAT(Fault({.max_waiting = 10'001}), StartsWith("card.max_waiting: 10001 is out of range; expected 0 .. "));
  EXPECT_THAT(Fault({.service_hours = "6-23"}), StartsWith("card.service_hours: \"6-23\" is no interval of a day"));
}

}  // namespace
}  // namespace waystation::adapters
