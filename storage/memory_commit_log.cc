#include "storage/memory_commit_log.h"

namespace waystation::storage {

void MemoryCommitLog::Append(const SealedBlock* block, const RowBatch& rows, Done done) {
  bool conflict = false;
  {
    std::lock_guard lock(mutex_);
    conflict = block != nullptr && !blocks_.emplace(block->first_sequence, block->bytes).second;
    if (!conflict) {
      rows.ForEach([this](Table table, bool is_put, std::string_view key, std::string_view value) {
        Rows& target = rows_[static_cast<size_t>(table)];
        if (is_put) {
          target.insert_or_assign(std::string(key), std::string(value));
        } else if (auto it = target.find(key); it != target.end()) {
          target.erase(it);
        }
      });
    }
  }
  // Without the lock: who hears of the result may read at once.
  if (conflict) {
    done({CommitOutcome::kConflict, "a block with this first sequence number is stored"});
  } else {
    done({CommitOutcome::kDurable, ""});
  }
}

absl::Status MemoryCommitLog::ReadBlocks(uint64_t from_sequence, VisitBlock visit) const {
  std::unique_lock lock(mutex_);
  auto it = blocks_.upper_bound(from_sequence);
  if (it != blocks_.begin()) --it;
  while (it != blocks_.end()) {
    const auto [first_sequence, bytes] = *it;
    // Without the lock: the visitor may read other things here.
    lock.unlock();
    if (!visit(first_sequence, bytes)) break;
    lock.lock();
    it = blocks_.upper_bound(first_sequence);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> MemoryCommitLog::Get(Table table, std::string_view key) const {
  std::lock_guard lock(mutex_);
  const Rows& rows = rows_[static_cast<size_t>(table)];
  auto it = rows.find(key);
  if (it == rows.end()) return std::nullopt;
  return it->second;
}

absl::Status MemoryCommitLog::Scan(Table table, std::string_view first, std::string_view past, Visit visit) const {
  std::lock_guard lock(mutex_);
  const Rows& rows = rows_[static_cast<size_t>(table)];
  for (auto it = rows.lower_bound(first); it != rows.end() && it->first < past; ++it) {
    if (!visit(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

absl::Status MemoryCommitLog::ScanBackward(Table table, std::string_view first, std::string_view past,
                                           Visit visit) const {
  std::lock_guard lock(mutex_);
  const Rows& rows = rows_[static_cast<size_t>(table)];
  for (auto it = rows.lower_bound(past); it != rows.begin();) {
    --it;
    if (it->first < first || !visit(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

void MemoryCommitLog::Tamper(Table table, const std::string& key, const std::string* value) {
  std::lock_guard lock(mutex_);
  Rows& rows = rows_[static_cast<size_t>(table)];
  rows.erase(key);
  if (value != nullptr) rows.emplace(key, *value);
}

void MemoryCommitLog::TamperBlock(uint64_t first_sequence, const std::string* sealed_block) {
  std::lock_guard lock(mutex_);
  blocks_.erase(first_sequence);
  if (sealed_block != nullptr) blocks_.emplace(first_sequence, *sealed_block);
}

}  // namespace waystation::storage
