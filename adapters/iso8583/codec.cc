#include "adapters/iso8583/codec.h"

#include <array>
#include <cstdint>

#include "adapters/iso8583/hex.h"
#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

constexpr size_t kMtiDigits = 4;

// A bit for each FieldType that a character may stand in.
constexpr std::array<uint8_t, 256> CharacterTable() {
  const auto bit = [](FieldType type) { return 1u << static_cast<unsigned>(type); };
  std::array<uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ';
    unsigned types = bit(FieldType::kBinary);
    if (digit) types |= bit(FieldType::kDigits) | bit(FieldType::kTrack) | bit(FieldType::kSigned);
    if (letter) types |= bit(FieldType::kLetters);
    if (digit || letter) types |= bit(FieldType::kAlphanumeric);
    if (c >= 0x20 && c <= 0x7e) types |= bit(FieldType::kPrintable);
    if (c == '=' || c == 'D') types |= bit(FieldType::kTrack);
    if (c >= 0x20 && c != 0x7f) types |= bit(FieldType::kText);
    table[c] = static_cast<uint8_t>(types);
  }
  return table;
}
constexpr std::array<uint8_t, 256> kCharacters = CharacterTable();

std::string_view TypeName(FieldType type) {
  switch (type) {
    case FieldType::kDigits: return "n (digits)";
    case FieldType::kLetters: return "a (letters)";
    case FieldType::kAlphanumeric: return "an (letters and digits)";
    case FieldType::kPrintable: return "ans (printable characters)";
    case FieldType::kTrack: return "z (digits, = and D)";
    case FieldType::kSigned: return "xn (C or D, then digits)";
    case FieldType::kBinary: return "b (bytes)";
    case FieldType::kText: return "text (no control characters)";
  }
  return "";
}

// The place of the first character that `type` does not have; npos when there is none.
size_t FirstStranger(FieldType type, std::string_view value) {
  if (type == FieldType::kBinary) return std::string_view::npos;
  const uint8_t bit = static_cast<uint8_t>(1u << static_cast<unsigned>(type));
  size_t from = 0;
  if (type == FieldType::kSigned && !value.empty()) {
    if (value[0] != 'C' && value[0] != 'D') return 0;
    from = 1;
  }
  for (size_t i = from; i < value.size(); ++i) {
    if ((kCharacters[static_cast<unsigned char>(value[i])] & bit) == 0) return i;
  }
  return std::string_view::npos;
}

template <typename... Args>
absl::Status Fault(int number, const FieldSpecification& field, fmt::format_string<Args...> what, Args&&... args) {
  return absl::InvalidArgumentError(
      fmt::format("field {} {}: {}", number, field.name, fmt::format(what, std::forward<Args>(args)...)));
}

absl::Status WrongCharacter(int number, const FieldSpecification& field, std::string_view value, size_t at) {
  return Fault(number, field, "character {} is 0x{:02x}; expected {}", at + 1, static_cast<unsigned char>(value[at]),
               TypeName(field.type));
}

// --- packing ---

int NibbleOf(char c) {
  return c == '=' ? 0xd : c - '0';
}

void AppendBcd(std::string_view digits, bool fill_behind, std::string* out) {
  size_t i = 0;
  if (digits.size() % 2 != 0 && !fill_behind) *out += static_cast<char>(NibbleOf(digits[i++]));
  for (; i + 1 < digits.size(); i += 2) {
    *out += static_cast<char>(NibbleOf(digits[i]) << 4 | NibbleOf(digits[i + 1]));
  }
  if (i < digits.size()) *out += static_cast<char>(NibbleOf(digits[i]) << 4 | 0xf);
}

void AppendLength(const FieldSpecification& field, size_t length, std::string* out) {
  const auto number = static_cast<unsigned>(length);
  std::array<char, 3> digits = {static_cast<char>('0' + number / 100), static_cast<char>('0' + number / 10 % 10),
                                static_cast<char>('0' + number % 10)};
  const std::string_view text = std::string_view(digits.data(), 3).substr(3u - field.length_digits);
  switch (field.length_encoding) {
    case Encoding::kAscii: *out += text; break;
    case Encoding::kBcd: AppendBcd(text, false, out); break;
    case Encoding::kBinary:
    case Encoding::kHex:
      if (field.length_digits == 3) *out += static_cast<char>(number >> 8);
      *out += static_cast<char>(number & 0xff);
      break;
  }
}

void AppendValue(const FieldSpecification& field, std::string_view value, std::string* out) {
  switch (field.encoding) {
    case Encoding::kAscii:
    case Encoding::kBinary: *out += value; break;
    case Encoding::kBcd: AppendBcd(value, field.fill_behind, out); break;
    case Encoding::kHex: AppendHex(value, out); break;
  }
}

