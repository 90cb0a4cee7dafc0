#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/iso8583/message.h"
#include "boost/json/object.hpp"

namespace waystation::adapters::iso8583 {

// What characters a value may have.
enum class FieldType : uint8_t {
  kDigits,        // n
  kLetters,       // a: letters and blanks
  kAlphanumeric,  // an: and digits
  kPrintable,     // ans: printable ASCII
  kTrack,         // z: digits, = and D
  kSigned,        // xn: C or D, then digits; the length counts both
  kBinary,        // b: any bytes; the length counts bytes
  kText,          // text: any bytes but control characters, as names have them
};

// How a value, a length, a message type or a bitmap stands on the wire.
enum class Encoding : uint8_t {
  kAscii,
  kBcd,     // two digits a byte
  kBinary,  // bytes as they are; of a length: one byte (LL) or two (LLL), the high one first
  kHex,     // two characters a byte
};

struct FieldSpecification {
  std::string name;
  FieldType type = FieldType::kDigits;
  Encoding encoding = Encoding::kAscii;
  // 0: of fixed length; else 2 or 3, LLVAR or LLLVAR.
  uint8_t length_digits = 0;
  Encoding length_encoding = Encoding::kAscii;
  // An odd number of BCD digits is filled up with a 0 in front, or with an F behind.
  bool fill_behind = false;
  // The length of a fixed one, the longest of a variable one.
  uint32_t length = 0;
};

// How messages follow each other on a connection: a length, an address (TPDU) where the host wants one, the message.
// The length counts all that follows it.
struct FrameSpecification {
  enum class Length : uint8_t { kBinary2, kAscii4 };
  Length length = Length::kBinary2;
  std::string tpdu;             // five bytes or none
  uint32_t most_bytes = 2'048;  // of what follows the length
};

// One host's message format, from a data file (README.md): the 1987 version of the standard.
class Specification {
 public:
  // `object` has mti, bitmap, frame and fields, and maybe keys that are others' business. InvalidArgument names the key
  // or the field ("fields: 39 response code: ..."), what is wrong, and what was expected.
  static absl::StatusOr<Specification> Parse(const boost::json::object& object);

  Encoding mti_encoding() const { return mti_encoding_; }
  // kBinary or kHex.
  Encoding bitmap_encoding() const { return bitmap_encoding_; }
  const FrameSpecification& frame() const { return frame_; }
  // Null where the host has no such element.
  const FieldSpecification* field(int number) const {
    const std::optional<FieldSpecification>& found = fields_[static_cast<size_t>(number)];
    return found ? &*found : nullptr;
  }

 private:
  Encoding mti_encoding_ = Encoding::kAscii;
  Encoding bitmap_encoding_ = Encoding::kBinary;
  FrameSpecification frame_;
  std::array<std::optional<FieldSpecification>, kLastField + 1> fields_;
};

}  // namespace waystation::adapters::iso8583
