// What the embedded default adds to a commit log's promises: it lasts, it can be read beside its writer, and it says
// what is wrong with a folder.

#include "storage/rocks_commit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "storage/verify.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

void Append(RocksCommitLog& log, uint64_t sequence, const std::string& text) {
  SealedBlock block{.first_sequence = sequence, .last_sequence = sequence, .bytes = text};
  RowBatch rows;
  rows.Put(Table::kRequests, text, text + " row");
  ASSERT_EQ(AppendAndWait(log, &block, rows).outcome, CommitOutcome::kDurable);
}

std::string TextOf(const CommitLog& log) {
  std::string text;
  const absl::Status status = log.ReadBlocks(0, [&](uint64_t first, std::string_view bytes) {
    text += fmt::format("{}:{} ", first, bytes);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

class RocksCommitLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksCommitLog> Open() {
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folder_.Under("ledger"));
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  std::unique_ptr<RocksCommitLog> OpenToRead() {
    std::filesystem::create_directory(folder_.Under("scratch"));
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> log =
        RocksCommitLog::OpenToRead(folder_.Under("ledger"), folder_.Under("scratch"));
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  TemporaryFolder folder_;
};

TEST_F(RocksCommitLogTest, EverythingIsThereAfterAReopen) {
  for (uint64_t i = 1; i <= 3; ++i) {
    const std::unique_ptr<RocksCommitLog> log = Open();
    Append(*log, i, fmt::format("b{}", i));
  }
  const std::unique_ptr<RocksCommitLog> log = Open();
  EXPECT_EQ(TextOf(*log), "1:b1 2:b2 3:b3 ");
  for (const char* key : {"b1", "b2", "b3"}) EXPECT_EQ(*log->Get(Table::kRequests, key), std::string(key) + " row");
}

TEST_F(RocksCommitLogTest, AReaderSeesTheWriterAsFarAsItHasCaughtUp) {
  const std::unique_ptr<RocksCommitLog> writer = Open();
  Append(*writer, 1, "b1");
  const std::unique_ptr<RocksCommitLog> reader = OpenToRead();
  EXPECT_EQ(TextOf(*reader), "1:b1 ");
  Append(*writer, 2, "b2");
  ASSERT_TRUE(reader->CatchUp().ok());
  EXPECT_EQ(TextOf(*reader), "1:b1 2:b2 ");
  EXPECT_EQ(*reader->Get(Table::kRequests, "b2"), "b2 row");
  EXPECT_EQ(KeysOf(*reader, Table::kRequests), (std::vector<std::string>{"b1", "b2"}));
  // The writer goes on as if nobody were reading.
  Append(*writer, 3, "b3");
  EXPECT_EQ(TextOf(*writer), "1:b1 2:b2 3:b3 ");
}

TEST_F(RocksCommitLogTest, AReaderWritesNothingIntoTheFolder) {
  Append(*Open(), 1, "b1");
  const auto listing = [&] {
    std::map<std::string, uintmax_t> files;
    for (const auto& file : std::filesystem::directory_iterator(folder_.Under("ledger"))) {
      files[file.path().filename()] = file.file_size();
    }
    return files;
  };
  const auto before = listing();
  EXPECT_EQ(TextOf(*OpenToRead()), "1:b1 ");
  EXPECT_EQ(listing(), before);
}

// The whole way: decide, commit to disk, reopen, recover, verify.
TEST_F(RocksCommitLogTest, ALedgerIsRecoveredFromDisk) {
  core::SystemClock clock;
  const auto run = [&](const std::vector<core::Command>& commands, Recovered* recovered) {
    const std::unique_ptr<RocksCommitLog> log = Open();
    const Index index(log.get(), log.get());
    core::Ledger ledger(ShopDate());
    const absl::StatusOr<Recovered> start = Recover(*log, *log, &ledger);
    ASSERT_TRUE(start.ok()) << start.status();
    *recovered = *start;
    Sequencer sequencer(start->position, &ledger, log.get(), &index, &clock, nullptr,
                        {std::chrono::hours(1), [](const std::string& cause) { FAIL() << cause; }});
    sequencer.Start();
    RecordingPort port;
    std::deque<Ticket> tickets;
    for (const core::Command& command : commands) {
      tickets.push_back({.command = command, .port = &port, .on_reply = {}, .reply = {}});
      sequencer.Submit(&tickets.back());
    }
    sequencer.Stop();
    EXPECT_EQ(port.delivered().size(), commands.size());
    for (const Ticket& ticket : tickets) EXPECT_TRUE(ticket.reply.status.ok()) << ticket.reply.status;
    const absl::StatusOr<VerifyReport> report = Verify(*log, *log);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->faults, ::testing::IsEmpty());
  };
  Recovered recovered;
  run(ShopOpening(), &recovered);
  EXPECT_EQ(recovered.position.last_sequence, 0u);
  run({ShopPayment("R1"), ShopOutcome(core::PaymentId::FromNumber(6), core::PaymentEvent::kApproved)}, &recovered);
  EXPECT_EQ(recovered.position.last_sequence, 5u);
  EXPECT_EQ(recovered.legs_replayed, 0u);
  run({core::ReadAccount{ShopStation()}}, &recovered);
  EXPECT_EQ(recovered.position.last_sequence, 7u);
  EXPECT_EQ(recovered.snapshot_sequence, 7u);
}

TEST_F(RocksCommitLogTest, TheSizeOfItsLogIsKnownBeforeItIsOpened) {
  EXPECT_EQ(RocksCommitLog::LogBytes(folder_.Under("ledger")), 0U);
  const std::unique_ptr<RocksCommitLog> log = Open();
  Append(*log, 1, std::string(100'000, 'x'));
  EXPECT_GT(RocksCommitLog::LogBytes(folder_.Under("ledger")), 100'000U);
}

TEST_F(RocksCommitLogTest, ManyRowsAreReadAtOnceAsEachAlone) {
  constexpr int kRows = 300;
  const auto key = [](int row) { return fmt::format("row {}", row); };
  std::unique_ptr<RocksCommitLog> log = Open();
  // Some in files, some in memory, some nowhere.
  for (int row = 0; row < kRows; row += 2) Append(*log, static_cast<uint64_t>(row + 1), key(row));
  log.reset();
  log = Open();
  for (int row = 1; row < kRows; row += 4) Append(*log, static_cast<uint64_t>(kRows + row), key(row));
  std::vector<std::string> keys;
  for (int i = 0; i < kRows; ++i) keys.push_back(key(i * 7 % kRows));
  keys.insert(keys.end(), {key(0), key(1), key(3), key(0), ""});
  const std::vector<RowReader::Row> rows = log->GetEach(Table::kRequests, keys);
  ASSERT_EQ(rows.size(), keys.size());
  int found = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_TRUE(rows[i].ok()) << rows[i].status();
    EXPECT_EQ(*rows[i], *log->Get(Table::kRequests, keys[i])) << keys[i];
    if (rows[i]->has_value()) ++found;
  }
  EXPECT_EQ(found, kRows * 3 / 4 + 3);
  EXPECT_TRUE(log->GetEach(Table::kRequests, {}).empty());
}

// On a disk that is nearly full there is no space to merge files in.
TEST_F(RocksCommitLogTest, FilesAreMergedOnlyWhileThatIsWanted) {
  RocksOptions small;
  small.journal_memtable_bytes = 64 << 10;
  absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folder_.Under("ledger"), small);
  ASSERT_TRUE(log.ok()) << log.status();
  uint64_t sequence = 0;
  const auto append_until = [&](const std::function<bool(int unmerged, int merged)>& enough) {
    while (sequence < 20'000) {
      ++sequence;
      Append(**log, sequence, fmt::format("{:08}{}", sequence, std::string(8'000, 'x')));
      std::vector<rocksdb::LiveFileMetaData> files;
      (*log)->database()->GetLiveFilesMetaData(&files);
      const auto unmerged = std::count_if(files.begin(), files.end(), [](const auto& file) {
        return file.column_family_name == "journal" && file.level == 0;
      });
      const auto merged = std::count_if(files.begin(), files.end(), [](const auto& file) { return file.level > 0; });
      if (enough(static_cast<int>(unmerged), static_cast<int>(merged))) return;
    }
    ADD_FAILURE() << "not after " << sequence << " blocks";
  };
  ASSERT_TRUE((*log)->SetCompacting(false).ok());
  // Twelve are enough to be merged.
  append_until([](int unmerged, int merged) {
    EXPECT_EQ(merged, 0);
    return unmerged >= 20 || merged > 0;
  });
  ASSERT_TRUE((*log)->SetCompacting(true).ok());
  append_until([](int, int merged) { return merged > 0; });
}

}  // namespace
}  // namespace waystation::storage
