#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Text laid out in columns for a terminal.
namespace waystation::ctl {

// How many terminal columns the UTF-8 text takes: 2 for a wide (CJK) character, 0 for one that combines. A byte that is
// not UTF-8 counts 1.
size_t DisplayWidth(std::string_view text);

// The text with control characters (and bytes that are not UTF-8) replaced by '?': what others typed into a name must
// not drive the terminal or break a line.
std::string Printable(std::string_view text);

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

// Rows under a line of titles. Cells are made Printable.
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // As many cells as there are columns.
  void AddRow(std::vector<std::string> cells);
  size_t row_count() const { return rows_.size(); }

  // Columns two spaces apart, no spaces at the end of a line; each line ends with '\n'.
  std::string ToString() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// One thing, a field a line: "label  value". Amounts stand right-aligned under each other. Fields without a value are
// left out.
class FieldList {
 public:
  void Add(std::string label, std::string_view value);
  // In yuan.
  void AddMoney(std::string label, int64_t amount_fen);
  std::string ToString() const;

 private:
  struct Field {
    std::string label;
    std::string value;
    bool is_money = false;
  };
  std::vector<Field> fields_;
};

}  // namespace waystation::ctl
