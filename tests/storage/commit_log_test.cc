// What every commit log promises, over each of them.

#include "storage/commit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/memory_commit_log.h"
#include "storage/rocks_commit_log.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"
#include "tests/storage/patience.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct InMemory {
  MemoryCommitLog log_in_memory;
  MemoryCommitLog& log() { return log_in_memory; }
};

struct OnDisk {
  OnDisk() {
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folder.Under("ledger"));
    WS_CHECK(log.ok(), std::string(log.status().message()));
    log_on_disk = *std::move(log);
  }
  TemporaryFolder folder;
  std::unique_ptr<RocksCommitLog> log_on_disk;
  RocksCommitLog& log() { return *log_on_disk; }
};

SealedBlock Block(uint64_t first, uint64_t last, std::string bytes) {
  return {.first_sequence = first, .last_sequence = last, .bytes = std::move(bytes)};
}

using Blocks = std::vector<std::pair<uint64_t, std::string>>;
using Rows = std::vector<std::pair<std::string, std::string>>;

Blocks BlocksFrom(const CommitLog& log, uint64_t sequence, size_t most = 100) {
  Blocks blocks;
  const absl::Status status = log.ReadBlocks(sequence, [&](uint64_t first, std::string_view bytes) {
    blocks.emplace_back(first, bytes);
    return blocks.size() < most;
  });
  EXPECT_TRUE(status.ok()) << status;
  return blocks;
}

Rows Forward(const RowReader& rows, Table table, std::string_view first, std::string_view past, size_t most = 100) {
  Rows found;
  const absl::Status status = rows.Scan(table, first, past, [&](std::string_view key, std::string_view value) {
    found.emplace_back(key, value);
    return found.size() < most;
  });
  EXPECT_TRUE(status.ok()) << status;
  return found;
}

Rows Backward(const RowReader& rows, Table table, std::string_view first, std::string_view past, size_t most = 100) {
  Rows found;
  const absl::Status status = rows.ScanBackward(table, first, past, [&](std::string_view key, std::string_view value) {
    found.emplace_back(key, value);
    return found.size() < most;
  });
  EXPECT_TRUE(status.ok()) << status;
  return found;
}

template <typename Store>
class CommitLogTest : public ::testing::Test {
 protected:
  CommitResult Append(const SealedBlock* block, const RowBatch& rows = RowBatch()) {
    return AppendAndWait(store_.log(), block, rows);
  }

  CommitOutcome AppendBlock(uint64_t first, uint64_t last, std::string bytes) {
    const SealedBlock block = Block(first, last, std::move(bytes));
    return Append(&block).outcome;
  }

  void PutLetters() {
    RowBatch rows;
    for (const char* key : {"b", "d", "a", "c", "c2"}) rows.Put(Table::kPayments, key, std::string("=") + key);
    EXPECT_EQ(Append(nullptr, rows).outcome, CommitOutcome::kDurable);
  }

  std::optional<std::string> Get(Table table, std::string_view key) {
    absl::StatusOr<std::optional<std::string>> row = store_.log().Get(table, key);
    EXPECT_TRUE(row.ok()) << row.status();
    return *row;
  }

  Store store_;
};

using Stores = ::testing::Types<InMemory, OnDisk>;
class StoreNames {
 public:
  template <typename Store>
  static std::string GetName(int) {
    return std::is_same_v<Store, InMemory> ? "Memory" : "Rocks";
  }
};
TYPED_TEST_SUITE(CommitLogTest, Stores, StoreNames);

TYPED_TEST(CommitLogTest, NewOneIsEmpty) {
  EXPECT_THAT(BlocksFrom(this->store_.log(), 0), IsEmpty());
  EXPECT_THAT(BlocksFrom(this->store_.log(), 1), IsEmpty());
  EXPECT_EQ(this->Get(Table::kRequests, "a"), std::nullopt);
  EXPECT_THAT(Forward(this->store_.log(), Table::kSnapshot, "", "z"), IsEmpty());
  EXPECT_THAT(Backward(this->store_.log(), Table::kSnapshot, "", "z"), IsEmpty());
}

TYPED_TEST(CommitLogTest, ABlockIsDurableOnceItIsAnswered) {
  const SealedBlock block = Block(1, 3, std::string("one\0two", 7));
  const CommitResult result = this->Append(&block);
  EXPECT_EQ(result.outcome, CommitOutcome::kDurable);
  EXPECT_EQ(result.cause, "");
  EXPECT_THAT(BlocksFrom(this->store_.log(), 1), ElementsAre(Pair(1, std::string("one\0two", 7))));
}

