#include "tests/core/text_table.h"

#include <sstream>
#include <utility>

namespace waystation::core {
namespace {

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

TextTable ParseTextTable(std::string_view text) {
  TextTable table;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    size_t bar = line.find('|');
    if (bar == std::string::npos) continue;
    for (size_t next; (next = line.find('|', bar + 1)) != std::string::npos; bar = next) {
      cells.push_back(Trimmed(std::string_view(line).substr(bar + 1, next - bar - 1)));
    }
    table.push_back(std::move(cells));
  }
  return table;
}

std::vector<std::string> Words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

}  // namespace waystation::core