absl::Status PackField(int number, const FieldSpecification& field, std::string_view value, std::string* out) {
  if (value.size() > field.length) {
    return Fault(number, field, "{} long; expected at most {}", value.size(), field.length);
  }
  if (const size_t stranger = FirstStranger(field.type, value); stranger != std::string_view::npos) {
    return WrongCharacter(number, field, value, stranger);
  }
  if (field.encoding == Encoding::kBcd && field.type == FieldType::kTrack) {
    if (const size_t at = value.find('D'); at != std::string_view::npos) {
      return Fault(number, field, "character {} is a D; expected = where it is packed as BCD", at + 1);
    }
  }
  if (field.length_digits > 0) {
    AppendLength(field, field.encoding == Encoding::kHex ? 2 * value.size() : value.size(), out);
    AppendValue(field, value, out);
    return absl::OkStatus();
  }
  if (value.size() == field.length) {
    AppendValue(field, value, out);
    return absl::OkStatus();
  }
  switch (field.type) {
    case FieldType::kDigits: {
      std::string filled(field.length - value.size(), '0');
      AppendValue(field, filled.append(value), out);
      return absl::OkStatus();
    }
    case FieldType::kLetters:
    case FieldType::kAlphanumeric:
    case FieldType::kPrintable:
    case FieldType::kText:
      AppendValue(field, value, out);
      out->append(field.length - value.size(), ' ');
      return absl::OkStatus();
    case FieldType::kTrack:
    case FieldType::kSigned:
    case FieldType::kBinary: break;
  }
  return Fault(number, field, "{} long; expected exactly {}", value.size(), field.length);
}

void AppendBitmap(uint64_t bits, Encoding encoding, std::string* out) {
  std::array<char, 8> bytes;
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i));
  if (encoding == Encoding::kHex) {
    AppendHex({bytes.data(), bytes.size()}, out);
  } else {
    out->append(bytes.data(), bytes.size());
  }
}

// --- unpacking ---

// What is left to read.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  size_t left() const { return left_.size(); }
  // `count` is at most left().
  std::string_view Take(size_t count) {
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view left_;
};

// 0 .. 9 digits; -1 when one of the bytes is none.
int64_t NumberOf(std::string_view bytes, Encoding encoding) {
  int64_t number = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (encoding == Encoding::kBcd) {
      if ((byte >> 4) > 9 || (byte & 15) > 9) return -1;
      number = number * 100 + (byte >> 4) * 10 + (byte & 15);
    } else if (encoding == Encoding::kAscii) {
      if (c < '0' || c > '9') return -1;
      number = number * 10 + (c - '0');
    } else {
      number = number * 256 + byte;
    }
  }
  return number;
}

size_t LengthBytes(const FieldSpecification& field) {
  if (field.length_encoding == Encoding::kAscii) return field.length_digits;
  return field.length_digits == 3 ? 2 : 1;
}

// The digits of `bytes`, `count` of them, into `digits`. False: a nibble is none of the type's, or the filling is not 0
// in front or 0 or F behind.
bool ReadBcd(std::string_view bytes, size_t count, const FieldSpecification& field, std::string* digits) {
  const bool track = field.type == FieldType::kTrack;
  const size_t skip = count % 2 != 0 && !field.fill_behind ? 1 : 0;
  digits->resize(count);
  const auto nibble = [&bytes](size_t i) {
    const auto byte = static_cast<unsigned char>(bytes[i / 2]);
    return i % 2 == 0 ? byte >> 4 : byte & 15;
  };
  if (skip == 1 && nibble(0) != 0) return false;
  if (count % 2 != 0 && skip == 0 && nibble(count) != 0xf && nibble(count) != 0) return false;
  for (size_t i = 0; i < count; ++i) {
    const int value = nibble(i + skip);
    if (value > 9 && !(track && value == 0xd)) return false;
    (*digits)[i] = value == 0xd ? '=' : static_cast<char>('0' + value);
  }
  return true;
}

// How many bytes `length` of the value (what the length counts) takes.
size_t BytesOf(const FieldSpecification& field, size_t length) {
  return field.encoding == Encoding::kBcd ? (length + 1) / 2 : length;
}

absl::Status UnpackField(int number, const FieldSpecification& field, Reader* reader, std::string* scratch,
                         Message* message) {
  const bool hex = field.encoding == Encoding::kHex;
  size_t length = hex ? 2 * field.length : field.length;
  if (field.length_digits > 0) {
    const size_t length_bytes = LengthBytes(field);
    if (reader->left() < length_bytes) {
      return Fault(number, field, "its length is cut off; {} of {} bytes are left", reader->left(), length_bytes);
    }
    const int64_t said = NumberOf(reader->Take(length_bytes), field.length_encoding);
    if (said < 0) return Fault(number, field, "its length has a digit that is none");
    if (static_cast<size_t>(said) > length) {
      return Fault(number, field, "its length is {}; expected at most {}", said, length);
    }
    length = static_cast<size_t>(said);
  }
  const size_t bytes = BytesOf(field, length);
  if (reader->left() < bytes) return Fault(number, field, "cut off; {} of {} bytes are left", reader->left(), bytes);
  std::string_view value = reader->Take(bytes);
  if (field.encoding == Encoding::kBcd) {
    if (!ReadBcd(value, length, field, scratch)) return Fault(number, field, "has a digit that is none");
    value = *scratch;
  } else if (hex) {
    const std::optional<std::string> plain = FromHex(value);
    if (!plain) return Fault(number, field, "not an even number of hexadecimal digits");
    *scratch = *plain;
    value = *scratch;
  } else if (const size_t stranger = FirstStranger(field.type, value); stranger != std::string_view::npos) {
    return WrongCharacter(number, field, value, stranger);
  }
  message->Set(number, value);
  return absl::OkStatus();
}

