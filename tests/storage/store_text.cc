#include "tests/storage/store_text.h"

#include <array>
#include <cstdint>
#include <sstream>

#include "fmt/format.h"
#include "storage/key.h"
#include "switch/core/check.h"
#include "tests/storage/running_ledger.h"

namespace waystation::storage {
namespace {

constexpr std::array kTableNames = {"requests", "payments", "snapshot"};
static_assert(kTableNames.size() == kTables);
constexpr const char* kJournal = "journal";

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

std::string FromHex(const std::string& hex) {
  WS_CHECK(hex.size() % 2 == 0, "two digits a byte");
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

template <typename Visit>
void ForEachRow(const MemoryCommitLog& store, int table, Visit visit) {
  for (const std::string& key : KeysOf(store, static_cast<Table>(table))) {
    visit(key, **store.Get(static_cast<Table>(table), key));
  }
}

}  // namespace

std::string StoreAsText(const MemoryCommitLog& store) {
  std::string text;
  const absl::Status read = store.ReadBlocks(0, [&](uint64_t first, std::string_view bytes) {
    std::string key;
    AppendNumber(&key, first);
    text += fmt::format("{} {} {}\n", kJournal, Hex(key), Hex(bytes));
    return true;
  });
  WS_CHECK(read.ok(), std::string(read.message()));
  for (int table = 0; table < kTables; ++table) {
    ForEachRow(store, table, [&](const std::string& key, const std::string& value) {
      text += fmt::format("{} {} {}\n", kTableNames[static_cast<size_t>(table)], Hex(key), Hex(value));
    });
  }
  return text;
}

void ReadStoreText(std::string_view text, MemoryCommitLog* store) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    std::string key;
    std::string value;
    WS_CHECK(static_cast<bool>(words >> name >> key), "a table and a key");
    words >> value;
    const std::string bytes = FromHex(value);
    if (name == kJournal) {
      store->TamperBlock(ReadNumber<uint64_t>(FromHex(key)), &bytes);
      continue;
    }
    size_t table = 0;
    while (table < kTableNames.size() && kTableNames[table] != name) ++table;
    WS_CHECK(table < kTableNames.size(), "no table " + name);
    store->Tamper(static_cast<Table>(table), FromHex(key), &bytes);
  }
}

void CopyStore(const MemoryCommitLog& from, CommitLog* to) {
  const absl::Status read = from.ReadBlocks(0, [&](uint64_t first, std::string_view bytes) {
    const SealedBlock block{first, first, std::string(bytes)};
    WS_CHECK(AppendAndWait(*to, &block, RowBatch()).outcome == CommitOutcome::kDurable, "a copy of a block");
    return true;
  });
  WS_CHECK(read.ok(), std::string(read.message()));
  RowBatch rows;
  for (int table = 0; table < kTables; ++table) {
    ForEachRow(from, table, [&](const std::string& key, const std::string& value) {
      rows.Put(static_cast<Table>(table), key, value);
    });
  }
  WS_CHECK(AppendAndWait(*to, nullptr, rows).outcome == CommitOutcome::kDurable, "a copy of the rows");
}

}  // namespace waystation::storage
