#pragma once

#include <string>
#include <string_view>

namespace waystation::core {

// Whether `text` is UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// `text` cut to at most `bytes`, between two characters; where it is not UTF-8, each byte above 0x7f becomes '?', so
// that what a biller sends can always be stored and shown.
std::string CutToUtf8(std::string_view text, size_t bytes);

}  // namespace waystation::core
