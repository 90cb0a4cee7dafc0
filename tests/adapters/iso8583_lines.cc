// iso8583_lines SPECIFICATION: packs and unpacks messages, one a line of standard input, for tests that exchange them
// with another program. "pack {"0": "0200", "3": "500000"}" is answered by hexadecimal digits, "unpack 0200..." by such
// an object; binary elements stand there in hexadecimal digits. What cannot be done is answered by "error: ...".

#include <iostream>
#include <string>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/hex.h"
#include "adapters/iso8583/specification.h"
#include "adapters/json_object.h"
#include "boost/json/serialize.hpp"

namespace waystation::adapters::iso8583 {
namespace {

namespace json = boost::json;

std::string LowerHex(std::string_view bytes) {
  std::string text;
  AppendHex(bytes, &text);
  for (char& c : text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool IsBinary(const Specification& specification, int number) {
  const FieldSpecification* field = specification.field(number);
  return field != nullptr && field->type == FieldType::kBinary;
}

std::string PackLine(const Specification& specification, std::string_view text) {
  const absl::StatusOr<json::value> value = ParseJsonFile(text);
  if (!value.ok()) return "error: " + std::string(value.status().message());
  Message message;
  for (const auto& [key, item] : value->get_object()) {
    const int number = std::stoi(std::string(key));
    const std::string plain(item.as_string());
    if (number == 0) {
      message.set_mti(plain);
    } else {
      message.Set(number, IsBinary(specification, number) ? FromHex(plain).value() : plain);
    }
  }
  std::string wire;
  const absl::Status packed = Pack(specification, message, &wire);
  return packed.ok() ? LowerHex(wire) : "error: " + std::string(packed.message());
}

std::string UnpackLine(const Specification& specification, std::string_view hex) {
  Message message;
  const absl::Status unpacked = Unpack(specification, FromHex(hex).value_or(""), &message);
  if (!unpacked.ok()) return "error: " + std::string(unpacked.message());
  json::object object;
  object["0"] = std::string(message.mti());
  message.ForEach([&](int number, std::string_view value) {
    object[std::to_string(number)] = IsBinary(specification, number) ? LowerHex(value) : std::string(value);
    return true;
  });
  return json::serialize(object);
}

int Main(const std::string& path) {
  const absl::StatusOr<json::value> file = ReadJsonFile(path);
  if (!file.ok()) {
    std::cerr << file.status() << "\n";
    return 1;
  }
  const absl::StatusOr<Specification> specification = Specification::Parse(file->get_object());
  if (!specification.ok()) {
    std::cerr << specification.status() << "\n";
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t blank = line.find(' ');
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    std::cout << (line.starts_with("pack ") ? PackLine(*specification, rest) : UnpackLine(*specification, rest))
              << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace waystation::adapters::iso8583

int main(int argc, char** argv) {
  if (argc == 2) return waystation::adapters::iso8583::Main(argv[1]);
  std::cerr << "usage: iso8583_lines SPECIFICATION\n";
  return 2;
}
