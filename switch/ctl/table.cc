#include "switch/ctl/table.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/money.h"

namespace waystation::ctl {
namespace {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

// Unicode's East Asian Width W and F, in coarse ranges: enough for names and addresses.
constexpr std::array kWide = {
    CodePointRange{0x1100, 0x115F},   CodePointRange{0x2E80, 0x303E},   CodePointRange{0x3041, 0x33FF},
    CodePointRange{0x3400, 0x4DBF},   CodePointRange{0x4E00, 0x9FFF},   CodePointRange{0xA000, 0xA4CF},
    CodePointRange{0xA960, 0xA97F},   CodePointRange{0xAC00, 0xD7A3},   CodePointRange{0xF900, 0xFAFF},
    CodePointRange{0xFE30, 0xFE6F},   CodePointRange{0xFF00, 0xFF60},   CodePointRange{0xFFE0, 0xFFE6},
    CodePointRange{0x1F300, 0x1F64F}, CodePointRange{0x1F900, 0x1F9FF}, CodePointRange{0x20000, 0x3FFFD},
};
constexpr std::array kZeroWidth = {
    CodePointRange{0x0300, 0x036F}, CodePointRange{0x200B, 0x200F}, CodePointRange{0x202A, 0x202E},
    CodePointRange{0x2060, 0x2069}, CodePointRange{0x20D0, 0x20FF}, CodePointRange{0xFE00, 0xFE0F},
    CodePointRange{0xFEFF, 0xFEFF},
};

template <size_t N>
bool Contains(const std::array<CodePointRange, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](const CodePointRange& range) { return c >= range.first && c <= range.last; });
}

constexpr char32_t kNotUtf8 = 0xFFFFFFFF;

// Takes the first character off `rest`; kNotUtf8 (and one byte taken) where there is none.
char32_t TakeCharacter(std::string_view& rest) {
  const auto lead = static_cast<unsigned char>(rest.front());
  const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead > 0xF4 || rest.size() < length) {
    rest.remove_prefix(1);
    return kNotUtf8;
  }
  char32_t c = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    if ((byte & 0xC0) != 0x80) {
      rest.remove_prefix(1);
      return kNotUtf8;
    }
    c = c << 6 | (byte & 0x3FU);
  }
  rest.remove_prefix(length);
  return c;
}

bool IsControl(char32_t c) {
  // The directional overrides reorder what follows them on the line.
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string Spaces(size_t count) {
  return std::string(count, ' ');
}

void Append(std::string& line, std::string_view cell, size_t width, Align align) {
  const std::string padding = Spaces(width - DisplayWidth(cell));
  if (align == Align::kRight) line += padding;
  line += cell;
  if (align == Align::kLeft) line += padding;
}

std::string WithoutTrailingSpaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const char32_t c = TakeCharacter(text);
    width += Contains(kWide, c) ? 2 : Contains(kZeroWidth, c) ? 0 : 1;
  }
  return width;
}

std::string Printable(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = TakeCharacter(text);
    if (c == kNotUtf8 || IsControl(c)) {
      printable += '?';
    } else {
      printable += before.substr(0, before.size() - text.size());
    }
  }
  return printable;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<std::string> cells) {
  WS_CHECK(cells.size() == columns_.size(), "a row has as many cells as the table has columns");
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width);
  }
  const auto line_of = [&](auto cell_at) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      Append(line, cell_at(i), widths[i], columns_[i].align);
    }
    return WithoutTrailingSpaces(std::move(line)) + "\n";
  };
  std::string text = line_of([&](size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) {
    text += line_of([&](size_t i) -> const std::string& { return row[i]; });
  }
  return text;
}

void FieldList::Add(std::string label, std::string_view value) {
  if (!value.empty()) fields_.push_back({std::move(label), Printable(value)});
}

void FieldList::AddMoney(std::string label, int64_t amount_fen) {
  fields_.push_back({std::move(label), core::FormatYuan(core::Money::Fen(amount_fen)), /*is_money=*/true});
}

std::string FieldList::ToString() const {
  size_t label_width = 0;
  size_t money_width = 0;
  for (const Field& field : fields_) {
    label_width = std::max(label_width, DisplayWidth(field.label));
    if (field.is_money) money_width = std::max(money_width, field.value.size());
  }
  std::string text;
  for (const Field& field : fields_) {
    std::string line;
    Append(line, field.label, label_width, Align::kLeft);
    line += "  ";
    if (field.is_money) {
      Append(line, field.value, money_width, Align::kRight);
      line += " yuan";
    } else {
      line += field.value;
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace waystation::ctl
