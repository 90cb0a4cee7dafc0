#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Keys of rows: numbers are big-endian, so that their order is that of the bytes.
namespace waystation::storage {

template <typename Number>
void AppendNumber(std::string* key, Number number) {
  std::array<char, sizeof(Number)> bytes;
  for (size_t i = bytes.size(); i > 0; number = static_cast<Number>(number >> 8))
    bytes[--i] = static_cast<char>(number);
  key->append(bytes.data(), bytes.size());
}

// The first sizeof(Number) bytes of `key`, which must be there.
template <typename Number>
Number ReadNumber(std::string_view key) {
  Number number = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    number = static_cast<Number>(number << 8 | static_cast<uint8_t>(key[i]));
  }
  return number;
}

// The first key that stands after all keys with this prefix, whose last byte is not 0xff.
inline std::string PastPrefix(std::string prefix) {
  ++prefix.back();
  return prefix;
}

}  // namespace waystation::storage
