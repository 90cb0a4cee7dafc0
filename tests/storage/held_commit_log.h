#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "storage/commit_log.h"

namespace waystation::storage {

// A commit log that keeps what is appended back until the test lets it through to `under`: until then nothing of it is
// durable. Lets everything through at once until Hold. Any thread.
class HeldCommitLog final : public CommitLog {
 public:
  explicit HeldCommitLog(CommitLog* under) : under_(under) {}

  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override;
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override;

  // From now on appends are held back.
  void Hold();
  // Lets through what is held, and everything from now on.
  void LetThrough();
  // Makes the oldest append that is held durable.
  void Release();
  // The oldest append that is held comes to this instead, and is not stored.
  void Answer(CommitResult result);

  // Returns once `count` appends are held; stops the process when that takes too long.
  void WaitForHeld(size_t count);
  // The most appends that were ever held at once.
  size_t most_held() const;

 private:
  struct Held {
    std::optional<SealedBlock> block;
    RowBatch rows;
    Done done;
  };

  void ReleaseOldest();

  CommitLog* const under_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;   // guarded by mutex_
  std::deque<Held> held_;  // guarded by mutex_
  size_t most_held_ = 0;   // guarded by mutex_
};

}  // namespace waystation::storage
