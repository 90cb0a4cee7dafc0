#include "adapters/iso8583/codec.h"

#include <string>
#include <string_view>
#include <vector>

#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/hex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_host.h"

namespace waystation::adapters::iso8583 {
namespace {

using std::string_literals::operator""s;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Specification Fields(const std::string& fields) {
  absl::StatusOr<Specification> parsed = ParseFields(fields);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}

// Message type and bitmap of a 0200 with element 5 alone.
constexpr std::string_view kBeforeField5 = "02000800000000000000";

// One element as it stands on the wire, written by hand from the standard.
struct Vector {
  std::string name;
  std::string field;  // the inside of its specification
  std::string value;
  std::string wire;
  std::string read_back;  // where that is another than `value`: it was filled up
};

std::vector<Vector> Vectors() {
  return {
      {"n", R"("type": "n", "form": "fixed", "length": 6, "encoding": "ascii")", "123456", "123456", ""},
      {"n_filled_up", R"("type": "n", "form": "fixed", "length": 6, "encoding": "ascii")", "42", "000042", "000042"},
      {"n_bcd", R"("type": "n", "form": "fixed", "length": 6, "encoding": "bcd")", "123456", "\x12\x34\x56", ""},
      {"n_bcd_odd", R"("type": "n", "form": "fixed", "length": 3, "encoding": "bcd")", "156", "\x01\x56", ""},
      {"n_bcd_odd_filled_behind", R"("type": "n", "form": "fixed", "length": 3, "encoding": "bcd", "fill": "F behind")",
       "156", "\x15\x6f", ""},
      {"n_bcd_filled_up", R"("type": "n", "form": "fixed", "length": 12, "encoding": "bcd")", "10050",
       "\0\0\0\x01\0\x50"s, "000000010050"},
      {"a", R"("type": "a", "form": "fixed", "length": 4, "encoding": "ascii")", "Ab", "Ab  ", "Ab  "},
      {"an", R"("type": "an", "form": "fixed", "length": 2, "encoding": "ascii")", "A1", "A1", ""},
      {"ans", R"("type": "ans", "form": "fixed", "length": 8, "encoding": "ascii")", "T-01", "T-01    ", "T-01    "},
      {"xn", R"("type": "xn", "form": "fixed", "length": 9, "encoding": "ascii")", "D00001234", "D00001234", ""},
      {"b", R"("type": "b", "form": "fixed", "length": 4, "encoding": "binary")", "\0\xff\x7f\x0a"s, "\0\xff\x7f\x0a"s,
       ""},
      {"b_hex", R"("type": "b", "form": "fixed", "length": 4, "encoding": "hex")", "\xde\xad\xbe\xef", "DEADBEEF", ""},
      {"n_llvar", R"("type": "n", "form": "LLVAR", "length": 19, "encoding": "ascii")", "6225880137", "106225880137",
       ""},
      {"n_llvar_empty", R"("type": "n", "form": "LLVAR", "length": 19, "encoding": "ascii")", "", "00", ""},
      {"n_llvar_bcd", R"("type": "n", "form": "LLVAR", "length": 11, "encoding": "bcd", "length_encoding": "bcd")",
       "12345", "\x05\x01\x23\x45", ""},
      {"n_llvar_bcd_filled_behind",
       R"("type": "n", "form": "LLVAR", "length": 11, "encoding": "bcd", "length_encoding": "bcd", "fill": "F behind")",
       "12345", "\x05\x12\x34\x5f", ""},
      {"n_llvar_bcd_of_two_digits",
       R"("type": "n", "form": "LLVAR", "length": 19, "encoding": "bcd", "length_encoding": "bcd")", "622588013712",
       "\x12\x62\x25\x88\x01\x37\x12", ""},
      {"z_llvar", R"("type": "z", "form": "LLVAR", "length": 37, "encoding": "ascii")", "6225=9912D7", "116225=9912D7",
       ""},
      {"z_llvar_bcd", R"("type": "z", "form": "LLVAR", "length": 37, "encoding": "bcd", "length_encoding": "bcd")",
       "6225=99", "\x07\x06\x22\x5d\x99", ""},
      {"ans_lllvar", R"("type": "ans", "form": "LLLVAR", "length": 999, "encoding": "ascii")", "HELLO", "005HELLO", ""},
      {"ans_lllvar_bcd_length",
       R"("type": "ans", "form": "LLLVAR", "length": 999, "encoding": "ascii", "length_encoding": "bcd")",
       std::string(123, 'x'), "\x01\x23" + std::string(123, 'x'), ""},
      {"ans_lllvar_binary_length",
       R"("type": "ans", "form": "LLLVAR", "length": 999, "encoding": "ascii", "length_encoding": "binary")",
       std::string(258, 'x'), "\x01\x02" + std::string(258, 'x'), ""},
      {"ans_llvar_binary_length",
       R"("type": "ans", "form": "LLVAR", "length": 28, "encoding": "ascii", "length_encoding": "binary")", "HELLO",
       "\x05HELLO", ""},
      {"b_llvar", R"("type": "b", "form": "LLVAR", "length": 99, "encoding": "binary")", "\x01\x02", "02\x01\x02", ""},
      {"b_lllvar_hex", R"("type": "b", "form": "LLLVAR", "length": 255, "encoding": "hex")", "\xde\xad", "004DEAD", ""},
      {"text_lllvar",
       R"("type": "text", "form": "LLLVAR", "length": 512, "encoding": "binary", "length_encoding": "bcd")", "张*",
       "\0\x04\xe5\xbc\xa0*"s, ""},
  };
}

class EachForm : public testing::TestWithParam<Vector> {};

TEST_P(EachForm, IsPackedAsTheStandardHasItAndReadBack) {
  const Specification specification = Fields(R"({"number": 5, "name": "x", )" + GetParam().field + "}");
  Message message;
  message.set_mti("0200");
  message.Set(5, GetParam().value);
  std::string wire;
  ASSERT_TRUE(Pack(specification, message, &wire).ok()) << Pack(specification, message, &wire);
  EXPECT_EQ(wire, std::string(kBeforeField5) + GetParam().wire);

  Message back;
  const absl::Status unpacked = Unpack(specification, wire, &back);
  ASSERT_TRUE(unpacked.ok()) << unpacked;
  EXPECT_EQ(back.mti(), "0200");
  EXPECT_EQ(back.Get(5), GetParam().read_back.empty() ? GetParam().value : GetParam().read_back);
  EXPECT_FALSE(back.Has(4));
}

TEST_P(EachForm, IsRefusedWhereItIsCutOffOrFollowedByMore) {
  const Specification specification = Fields(R"({"number": 5, "name": "x", )" + GetParam().field + "}");
  const std::string wire = std::string(kBeforeField5) + GetParam().wire;
  Message message;
  for (size_t size = 0; size < wire.size(); ++size) {
    EXPECT_FALSE(Unpack(specification, std::string_view(wire).substr(0, size), &message).ok()) << size << " bytes";
  }
  const absl::Status longer = Unpack(specification, wire + "1", &message);
  EXPECT_EQ(longer.message(), "1 bytes follow the last element");
}

INSTANTIATE_TEST_SUITE_P(ByHand, EachForm, testing::ValuesIn(Vectors()),
                         [](const auto& test) { return test.param.name; });

// A whole message of the power company's, byte for byte.
TEST(Codec, AMessageInBcdWithASecondaryBitmap) {
  const HostFile host = LoadHost(ElectricityFile());
  Message message;
  message.set_mti("0200");
  message.Set(3, "500000");
  message.Set(4, "10050");
  message.Set(7, "1122103000");
  message.Set(11, "000042");
  message.Set(41, "SWITCH01");
  message.Set(48, "010041234");
  message.Set(102, "1234567800");
  std::string expected;
  expected += "\x02\x00"s;
  expected += "\xb2\x20\x00\x00\x00\x81\x00\x00"s;  // 1 (secondary bitmap), 3, 4, 7, 11, 41, 48
  expected += "\x00\x00\x00\x00\x04\x00\x00\x00"s;  // 102
  expected += "\x50\x00\x00"s;
  expected += "\x00\x00\x00\x01\x00\x50"s;
  expected += "\x11\x22\x10\x30\x00"s;
  expected += "\x00\x00\x42"s;
  expected += "SWITCH01";
  expected += "\x00\x09"s;
  expected += "010041234";
  expected += "\x10";
  expected += "1234567800";
  std::string wire;
  ASSERT_TRUE(Pack(host.specification, message, &wire).ok());
  std::string wire_hex;
  std::string expected_hex;
  AppendHex(wire, &wire_hex);
  AppendHex(expected, &expected_hex);
  EXPECT_EQ(wire_hex, expected_hex);
  Message back;
  ASSERT_TRUE(Unpack(host.specification, expected, &back).ok());
  message.Set(4, "000000010050");
  EXPECT_EQ(back, message);
}

TEST(Codec, ASecondaryBitmapThatIsThereForNothingIsReadOver) {
  const Specification specification =
      Fields(R"({"number": 5, "name": "x", "type": "n", "form": "fixed", "length": 2, "encoding": "ascii"})");
  Message message;
  ASSERT_TRUE(Unpack(specification,
                     "0200"
                     "8800000000000000"
                     "0000000000000000"
                     "42",
                     &message)
                  .ok());
  EXPECT_EQ(message.Get(5), "42");
  EXPECT_FALSE(message.HasSecondary());
}

struct Refusal {
  std::string wire;
  std::string because;
};

TEST(Codec, WhatCannotBeReadIsNamed) {
  const Specification specification = Fields(
      R"({"number": 4, "name": "amount", "type": "n", "form": "fixed", "length": 4, "encoding": "bcd"},
         {"number": 5, "name": "name", "type": "an", "form": "LLVAR", "length": 6, "encoding": "ascii"},
         {"number": 70, "name": "code", "type": "b", "form": "fixed", "length": 1, "encoding": "hex"},
         {"number": 28, "name": "fee", "type": "xn", "form": "fixed", "length": 3, "encoding": "ascii"})");
  const std::vector<Refusal> refusals = {
      {"", "message type: cut off; 0 of 4 bytes are left"},
      {"02x0", "message type: not four digits of which the first is 0, as the version of 1987 has it"},
      {"1200", "message type: not four digits of which the first is 0, as the version of 1987 has it"},
      {"02001000", "primary bitmap: cut off; 4 of 16 bytes are left"},
      {"0200100000000000000g", "primary bitmap: has a digit that is none"},
      {"020080000000000000000", "secondary bitmap: cut off; 1 of 16 bytes are left"},
      {"02004000000000000000", "field 2: the specification has no such element"},
      {"02008000000000000000"
       "8000000000000000",
       "field 65: the specification has no such element"},
      {"02001000000000000000\x12", "field 4 amount: cut off; 1 of 2 bytes are left"},
      {"02001000000000000000\x12\x3a", "field 4 amount: has a digit that is none"},
      {"020008000000000000001", "field 5 name: its length is cut off; 1 of 2 bytes are left"},
      {"020008000000000000001x", "field 5 name: its length has a digit that is none"},
      {"0200080000000000000007Abcdefg", "field 5 name: its length is 7; expected at most 6"},
      {"0200080000000000000003Ab", "field 5 name: cut off; 2 of 3 bytes are left"},
      {"0200080000000000000003A-b", "field 5 name: character 2 is 0x2d; expected an (letters and digits)"},
      {"02000000001000000000X12", "field 28 fee: character 1 is 0x58; expected xn (C or D, then digits)"},
      {"020080000000000000000400000000000000G0", "field 70 code: not an even number of hexadecimal digits"},
      {"02000000000000000000?", "1 bytes follow the last element"},
  };
  for (const Refusal& refusal : refusals) {
    Message message;
    const absl::Status status = Unpack(specification, refusal.wire, &message);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_EQ(status.message(), refusal.because) << refusal.wire;
  }
}

TEST(Codec, WhatCannotBePackedIsNamed) {
  const Specification specification = Fields(
      R"({"number": 4, "name": "amount", "type": "n", "form": "fixed", "length": 4, "encoding": "ascii"},
         {"number": 35, "name": "track 2", "type": "z", "form": "LLVAR", "length": 37, "encoding": "bcd"},
         {"number": 64, "name": "MAC", "type": "b", "form": "fixed", "length": 8, "encoding": "binary"})");
  const auto fault = [&specification](int field, std::string_view value) {
    Message message;
    message.Set(field, value);
    std::string wire;
    return std::string(Pack(specification, message, &wire).message());
  };
  EXPECT_EQ(fault(4, "12345"), "field 4 amount: 5 long; expected at most 4");
  EXPECT_EQ(fault(4, "1.5"), "field 4 amount: character 2 is 0x2e; expected n (digits)");
  EXPECT_EQ(fault(64, "1234567"), "field 64 MAC: 7 long; expected exactly 8");
  EXPECT_EQ(fault(35, "6225D99"), "field 35 track 2: character 5 is a D; expected = where it is packed as BCD");
  EXPECT_EQ(fault(3, "000000"), "field 3: the specification has no such element");
  Message message;
  message.set_mti("1200");
  std::string wire;
  EXPECT_EQ(Pack(specification, message, &wire).message(),
            "message type: \"1200\"; expected four digits of which the first is 0");
}

TEST(Message, AValueCanBeReplacedAndTakenAway) {
  Message message;
  message.Set(2, "one");
  message.Set(128, "last");
  message.Set(64, "middle");
  message.Set(2, "another");
  EXPECT_EQ(message.Get(2), "another");
  EXPECT_TRUE(message.HasSecondary());
  message.Clear(128);
  EXPECT_FALSE(message.HasSecondary());
  EXPECT_EQ(message.Get(128), "");
  EXPECT_EQ(message.Get(64), "middle");
  std::string seen;
  EXPECT_TRUE(message.ForEach([&](int field, std::string_view value) {
    seen += std::to_string(field) + "=" + std::string(value) + " ";
    return true;
  }));
  EXPECT_EQ(seen, "2=another 64=middle ");
}

TEST(Specification, FaultsNameTheFieldAndTheKey) {
  const auto fault = [](const std::string& fields) { return std::string(ParseFields(fields).status().message()); };
  EXPECT_EQ(fault("5"), "fields: has something that is not an object");
  EXPECT_THAT(fault(R"({"number": 129})"), StartsWith("fields: 0 : number: not a whole number of 2 .. 128"));
  EXPECT_EQ(fault(R"({"number": 4, "name": "amount", "type": "n", "form": "fixed", "encoding": "ascii"})"),
            "fields: 4 amount: length: missing");
  EXPECT_EQ(fault(R"({"number": 4, "name": "amount", "type": "m", "form": "fixed", "length": 4, "encoding": "ascii"})"),
            "fields: 4 amount: type: not known; expected one of n, a, an, ans, z, xn, b, text");
  EXPECT_THAT(
      fault(R"({"number": 4, "name": "amount", "type": "ans", "form": "fixed", "length": 4, "encoding": "bcd"})"),
      StartsWith("fields: 4 amount: encoding: does not go with the type"));
  EXPECT_EQ(
      fault(R"({"number": 4, "name": "amount", "type": "n", "form": "LLVAR", "length": 100, "encoding": "ascii"})"),
      "fields: 4 amount: length: 100 on the wire does not fit in 2 digits");
  EXPECT_EQ(fault(R"({"number": 4, "name": "amount", "type": "n", "form": "fixed", "length": 4, "encoding": "ascii",
                      "lenght": 4})"),
            "fields: 4 amount: lenght: unknown; expected one of number, name, type, form, length, encoding, "
            "length_encoding, fill, private");
  const std::string one =
      R"({"number": 4, "name": "x", "type": "n", "form": "fixed", "length": 4, "encoding": "ascii"})";
  EXPECT_EQ(fault(one + ", " + one), "fields: 4 stands there twice");
  EXPECT_THAT(fault(R"({"number": 65, "name": "x", "type": "b", "form": "fixed", "length": 8, "encoding": "binary"})"),
              HasSubstr("65 is a bitmap's own"));
}

// --- frames ---
FrameSpecification Frame(FrameSpecification::Length length, const std::string& tpdu) {
  FrameSpecification frame;
  frame.length = length;
  frame.tpdu = tpdu;
  frame.most_bytes = 300;
  return frame;
}

TEST(Frame, TheLengthCountsAddressAndMessage) {
  const HostFile electricity = LoadHost(ElectricityFile());
  Message message;
  message.set_mti("0800");
  std::string wire;
  ASSERT_TRUE(PackFrame(electricity.specification, nullptr, &message, &wire).ok());
  EXPECT_EQ(wire, "\0\x0f\x60\0\x01\0\0"s + "\x08\0"s + "\0\0\0\0\0\0\0\0"s);
  const HostFile ascii = LoadHost(AsciiHostFile());
  wire.clear();
  ASSERT_TRUE(PackFrame(ascii.specification, nullptr, &message, &wire).ok());
  EXPECT_EQ(wire, "002008000000000000000000");
}

TEST(Frame, MessagesAreTakenOffOneByOneAsTheyComeIn) {
  const FrameSpecification frame = Frame(FrameSpecification::Length::kBinary2, "ADDR5");
  const std::string stream = "\0\x07"s + "ADDR5ab" + "\0\0"s + "\0\x06"s + "addr6c" + "\0\x09"s + "ADDR5def";
  std::string_view left = stream;
  std::string_view message;
  EXPECT_TRUE(*TakeFrame(frame, &left, &message));
  EXPECT_EQ(message, "ab");
  EXPECT_TRUE(*TakeFrame(frame, &left, &message));
  EXPECT_EQ(message, "c");
  EXPECT_FALSE(*TakeFrame(frame, &left, &message));
  EXPECT_EQ(left.size(), 10u) << "the last one is not all there";
}

TEST(Frame, WhatCannotBeFollowedIsNamed) {
  const auto fault = [](const FrameSpecification& frame, std::string_view stream) {
    std::string_view message;
    return std::string(TakeFrame(frame, &stream, &message).status().message());
  };
  const FrameSpecification binary = Frame(FrameSpecification::Length::kBinary2, "ADDR5");
  EXPECT_EQ(fault(binary, "\x01\x2d"), "a message of 301 bytes came; expected at most 300");
  EXPECT_EQ(fault(binary, "\0\x04"s + "abcd"), "a message of 4 bytes came; its address alone has 5");
  const FrameSpecification ascii = Frame(FrameSpecification::Length::kAscii4, "");
  EXPECT_EQ(fault(ascii, "00x1"), "a message's length is not four digits");
  EXPECT_EQ(fault(ascii, "9999"), "a message of 9999 bytes came; expected at most 300");
}

}  // namespace
}  // namespace waystation::adapters::iso8583
