#include "adapters/iso8583/mac.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/hex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_host.h"

namespace waystation::adapters::iso8583 {
namespace {

using ::testing::HasSubstr;

std::string Hex(std::string_view bytes) {
  std::string text;
  AppendHex(bytes, &text);
  return text;
}

std::string Code(const Mac& mac, std::string_view hex) {
  const Mac::Code code = mac.Compute(*FromHex(hex));
  return Hex({code.data(), code.size()});
}

// RFC 4493, section 4; ours are the first 8 bytes.
TEST(Mac, IsAesCmac) {
  const std::unique_ptr<Mac> mac = *Mac::Make(*FromHex("2b7e151628aed2a6abf7158809cf4f3c"));
  EXPECT_EQ(Code(*mac, ""), "BB1D6929E9593728");
  EXPECT_EQ(Code(*mac, "6bc1bee22e409f96e93d7e117393172a"), "070A16B46B4D4144");
  EXPECT_EQ(Code(*mac, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"),
            "DFA66747DE9AE630");
  EXPECT_EQ(Code(*mac,
                 "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                 "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"),
            "51F0BEBF7E3B9D92");
}

TEST(Mac, StandsLastAndCoversAllBefore) {
  const HostFile host = LoadHost(ElectricityFile());
  const std::unique_ptr<Mac> mac = *Mac::Make("0123456789abcdef");
  const std::unique_ptr<Mac> other = *Mac::Make("0123456789abcdeg");
  for (const bool secondary : {false, true}) {
    Message message;
    message.set_mti("0210");
    message.Set(11, "000042");
    message.Set(39, "00");
    if (secondary) message.Set(102, "1234567800");
    std::string wire;
    ASSERT_TRUE(PackWithMac(host.specification, mac.get(), &message, &wire).ok());
    EXPECT_TRUE(message.Has(secondary ? 128 : 64));
    const Mac::Code code = mac->Compute(std::string_view(wire).substr(0, wire.size() - Mac::kBytes));
    EXPECT_EQ(Hex(std::string_view(wire).substr(wire.size() - Mac::kBytes)), Hex({code.data(), code.size()}));
    Message back;
    ASSERT_TRUE(Unpack(host.specification, wire, &back).ok());
    EXPECT_TRUE(MacIsRight(host.specification, *mac, wire, back));
    EXPECT_FALSE(MacIsRight(host.specification, *other, wire, back));
  }
}

TEST(Mac, AMessageWithoutOneIsNotRight) {
  const HostFile host = LoadHost(ElectricityFile());
  const std::unique_ptr<Mac> mac = *Mac::Make("0123456789abcdef");
  Message message;
  message.set_mti("0210");
  message.Set(39, "00");
  std::string wire;
  ASSERT_TRUE(Pack(host.specification, message, &wire).ok());
  EXPECT_FALSE(MacIsRight(host.specification, *mac, wire, message));
  // Nor is one whose MAC stands in 64 while there are elements above.
  message.Set(64, "12345678");
  message.Set(102, "1");
  EXPECT_FALSE(MacIsRight(host.specification, *mac, wire, message));
}

TEST(Mac, TheKeyFileIsCheckedAndItsContentIsNotShown) {
  const std::string path = testing::TempDir() + "iso8583_mac_test.key";
  const auto fault = [&path](const std::string& text) {
    std::ofstream(path) << text;
    return std::string(Mac::FromFile(path).status().message());
  };
  EXPECT_EQ(fault("2b7e1516 28aed2a6\nabf7158809cf4f3c\n"), "");
  EXPECT_THAT(fault("2b7e"), HasSubstr("a MAC key of 2 bytes; expected 16, 24 or 32"));
  const std::string secret = "the key is 2b7e";
  EXPECT_THAT(fault(secret), HasSubstr("has something else than hexadecimal digits"));
  EXPECT_THAT(fault(secret), testing::Not(HasSubstr("2b7e")));
  std::filesystem::remove(path);
  EXPECT_TRUE(absl::IsNotFound(Mac::FromFile(path).status()));
}

}  // namespace
}  // namespace waystation::adapters::iso8583
