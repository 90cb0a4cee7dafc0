#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waystation::adapters::iso8583 {

// Null unless `text` is an even number of hexadecimal digits, of either case.
std::optional<std::string> FromHex(std::string_view text);
// Capital letters.
void AppendHex(std::string_view bytes, std::string* text);
// 0 .. 15, or -1.
int HexDigit(char c);

}  // namespace waystation::adapters::iso8583
