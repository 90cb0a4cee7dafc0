#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

// Derived rows: whatever can be rebuilt from the journal. Ordered by key, bytewise, within a table.
namespace waystation::storage {

enum class Table : uint8_t {
  kRequests,  // what a request id became (index.h)
  kPayments,  // payments at rest (index.h)
  kSnapshot,  // accounts, open payments and the ledger's position (snapshot.h)
};
inline constexpr int kTables = 3;

// Changes to derived rows, applied in the order they were made, together with the block they belong to.
class RowBatch {
 public:
  void Put(Table table, std::string_view key, std::string_view value) { Add(table, true, key, value); }
  void Delete(Table table, std::string_view key) { Add(table, false, key, {}); }
  void Clear() {
    bytes_.clear();
    changes_.clear();
  }
  bool empty() const { return changes_.empty(); }
  size_t size() const { return changes_.size(); }

  // visit(table, is_put, key, value)
  template <typename Visit>
  void ForEach(Visit visit) const {
    const std::string_view all = bytes_;
    for (const Change& c : changes_) {
      visit(c.table, c.is_put, all.substr(c.at, c.key_size), all.substr(c.at + c.key_size, c.value_size));
    }
  }

 private:
  struct Change {
    Table table;
    bool is_put;
    size_t at;
    size_t key_size;
    size_t value_size;
  };

  void Add(Table table, bool is_put, std::string_view key, std::string_view value) {
    changes_.push_back({table, is_put, bytes_.size(), key.size(), value.size()});
    bytes_.append(key).append(value);
  }

  std::string bytes_;
  std::vector<Change> changes_;
};

// Reads derived rows as of the last commit. Any thread.
class RowReader {
 public:
  virtual ~RowReader() = default;

  using Row = absl::StatusOr<std::optional<std::string>>;
  // Null when there is no such row.
  virtual Row Get(Table table, std::string_view key) const = 0;
  // What Get gives for each of `keys`, in their order; for many together it may cost less.
  virtual std::vector<Row> GetEach(Table table, absl::Span<const std::string> keys) const {
    std::vector<Row> rows;
    rows.reserve(keys.size());
    for (const std::string& key : keys) rows.push_back(Get(table, key));
    return rows;
  }

  // Rows with first <= key < past, in order, until `visit` returns false. All rows are of one moment.
  using Visit = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;
  virtual absl::Status Scan(Table table, std::string_view first, std::string_view past, Visit visit) const = 0;
  // The same, from the last to the first.
  virtual absl::Status ScanBackward(Table table, std::string_view first, std::string_view past, Visit visit) const = 0;
};

}  // namespace waystation::storage