absl::Status TakeBitmap(std::string_view name, Encoding encoding, Reader* reader, uint64_t* bits) {
  const size_t count = encoding == Encoding::kHex ? 16 : 8;
  if (reader->left() < count) {
    return absl::InvalidArgumentError(
        fmt::format("{} bitmap: cut off; {} of {} bytes are left", name, reader->left(), count));
  }
  *bits = 0;
  for (const char c : reader->Take(count)) {
    const int digit = encoding == Encoding::kHex ? HexDigit(c) : static_cast<unsigned char>(c);
    if (digit < 0) return absl::InvalidArgumentError(fmt::format("{} bitmap: has a digit that is none", name));
    *bits = *bits << (encoding == Encoding::kHex ? 4 : 8) | static_cast<uint64_t>(digit);
  }
  return absl::OkStatus();
}

absl::Status TakeMti(Encoding encoding, Reader* reader, Message* message) {
  const size_t count = encoding == Encoding::kBcd ? kMtiDigits / 2 : kMtiDigits;
  if (reader->left() < count) {
    return absl::InvalidArgumentError(
        fmt::format("message type: cut off; {} of {} bytes are left", reader->left(), count));
  }
  const int64_t number = NumberOf(reader->Take(count), encoding);
  if (number < 0 || number >= 1'000) {
    return absl::InvalidArgumentError(
        "message type: not four digits of which the first is 0, as the version of 1987 has it");
  }
  std::array<char, kMtiDigits> digits = {'0', static_cast<char>('0' + number / 100),
                                         static_cast<char>('0' + number / 10 % 10),
                                         static_cast<char>('0' + number % 10)};
  message->set_mti({digits.data(), digits.size()});
  return absl::OkStatus();
}

}  // namespace

size_t WireBytes(const FieldSpecification& field) {
  return field.encoding == Encoding::kHex ? 2 * size_t{field.length} : BytesOf(field, field.length);
}

absl::Status Pack(const Specification& specification, const Message& message, std::string* out) {
  const std::string_view mti = message.mti();
  if (mti[0] != '0' || FirstStranger(FieldType::kDigits, mti) != std::string_view::npos) {
    return absl::InvalidArgumentError(
        fmt::format("message type: \"{}\"; expected four digits of which the first is 0", mti));
  }
  if (specification.mti_encoding() == Encoding::kBcd) {
    AppendBcd(mti, false, out);
  } else {
    *out += mti;
  }
  constexpr uint64_t kHasSecondary = uint64_t{1} << 63;
  AppendBitmap(message.primary() | (message.HasSecondary() ? kHasSecondary : 0), specification.bitmap_encoding(), out);
  if (message.HasSecondary()) AppendBitmap(message.secondary(), specification.bitmap_encoding(), out);
  absl::Status status;
  message.ForEach([&](int number, std::string_view value) {
    const FieldSpecification* field = specification.field(number);
    status = field != nullptr
                 ? PackField(number, *field, value, out)
                 : absl::InvalidArgumentError(fmt::format("field {}: the specification has no such element", number));
    return status.ok();
  });
  return status;
}

absl::Status Unpack(const Specification& specification, std::string_view bytes, Message* message) {
  *message = Message();
  Reader reader(bytes);
  if (absl::Status s = TakeMti(specification.mti_encoding(), &reader, message); !s.ok()) return s;
  uint64_t halves[2] = {0, 0};
  const Encoding encoding = specification.bitmap_encoding();
  if (absl::Status s = TakeBitmap("primary", encoding, &reader, &halves[0]); !s.ok()) return s;
  constexpr uint64_t kFirstBit = uint64_t{1} << 63;
  if ((halves[0] & kFirstBit) != 0) {
    if (absl::Status s = TakeBitmap("secondary", encoding, &reader, &halves[1]); !s.ok()) return s;
  }
  halves[0] &= ~kFirstBit;
  std::string scratch;
  for (int half = 0; half < 2; ++half) {
    for (uint64_t bits = halves[half]; bits != 0;) {
      const int in_half = std::countl_zero(bits);
      bits &= ~(kFirstBit >> in_half);
      const int number = 64 * half + in_half + 1;
      const FieldSpecification* field = specification.field(number);
      if (field == nullptr) {
        return absl::InvalidArgumentError(fmt::format("field {}: the specification has no such element", number));
      }
      if (absl::Status s = UnpackField(number, *field, &reader, &scratch, message); !s.ok()) return s;
    }
  }
  if (reader.left() == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} bytes follow the last element", reader.left()));
}

}  // namespace waystation::adapters::iso8583
