#include "tests/storage/held_commit_log.h"

#include <algorithm>
#include <utility>

#include "switch/core/check.h"
#include "tests/storage/patience.h"

namespace waystation::storage {

// Results are handed on under the lock, so that they keep their order whatever lets them through.
void HeldCommitLog::Append(const SealedBlock* block, const RowBatch& rows, Done done) {
  std::lock_guard lock(mutex_);
  if (!holding_) {
    under_->Append(block, rows, std::move(done));
    return;
  }
  held_.push_back({block == nullptr ? std::nullopt : std::optional(*block), rows, std::move(done)});
  most_held_ = std::max(most_held_, held_.size());
  changed_.notify_all();
}

absl::Status HeldCommitLog::ReadBlocks(uint64_t from_sequence, VisitBlock visit) const {
  return under_->ReadBlocks(from_sequence, visit);
}

void HeldCommitLog::Hold() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

void HeldCommitLog::LetThrough() {
  std::lock_guard lock(mutex_);
  holding_ = false;
  while (!held_.empty()) ReleaseOldest();
}

void HeldCommitLog::Release() {
  std::lock_guard lock(mutex_);
  ReleaseOldest();
}

void HeldCommitLog::ReleaseOldest() {
  WS_CHECK(!held_.empty(), "nothing is held");
  Held oldest = std::move(held_.front());
  held_.pop_front();
  under_->Append(oldest.block.has_value() ? &*oldest.block : nullptr, oldest.rows, std::move(oldest.done));
}

void HeldCommitLog::Answer(CommitResult result) {
  std::lock_guard lock(mutex_);
  WS_CHECK(!held_.empty(), "nothing is held");
  Held oldest = std::move(held_.front());
  held_.pop_front();
  oldest.done(std::move(result));
}

void HeldCommitLog::WaitForHeld(size_t count) {
  std::unique_lock lock(mutex_);
  WS_CHECK(changed_.wait_for(lock, kPatience, [&] { return held_.size() >= count; }), "too few appends came");
}

size_t HeldCommitLog::most_held() const {
  std::lock_guard lock(mutex_);
  return most_held_;
}

}  // namespace waystation::storage
