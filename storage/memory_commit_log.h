#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>

#include "storage/commit_log.h"
#include "storage/rows.h"

namespace waystation::storage {

// A commit log and its rows in memory, for tests and simulation. Each append is "durable" at once. Any thread.
class MemoryCommitLog final : public CommitLog, public RowReader {
 public:
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override;
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override;

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  absl::Status Scan(Table table, std::string_view first, std::string_view past, Visit visit) const override;
  absl::Status ScanBackward(Table table, std::string_view first, std::string_view past, Visit visit) const override;

  // Changes what is stored, behind everybody's back: for tests of what finds damage. Null deletes.
  void Tamper(Table table, const std::string& key, const std::string* value);
  void TamperBlock(uint64_t first_sequence, const std::string* sealed_block);

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;

  mutable std::mutex mutex_;
  std::map<uint64_t, std::string> blocks_;
  std::array<Rows, kTables> rows_;
};

}  // namespace waystation::storage
