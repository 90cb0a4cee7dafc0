#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waystation::core {

// A table as it stands in a test: a row a line, cells between bars, blanks around a cell dropped. Lines without a bar
// (blank ones, headings) are passed over.
//   | from     | to     |
//   | APPROVED | ACTIVE |
using TextTable = std::vector<std::vector<std::string>>;

TextTable ParseTextTable(std::string_view text);

// The words of `text` between blanks.
std::vector<std::string> Words(std::string_view text);

}  // namespace waystation::core
