#include "switch/core/ids.h"

#include <gtest/gtest.h>

namespace waystation::core {
namespace {

TEST(StationIdTest, TwelveDigitsWithLeadingZerosKept) {
  for (const char* text : {"440106000017", "000000000001", "999999999999", "000000000000"}) {
    const absl::StatusOr<StationId> id = StationId::Parse(text);
    ASSERT_TRUE(id.ok()) << text;
    EXPECT_EQ(id->ToString(), text);
  }
  EXPECT_EQ(StationId::Parse("000000000042")->number(), 42u);
  EXPECT_LT(*StationId::Parse("000000000042"), *StationId::Parse("000000000043"));
}

TEST(StationIdTest, AnythingElseIsRefused) {
  for (const char* text :
       {"", "44010600001", "4401060000170", "44010600001x", " 44010600001", "-40106000017", "４４０１"}) {
    const absl::StatusOr<StationId> id = StationId::Parse(text);
    ASSERT_FALSE(id.ok()) << text;
    EXPECT_EQ(id.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(id.status().message(), "is not an institution code; expected 12 digits, such as 440106000017");
  }
}

TEST(PaymentIdTest, DecimalDigits) {
  for (const char* text : {"1", "10", "18446744073709551615"}) {
    const absl::StatusOr<PaymentId> id = PaymentId::Parse(text);
    ASSERT_TRUE(id.ok()) << text;
    EXPECT_EQ(id->ToString(), text);
  }
  EXPECT_LT(PaymentId(), PaymentId::FromNumber(1));
}

TEST(PaymentIdTest, AnythingElseIsRefused) {
  for (const char* text : {"", "0", "01", "-1", "1 ", "0x10", "18446744073709551616", "100000000000000000000"}) {
    const absl::StatusOr<PaymentId> id = PaymentId::Parse(text);
    ASSERT_FALSE(id.ok()) << text;
    EXPECT_EQ(id.status().message(), "is not a payment id; expected 1 to 20 decimal digits without a leading zero");
  }
}

}  // namespace
}  // namespace waystation::core
