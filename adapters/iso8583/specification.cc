#include "adapters/iso8583/specification.h"

#include <utility>

#include "adapters/iso8583/hex.h"
#include "adapters/json_object.h"
#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

namespace json = boost::json;

constexpr size_t kTpduBytes = 5;
constexpr uint64_t kMostFrameBytes = 65'535;
constexpr uint32_t kMostOfLength[] = {999, 0, 99, 999};  // by the number of length digits; of a fixed one 999

// What stands on the wire per character or byte of the value; and which encodings a type has.
absl::Status CheckEncoding(const FieldSpecification& field) {
  const bool digits = field.type == FieldType::kDigits || field.type == FieldType::kTrack;
  bool right = false;
  switch (field.encoding) {
    case Encoding::kAscii: right = field.type != FieldType::kBinary && field.type != FieldType::kText; break;
    case Encoding::kBcd: right = digits; break;
    case Encoding::kBinary: right = field.type == FieldType::kBinary || field.type == FieldType::kText; break;
    case Encoding::kHex: right = field.type == FieldType::kBinary; break;
  }
  if (right) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "encoding: does not go with the type; expected ascii for n, a, an, ans, z, xn, also bcd for n and z, binary for "
      "b "
      "and text, also hex for b");
}

absl::StatusOr<std::pair<int, FieldSpecification>> ParseField(const json::object& object) {
  uint64_t number = 0;
  FieldSpecification field;
  size_t type = 0;
  size_t form = 0;
  uint64_t length = 0;
  size_t encoding = 0;
  size_t length_encoding = 0;
  size_t fill = 0;
  JsonObjectReader reader(object, "");
  reader.Number("number", 2, kLastField, &number);
  reader.Text("name", &field.name);
  reader.Choice("type", {"n", "a", "an", "ans", "z", "xn", "b", "text"}, &type);
  reader.Choice("form", {"fixed", "LLVAR", "LLLVAR"}, &form);
  reader.Number("length", 1, kMostOfLength[0], &length);
  reader.Choice("encoding", {"ascii", "bcd", "binary", "hex"}, &encoding);
  reader.Choice("length_encoding", {"ascii", "bcd", "binary"}, &length_encoding);
  reader.Choice("fill", {"0 in front", "F behind"}, &fill);
  reader.Ignore("private");
  absl::Status status = reader.Finish({"number", "name", "type", "form", "length", "encoding"});
  field.type = static_cast<FieldType>(type);
  field.encoding = static_cast<Encoding>(encoding);
  field.length_digits = static_cast<uint8_t>(form == 0 ? 0 : form + 1);
  field.length_encoding = static_cast<Encoding>(length_encoding);
  field.fill_behind = fill == 1;
  field.length = static_cast<uint32_t>(length);
  if (status.ok() && number == 65) status = absl::InvalidArgumentError("number: 65 is a bitmap's own");
  if (status.ok()) status = CheckEncoding(field);
  // What the length on the wire counts must fit in its digits.
  const uint32_t on_the_wire = field.encoding == Encoding::kHex ? 2 * field.length : field.length;
  if (status.ok() && field.length_digits > 0 && on_the_wire > kMostOfLength[field.length_digits]) {
    status = absl::InvalidArgumentError(
        fmt::format("length: {} on the wire does not fit in {} digits", on_the_wire, int{field.length_digits}));
  }
  if (status.ok() && field.type == FieldType::kSigned && field.length_digits == 0 && field.length < 2) {
    status = absl::InvalidArgumentError("length: expected at least 2, a sign and a digit");
  }
  if (status.ok()) return std::make_pair(static_cast<int>(number), std::move(field));
  return absl::InvalidArgumentError(
      fmt::format("fields: {} {}: {}", number, field.name, std::string(status.message())));
}

absl::Status ParseFrame(const json::object& object, FrameSpecification* frame) {
  JsonObjectReader reader(object, "frame.");
  size_t length = 0;
  std::string tpdu;
  uint64_t most_bytes = frame->most_bytes;
  reader.Choice("length", {"binary2", "ascii4"}, &length);
  reader.Text("tpdu", &tpdu);
  reader.Number("most_bytes", 64, kMostFrameBytes, &most_bytes);
  const std::optional<std::string> bytes = FromHex(tpdu);
  if (!bytes || (!tpdu.empty() && bytes->size() != kTpduBytes)) {
    reader.Fault("tpdu", fmt::format("\"{}\" is no address; expected 10 hexadecimal digits, or nothing", tpdu));
  }
  if (length == 1 && most_bytes > 9'999) reader.Fault("most_bytes", "does not fit in 4 digits; expected at most 9999");
  if (absl::Status status = reader.Finish({"length"}); !status.ok()) return status;
  frame->length = static_cast<FrameSpecification::Length>(length);
  frame->tpdu = *bytes;
  frame->most_bytes = static_cast<uint32_t>(most_bytes);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Specification> Specification::Parse(const json::object& object) {
  Specification specification;
  uint64_t version = 1987;
  size_t mti = 0;
  size_t bitmap = 0;
  JsonObjectReader reader(object, "");
  reader.Number("version", 1987, 1987, &version);
  reader.Choice("mti", {"ascii", "bcd"}, &mti);
  reader.Choice("bitmap", {"binary", "hex"}, &bitmap);
  const json::object* frame = reader.Object("frame");
  const json::array* fields = reader.List("fields");
  for (const auto& [key, value] : object) reader.Ignore(std::string_view(key));
  if (absl::Status status = reader.Finish({"version", "mti", "bitmap", "frame", "fields"}); !status.ok()) return status;
  specification.mti_encoding_ = static_cast<Encoding>(mti);
  specification.bitmap_encoding_ = bitmap == 0 ? Encoding::kBinary : Encoding::kHex;
  if (absl::Status status = ParseFrame(*frame, &specification.frame_); !status.ok()) return status;
  for (const json::value& value : *fields) {
    if (!value.is_object()) return absl::InvalidArgumentError("fields: has something that is not an object");
    absl::StatusOr<std::pair<int, FieldSpecification>> field = ParseField(value.get_object());
    if (!field.ok()) return field.status();
    std::optional<FieldSpecification>& place = specification.fields_[static_cast<size_t>(field->first)];
    if (place) return absl::InvalidArgumentError(fmt::format("fields: {} stands there twice", field->first));
    place = std::move(field->second);
  }
  return specification;
}

}  // namespace waystation::adapters::iso8583