TYPED_TEST(CommitLogTest, BlocksThatDoNotWaitForEachOtherAreAnsweredInOrder) {
  // Large ones are written by another thread, and small ones must not overtake them.
  constexpr uint64_t kRounds = 20;
  std::mutex mutex;
  std::vector<uint64_t> durable;
  std::promise<void> all;
  Blocks expected;
  std::deque<SealedBlock> blocks;
  uint64_t next = 1;
  for (uint64_t i = 0; i < 3 * kRounds; ++i) {
    const uint64_t last = i % 3 == 1 ? next : next + core::kLegsToOverlap - 1;
    blocks.push_back(Block(next, last, fmt::format("block {}", i)));
    expected.emplace_back(next, blocks.back().bytes);
    next = last + 1;
  }
  for (const SealedBlock& block : blocks) {
    RowBatch rows;
    rows.Put(Table::kPayments, "last", block.bytes);
    this->store_.log().Append(&block, rows, [&, first = block.first_sequence](const CommitResult& result) {
      EXPECT_EQ(result.outcome, CommitOutcome::kDurable);
      const std::lock_guard lock(mutex);
      durable.push_back(first);
      if (durable.size() == 3 * kRounds) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(std::is_sorted(durable.begin(), durable.end()));
  EXPECT_EQ(BlocksFrom(this->store_.log(), 1), expected);
  EXPECT_EQ(this->Get(Table::kPayments, "last"), expected.back().second);
}

TYPED_TEST(CommitLogTest, BlocksAreReadFromTheOneThatHoldsTheSequenceNumber) {
  EXPECT_EQ(this->AppendBlock(1, 3, "A"), CommitOutcome::kDurable);
  EXPECT_EQ(this->AppendBlock(4, 4, "B"), CommitOutcome::kDurable);
  // Keys are numbers, not text: 300 stands after 5.
  EXPECT_EQ(this->AppendBlock(5, 299, "C"), CommitOutcome::kDurable);
  EXPECT_EQ(this->AppendBlock(300, 300, "D"), CommitOutcome::kDurable);
  const auto& log = this->store_.log();
  const Blocks all = {{1, "A"}, {4, "B"}, {5, "C"}, {300, "D"}};
  EXPECT_EQ(BlocksFrom(log, 0), all);
  EXPECT_EQ(BlocksFrom(log, 1), all);
  EXPECT_EQ(BlocksFrom(log, 2), all);
  EXPECT_EQ(BlocksFrom(log, 3), all);
  EXPECT_THAT(BlocksFrom(log, 4), ElementsAre(Pair(4, "B"), Pair(5, "C"), Pair(300, "D")));
  EXPECT_THAT(BlocksFrom(log, 256), ElementsAre(Pair(5, "C"), Pair(300, "D")));
  EXPECT_THAT(BlocksFrom(log, 300), ElementsAre(Pair(300, "D")));
  EXPECT_THAT(BlocksFrom(log, 9'999), ElementsAre(Pair(300, "D")));
  EXPECT_THAT(BlocksFrom(log, 4, 1), ElementsAre(Pair(4, "B"))) << "the visitor said stop";
}

TYPED_TEST(CommitLogTest, AJournalThatStartsLaterIsReadFromItsFirstBlock) {
  EXPECT_EQ(this->AppendBlock(50, 59, "E"), CommitOutcome::kDurable);
  EXPECT_EQ(this->AppendBlock(60, 60, "F"), CommitOutcome::kDurable);
  EXPECT_THAT(BlocksFrom(this->store_.log(), 7), ElementsAre(Pair(50, "E"), Pair(60, "F")));
}

TYPED_TEST(CommitLogTest, RowsChangeInTheOrderInWhichTheyWereMade) {
  const SealedBlock block = Block(1, 1, "A");
  RowBatch rows;
  rows.Put(Table::kRequests, "k", "first");
  rows.Put(Table::kRequests, "k", "second");
  rows.Put(Table::kRequests, "gone", "x");
  rows.Delete(Table::kRequests, "gone");
  rows.Delete(Table::kRequests, "back");
  rows.Put(Table::kRequests, "back", std::string("\0v", 2));
  rows.Delete(Table::kRequests, "never was");
  rows.Put(Table::kPayments, "k", "in another table");
  rows.Put(Table::kSnapshot, "empty", "");
  EXPECT_EQ(rows.size(), 9u);
  EXPECT_EQ(this->Append(&block, rows).outcome, CommitOutcome::kDurable);
  EXPECT_EQ(this->Get(Table::kRequests, "k"), "second");
  EXPECT_EQ(this->Get(Table::kRequests, "gone"), std::nullopt);
  EXPECT_EQ(this->Get(Table::kRequests, "back"), std::string("\0v", 2));
  EXPECT_EQ(this->Get(Table::kPayments, "k"), "in another table");
  EXPECT_EQ(this->Get(Table::kSnapshot, "empty"), "");
  EXPECT_EQ(this->Get(Table::kSnapshot, "k"), std::nullopt);

  RowBatch later;
  later.Delete(Table::kRequests, "k");
  EXPECT_EQ(this->Append(nullptr, later).outcome, CommitOutcome::kDurable);
  EXPECT_EQ(this->Get(Table::kRequests, "k"), std::nullopt);
  EXPECT_THAT(BlocksFrom(this->store_.log(), 1), ElementsAre(Pair(1, "A"))) << "rows alone add no block";
}

TYPED_TEST(CommitLogTest, ScansKeepToTheirBounds) {
  this->PutLetters();
  const auto& log = this->store_.log();
  constexpr Table kTable = Table::kPayments;
  EXPECT_THAT(Forward(log, kTable, "", "zz"),
              ElementsAre(Pair("a", "=a"), Pair("b", "=b"), Pair("c", "=c"), Pair("c2", "=c2"), Pair("d", "=d")));
  EXPECT_THAT(Forward(log, kTable, "b", "d"), ElementsAre(Pair("b", "=b"), Pair("c", "=c"), Pair("c2", "=c2")));
  EXPECT_THAT(Forward(log, kTable, "bb", "c1"), ElementsAre(Pair("c", "=c")));
  EXPECT_THAT(Forward(log, kTable, "e", "zz"), IsEmpty());
  EXPECT_THAT(Forward(log, kTable, "c", "c"), IsEmpty());
  EXPECT_THAT(Forward(log, kTable, "d", "b"), IsEmpty());
  EXPECT_THAT(Forward(log, kTable, "", "zz", 2), ElementsAre(Pair("a", "=a"), Pair("b", "=b")));
}

TYPED_TEST(CommitLogTest, BackwardScansKeepToTheirBounds) {
  this->PutLetters();
  const auto& log = this->store_.log();
  constexpr Table kTable = Table::kPayments;
  EXPECT_THAT(Backward(log, kTable, "", "zz"),
              ElementsAre(Pair("d", "=d"), Pair("c2", "=c2"), Pair("c", "=c"), Pair("b", "=b"), Pair("a", "=a")));
  EXPECT_THAT(Backward(log, kTable, "b", "d"), ElementsAre(Pair("c2", "=c2"), Pair("c", "=c"), Pair("b", "=b")));
  EXPECT_THAT(Backward(log, kTable, "bb", "c1"), ElementsAre(Pair("c", "=c")));
  EXPECT_THAT(Backward(log, kTable, "", "a"), IsEmpty());
  EXPECT_THAT(Backward(log, kTable, "c", "c"), IsEmpty());
  EXPECT_THAT(Backward(log, kTable, "d", "b"), IsEmpty());
  EXPECT_THAT(Backward(log, kTable, "", "zz", 2), ElementsAre(Pair("d", "=d"), Pair("c2", "=c2")));
}

// Only a log that others may write to can tell; RocksDB is kept to one process by the lock on its folder.
TEST(MemoryCommitLogTest, ASecondBlockAtTheSamePlaceIsAConflictAndChangesNothing) {
  MemoryCommitLog log;
  const SealedBlock first = Block(1, 1, "first");
  const SealedBlock second = Block(1, 2, "second");
  RowBatch rows;
  rows.Put(Table::kRequests, "k", "v");
  CommitResult result;
  const auto note = [&](CommitResult r) { result = std::move(r); };
  log.Append(&first, RowBatch(), note);
  EXPECT_EQ(result.outcome, CommitOutcome::kDurable);
  log.Append(&second, rows, note);
  EXPECT_EQ(result.outcome, CommitOutcome::kConflict);
  EXPECT_NE(result.cause, "");
  EXPECT_THAT(BlocksFrom(log, 1), ElementsAre(Pair(1, "first")));
  EXPECT_EQ(*log.Get(Table::kRequests, "k"), std::nullopt);
}

TEST(MemoryCommitLogTest, WhoHearsOfAResultMayRead) {
  MemoryCommitLog log;
  const SealedBlock block = Block(1, 1, "A");
  int heard = 0;
  for (int i = 0; i < 2; ++i) {
    log.Append(&block, RowBatch(), [&](CommitResult) {
      EXPECT_THAT(BlocksFrom(log, 1), ElementsAre(Pair(1, "A")));
      ++heard;
    });
  }
  EXPECT_EQ(heard, 2);
}

}  // namespace
}  // namespace waystation::storage
