#include "adapters/mobile/answer.h"

#include <fstream>
#include <string>
#include <vector>

#include "adapters/mobile/signature.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters::mobile {
namespace {

using ::testing::HasSubstr;

TEST(MobileAnswer, ComesInWithAllItsParts) {
  const auto answer = DecodeAnswer(
      R"({"code":"00","order":"42","state":"paid","refusal":"","reference":"M1","name":"张*","amount_fen":5000,)"
      R"("owed_fen":0,"other":{"deep":[1]}})");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, "00");
  EXPECT_EQ(answer->order, "42");
  EXPECT_EQ(answer->state, OrderState::kPaid);
  EXPECT_EQ(answer->reference, "M1");
  EXPECT_EQ(answer->name, "张*");
  EXPECT_EQ(answer->amount, core::Money::Fen(5'000));
  EXPECT_EQ(answer->owed, core::Money());
}

TEST(MobileAnswer, WhatIsNotAnAnswerIsRefused) {
  struct Row {
    std::string json;
    std::string fault;
  };
  const std::vector<Row> rows = {
      {"", "incomplete"},
      {"{", "incomplete"},
      {R"({"code":"00"} x)", "extra data"},
      {R"(["00"])", "the body: expected an object"},
      {"null", "the body: expected an object"},
      {"{}", "code: expected a text"},
      {R"({"code":""})", "code: expected a text"},
      {R"({"code":0})", "code: expected a plain text"},
      {R"({"code":"00","order":42})", "order: expected a plain text"},
      {R"({"code":"00","order":"123456789012345678901"})", "order: expected a plain text"},
      {R"({"code":"00","name":"a\nb"})", "name: expected a plain text"},
      {R"({"code":"00","name":"a\u0000b"})", "name: expected a plain text"},
      {"{\"code\":\"00\",\"name\":\"\xff\"}", "syntax error"},
      {R"({"code":"00","state":"lost"})", "state: expected processing"},
      {R"({"code":"00","state":1})", "state: expected processing"},
      {R"({"code":"00","amount_fen":50.0})", "amount_fen: expected a whole number"},
      {R"({"code":"00","amount_fen":"5000"})", "amount_fen: expected a whole number"},
      {R"({"code":"00","amount_fen":-1})", "amount_fen: expected a whole number"},
      {R"({"code":"00","amount_fen":10000000001})", "amount_fen: expected a whole number"},
      {R"({"code":"00","owed_fen":1e3})", "owed_fen: expected a whole number"},
      {R"({"code":"00","x":[[[[[1]]]]]})", "too deep"},
      {std::string(100'000, '['), "too deep"},
      {R"({"code":"00",})", "syntax error"},
      {R"({"code":"00"/**/})", "syntax error"},
  };
  for (const Row& row : rows) {
    const auto answer = DecodeAnswer(row.json);
    ASSERT_FALSE(answer.ok()) << row.json.substr(0, 200);
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(row.fault)) << row.json.substr(0, 200);
  }
}

class MobileSignature : public testing::Test {
 protected:
  absl::StatusOr<Signer> FromText(const std::string& text) {
    std::ofstream(folder_.Under("key")) << text;
    return Signer::FromFile(folder_.Under("key"));
  }

  storage::TemporaryFolder folder_;
};

// By hand: printf 'POST\n/v1/orders\n1795219200000\n00ff\n{}' | openssl dgst -sha256 -mac HMAC -macopt
// hexkey:000102...0f
TEST_F(MobileSignature, IsHmacSha256OverTheLines) {
  const Signer signer = *FromText("000102030405060708090A0b0c0d0e0f\n");
  const Signed message{"POST", "/v1/orders", "1795219200000", "00ff", "{}"};
  const std::string signature = signer.Sign(message);
  EXPECT_EQ(signature, "2627e620a4b1fa398b8375ea9e5c419952cb07791e0618e46c1ae61562589e3d");
  EXPECT_TRUE(signer.Verify(message, signature));
}

TEST_F(MobileSignature, HoldsForNothingElse) {
  const Signer signer = *FromText(std::string(32, 'a'));
  const Signer other = *FromText(std::string(32, 'b'));
  const Signed message{"POST", "/v1/orders", "1795219200000", "00ff", "{}"};
  const std::string signature = signer.Sign(message);
  EXPECT_FALSE(other.Verify(message, signature));
  EXPECT_FALSE(signer.Verify({"GET", "/v1/orders", "1795219200000", "00ff", "{}"}, signature));
  EXPECT_FALSE(signer.Verify({"POST", "/v1/order", "1795219200000", "00ff", "{}"}, signature));
  EXPECT_FALSE(signer.Verify({"POST", "/v1/orders", "1795219200001", "00ff", "{}"}, signature));
  EXPECT_FALSE(signer.Verify({"POST", "/v1/orders", "1795219200000", "00fe", "{}"}, signature));
  EXPECT_FALSE(signer.Verify({"POST", "/v1/orders", "1795219200000", "00ff", "{ }"}, signature));
  EXPECT_FALSE(signer.Verify(message, ""));
  EXPECT_FALSE(signer.Verify(message, signature.substr(1)));
  EXPECT_FALSE(signer.Verify(message, signature + "0"));
}

TEST_F(MobileSignature, KeysThatAreNoneAreRefused) {
  EXPECT_THAT(std::string(Signer::FromFile(folder_.Under("none")).status().message()), HasSubstr("can't be opened"));
  const std::vector<std::string> texts = {
      std::string(),         std::string(31, 'a'),       std::string(30, 'a'),
      std::string(130, 'a'), std::string(31, 'a') + "g", "aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaaa "};
  for (const std::string& text : texts) {
    const auto signer = FromText(text);
    ASSERT_FALSE(signer.ok()) << text;
    EXPECT_THAT(std::string(signer.status().message()), HasSubstr("32 to 128 hexadecimal digits"));
  }
}

TEST(MobileNonce, ComesOnce) {
  EXPECT_THAT(NewNonce(), testing::SizeIs(32));
  EXPECT_NE(NewNonce(), NewNonce());
}

}  // namespace
}  // namespace waystation::adapters::mobile
