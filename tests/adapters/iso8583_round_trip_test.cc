#include <algorithm>
#include <memory>
#include <string>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/mac.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "tests/adapters/iso8583_host.h"

namespace waystation::adapters::iso8583 {
namespace {

std::string AnyCharacters(const std::string& alphabet, size_t count) {
  return *rc::gen::container<std::string>(count, rc::gen::elementOf(alphabet));
}

// A value that the element can have, as it comes back: one of fixed length has all of it.
std::string AnyValue(const FieldSpecification& field) {
  const std::string digits = "0123456789";
  const std::string letters = "ABCXYZabcxyz ";
  const size_t length =
      field.length_digits == 0 ? field.length : *rc::gen::inRange<size_t>(0, std::min<size_t>(field.length, 60) + 1);
  switch (field.type) {
    case FieldType::kDigits: return AnyCharacters(digits, length);
    case FieldType::kLetters: return AnyCharacters(letters, length);
    case FieldType::kAlphanumeric: return AnyCharacters(letters + digits, length);
    case FieldType::kPrintable: return AnyCharacters(letters + digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\\"", length);
    case FieldType::kTrack: return AnyCharacters(digits + "=", length);
    case FieldType::kSigned: return length == 0 ? "" : AnyCharacters("CD", 1) + AnyCharacters(digits, length - 1);
    case FieldType::kBinary: return *rc::gen::container<std::string>(length, rc::gen::arbitrary<char>());
    case FieldType::kText: return AnyCharacters(letters + "\xe5\xbc\xa0*", length);
  }
  return "";
}

Message AnyMessage(const Specification& specification) {
  Message message;
  message.set_mti(*rc::gen::element<std::string>("0200", "0210", "0420", "0421", "0430", "0800", "0810"));
  for (int number = 2; number <= kLastField; ++number) {
    const FieldSpecification* field = specification.field(number);
    if (field != nullptr && *rc::gen::arbitrary<bool>()) message.Set(number, AnyValue(*field));
  }
  return message;
}

class RoundTrip : public testing::TestWithParam<std::string> {};

TEST_P(RoundTrip, WhatWasPackedIsReadBack) {
  const HostFile host = LoadHost(GetParam());
  EXPECT_TRUE(rc::check([&host] {
    const Message message = AnyMessage(host.specification);
    std::string wire;
    const absl::Status packed = Pack(host.specification, message, &wire);
    RC_ASSERT(packed.ok());
    Message back;
    const absl::Status unpacked = Unpack(host.specification, wire, &back);
    RC_ASSERT(unpacked.ok());
    RC_ASSERT(back == message);
  }));
}

TEST_P(RoundTrip, AByteThatChangedIsNoticedByTheMac) {
  const HostFile host = LoadHost(GetParam());
  const std::unique_ptr<Mac> mac = *Mac::Make("0123456789abcdef");
  EXPECT_TRUE(rc::check([&] {
    Message message = AnyMessage(host.specification);
    // The one that is not the last element would be data like any other.
    message.Clear(64);
    message.Clear(128);
    std::string wire;
    RC_ASSERT(PackWithMac(host.specification, mac.get(), &message, &wire).ok());
    Message back;
    RC_ASSERT(Unpack(host.specification, wire, &back).ok());
    RC_ASSERT(back == message);
    RC_ASSERT(MacIsRight(host.specification, *mac, wire, back));
    const auto at = *rc::gen::inRange<size_t>(0, wire.size());
    wire[at] = static_cast<char>(wire[at] ^ *rc::gen::inRange(1, 256));
    const bool taken = Unpack(host.specification, wire, &back).ok() && MacIsRight(host.specification, *mac, wire, back);
    // A MAC in hexadecimal digits may be written in either case.
    RC_ASSERT(!taken || (back == message && host.specification.bitmap_encoding() == Encoding::kHex));
  }));
}

INSTANTIATE_TEST_SUITE_P(Hosts, RoundTrip, testing::Values(ElectricityFile(), AsciiHostFile()),
                         [](const auto& test) { return test.index == 0 ? "electricity" : "ascii"; });

}  // namespace
}  // namespace waystation::adapters::iso8583
