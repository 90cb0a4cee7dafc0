#include "switch/rpc/sealed_token.h"

#include "gtest/gtest.h"

namespace waystation::rpc {
namespace {

using Standing = flow::InquiryProof::Standing;

const core::TimePoint kNow{std::chrono::milliseconds(1'800'000'000'000)};
const core::StationId kStation = core::StationId::FromNumber(440'106'000'017);

Inquiry MadeInquiry() {
  return {.station = kStation,
          .biller_id = "gas",
          .customer_number = "00000100",
          .owed = core::Money::Fen(12'345),
          .customer_name = "王*",
          .expires_at = kNow + std::chrono::minutes(10)};
}

class SealedToken : public ::testing::Test {
 protected:
  absl::StatusOr<flow::InquiryProof> Open(std::string_view token, core::TimePoint now = kNow) const {
    return OpenInquiry(seal_, token, kStation, "gas", "00000100", now);
  }

  const TokenSeal seal_{std::string(32, 'k')};
};

TEST_F(SealedToken, ProvesWhatTheInquirySaid) {
  const std::string token = SealInquiry(seal_, MadeInquiry());
  EXPECT_LE(token.size(), 400U);
  const auto proof = Open(token);
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->standing, Standing::kValid);
  EXPECT_EQ(proof->owed, core::Money::Fen(12'345));
  EXPECT_EQ(proof->customer_name, "王*");
}

TEST_F(SealedToken, NoTokenProvesNothing) {
  const auto proof = Open("");
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->standing, Standing::kNone);
}

TEST_F(SealedToken, IsGoodForItsStationBillerAndCustomerOnly) {
  const std::string token = SealInquiry(seal_, MadeInquiry());
  const auto other_station =
      OpenInquiry(seal_, token, core::StationId::FromNumber(440'106'000'018), "gas", "00000100", kNow);
  const auto other_biller = OpenInquiry(seal_, token, kStation, "water", "00000100", kNow);
  const auto other_customer = OpenInquiry(seal_, token, kStation, "gas", "00000101", kNow);
  for (const auto& proof : {other_station, other_biller, other_customer}) {
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(proof->standing, Standing::kMismatch);
    EXPECT_EQ(proof->customer_name, "") << "another customer's name is nobody's business";
  }
  // Before its expiry is looked at.
  EXPECT_EQ(OpenInquiry(seal_, token, kStation, "gas", "00000101", kNow + std::chrono::hours(1))->standing,
            Standing::kMismatch);
}

TEST_F(SealedToken, ExpiresToTheMillisecond) {
  const std::string token = SealInquiry(seal_, MadeInquiry());
  const core::TimePoint expiry = MadeInquiry().expires_at;
  EXPECT_EQ(Open(token, expiry - std::chrono::milliseconds(1))->standing, Standing::kValid);
  EXPECT_EQ(Open(token, expiry)->standing, Standing::kExpired);
  EXPECT_EQ(Open(token, expiry + std::chrono::hours(24 * 365))->standing, Standing::kExpired);
}

TEST_F(SealedToken, IsRefusedWithAnyByteChangedCutOrAdded) {
  const std::string token = SealInquiry(seal_, MadeInquiry());
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'z', '_', '=', '\0', '\xff'}) {
      std::string changed = token;
      if (changed[i] == c) continue;
      changed[i] = c;
      // The last character may carry bits that are not used; then it is the same token.
      const auto proof = Open(changed);
      if (proof.ok()) {
        EXPECT_EQ(i, token.size() - 1);
        EXPECT_EQ(proof->owed, core::Money::Fen(12'345));
      }
    }
    EXPECT_FALSE(i > 0 && Open(token.substr(0, i)).ok()) << "cut to " << i;
  }
  EXPECT_FALSE(Open(token + "AAAA").ok());
  EXPECT_FALSE(Open("AAAA" + token).ok());
}

TEST_F(SealedToken, IsRefusedWithAnotherKeyOrPurpose) {
  const TokenSeal other(std::string(32, 'x'));
  EXPECT_EQ(Open(SealInquiry(other, MadeInquiry())).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Open(seal_.Seal("list payments", "payload")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*seal_.Open("a purpose", seal_.Seal("a purpose", "payload")), "payload");
  EXPECT_EQ(*seal_.Open("a purpose", seal_.Seal("a purpose", "")), "");
  // The purpose and the payload can't be moved into each other.
  EXPECT_FALSE(seal_.Open("a", seal_.Seal("a purpose", "payload")).ok());
}

}  // namespace
}  // namespace waystation::rpc
