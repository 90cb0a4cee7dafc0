// Logs that are written ahead: what is read of them is what was appended, at any time and after any end, and most
// appends find the file as long as they need it.

#include "storage/rocks_log_files.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 32 << 10;

class RocksLogFilesTest : public ::testing::Test {
 protected:
  std::unique_ptr<rocksdb::FSWritableFile> Make(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(files_->NewWritableFile(folder_.Under(name), {}, &file, nullptr).ok());
    return file;
  }
  std::unique_ptr<rocksdb::FSSequentialFile> Read(const std::string& name) {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    EXPECT_TRUE(files_->NewSequentialFile(folder_.Under(name), {}, &file, nullptr).ok());
    return file;
  }
  uintmax_t SizeOf(const std::string& name) { return fs::file_size(folder_.Under(name)); }
  // As a backup is told.
  uint64_t SizeSeen(const std::string& name) {
    uint64_t size = 0;
    EXPECT_TRUE(files_->GetFileSize(folder_.Under(name), {}, &size, nullptr).ok());
    return size;
  }

  // Opens the database in `folder`; without `files` by RocksDB's own means.
  static std::unique_ptr<rocksdb::DB> Open(const std::string& folder, rocksdb::Env* files = nullptr) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    if (files != nullptr) options.env = files;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, folder, &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  }

  // Reads along with who writes there.
  std::unique_ptr<rocksdb::DB> Follow(const std::string& name) {
    rocksdb::Options options;
    options.env = env_.get();
    options.max_open_files = -1;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::OpenAsSecondary(options, folder_.Under(name), folder_.Under("scratch"), &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  }

  TemporaryFolder folder_;
  std::shared_ptr<rocksdb::FileSystem> files_ = FilesWithLogsWrittenAhead(nullptr);
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
};

// A log as RocksDB writes it, a record at a time.
class Records {
 public:
  explicit Records(uint64_t seed) : random_(seed) {}

  // The next one, with what fills a block's end before it. Its content is zeros as often as not.
  std::string Next() {
    std::string bytes;
    size_t left = kBlock - size_ % kBlock;
    if (left < kHeader + 1) {
      bytes.assign(left, '\0');
      left = kBlock;
    }
    const size_t length = std::min<size_t>(left - kHeader, random_() % 9'000);
    // A checksum is not looked at here, and may be zero.
    bytes.append(4, random_() % 2 == 0 ? '\0' : 'c');
    bytes.push_back(static_cast<char>(length & 0xff));
    bytes.push_back(static_cast<char>(length >> 8));
    bytes.push_back(1);
    bytes.append(length, random_() % 2 == 0 ? '\0' : 'x');
    size_ += bytes.size();
    return bytes;
  }

 private:
  static constexpr size_t kHeader = 7;

  std::mt19937_64 random_;
  size_t size_ = 0;
};

// Reads as RocksDB's readers do: the rest of a block at a time.
std::string ReadOn(rocksdb::FSSequentialFile& file, size_t from) {
  std::string text;
  std::string scratch(kBlock, '\0');
  while (true) {
    const size_t rest = kBlock - (from + text.size()) % kBlock;
    rocksdb::Slice read;
    EXPECT_TRUE(file.Read(rest, {}, &read, scratch.data(), nullptr).ok());
    text.append(read.data(), read.size());
    if (read.size() < rest) return text;
  }
}

TEST_F(RocksLogFilesTest, AReaderSeesWhatWasAppendedAndNoMoreWhileTheLogGrows) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string name = fmt::format("{}.log", seed);
    const auto log = Make(name);
    const auto reader = Read(name);
    Records records(seed);
    std::string written;
    std::string seen;
    for (int i = 0; i < 100; ++i) {
      const std::string record = records.Next();
      // In up to two pieces, as when RocksDB's buffer is full.
      const size_t piece = i % 2 == 0 ? 0 : record.size() / (1 + static_cast<size_t>(i) % 5);
      ASSERT_TRUE(log->Append(record.substr(0, piece), {}, nullptr).ok());
      if (piece < record.size()) {
        // Not before all of it is there.
        EXPECT_EQ(log->Sync({}, nullptr).ok(), piece == 0);
        if (i % 3 != 0) seen += ReadOn(*reader, seen.size());
        ASSERT_EQ(seen, written.substr(0, seen.size()));
        ASSERT_EQ(SizeSeen(name), written.size());
        ASSERT_TRUE(log->Append(record.substr(piece), {}, nullptr).ok());
      }
      written += record;
      ASSERT_TRUE(log->Sync({}, nullptr).ok());
      ASSERT_EQ(log->GetFileSize({}, nullptr), written.size());
      ASSERT_EQ(SizeSeen(name), written.size());
      if (i % 3 == 0) continue;
      seen += ReadOn(*reader, seen.size());
      ASSERT_EQ(seen, written) << "seed " << seed << ", record " << i;
    }
    ASSERT_GT(SizeOf(name), written.size());
    EXPECT_EQ(ReadOn(*Read(name), 0), written);
    ASSERT_TRUE(log->Close({}, nullptr).ok());
    EXPECT_EQ(SizeOf(name), written.size());
    EXPECT_EQ(ReadOn(*Read(name), 0), written);
  }
}

TEST_F(RocksLogFilesTest, MostAppendsFindTheFileLongEnough) {
  const auto log = Make("1.log");
  Records records(1);
  uintmax_t written = 0;
  uintmax_t size = 0;
  int growths = 0;
  while (written < 10'000'000) {
    const std::string record = records.Next();
    ASSERT_TRUE(log->Append(record, {}, nullptr).ok());
    written += record.size();
    growths += std::exchange(size, SizeOf("1.log")) != SizeOf("1.log");
    ASSERT_GE(size, written);
    // A small log stays small.
    ASSERT_LE(size, std::min(3 * written + (96 << 10), written + (2 << 20)));
  }
  EXPECT_LE(growths, 20);
}

TEST_F(RocksLogFilesTest, WhatIsNoLogIsLeftAlone) {
  const auto table = Make("000004.sst");
  ASSERT_TRUE(table->Append("12345", {}, nullptr).ok());
  ASSERT_TRUE(table->Flush({}, nullptr).ok());
  EXPECT_EQ(SizeOf("000004.sst"), 5U);
  std::string scratch(kBlock, '\0');
  rocksdb::Slice read;
  ASSERT_TRUE(Read("000004.sst")->Read(kBlock, {}, &read, scratch.data(), nullptr).ok());
  EXPECT_EQ(read.ToString(), "12345");
}

// What a process that was killed leaves: also for a RocksDB that knows nothing of this, in an older version say.
TEST_F(RocksLogFilesTest, ALogThatWasNotClosedIsRead) {
  const std::unique_ptr<rocksdb::DB> db = Open(folder_.Under("db"), env_.get());
  rocksdb::WriteOptions synced;
  synced.sync = true;
  constexpr int kRows = 300;
  for (int i = 0; i < kRows; ++i) {
    ASSERT_TRUE(db->Put(synced, fmt::format("key {}", i), std::string(static_cast<size_t>(i * 7), '\0')).ok());
  }
  for (const bool knows : {true, false}) {
    const std::string copy = folder_.Under(knows ? "knows" : "does not");
    fs::copy(folder_.Under("db"), copy);
    const std::unique_ptr<rocksdb::DB> opened = Open(copy, knows ? env_.get() : nullptr);
    for (int i = 0; i < kRows; ++i) {
      std::string value;
      ASSERT_TRUE(opened->Get({}, fmt::format("key {}", i), &value).ok()) << i;
      EXPECT_EQ(value, std::string(static_cast<size_t>(i * 7), '\0'));
    }
  }
}

TEST_F(RocksLogFilesTest, AFollowerMissesNothing) {
  const std::unique_ptr<rocksdb::DB> db = Open(folder_.Under("db"), env_.get());
  const std::unique_ptr<rocksdb::DB> follower = Follow("db");
  ASSERT_NE(follower, nullptr);
  for (int i = 0; i < 400; ++i) {
    const std::string key = fmt::format("key {}", i);
    ASSERT_TRUE(db->Put({}, key, std::string(static_cast<size_t>(i), i % 2 == 0 ? '\0' : 'x')).ok());
    if (i % 5 != 0) continue;
    ASSERT_TRUE(follower->TryCatchUpWithPrimary().ok());
    for (int j = std::max(0, i - 5); j <= i; ++j) {
      std::string value;
      ASSERT_TRUE(follower->Get({}, fmt::format("key {}", j), &value).ok()) << j << " of " << i;
    }
  }
}

// As switchctl follows a switch at work: what is half written is never taken for damaged.
TEST_F(RocksLogFilesTest, AFollowerOfABusyWriterFindsNoDamage) {
  const std::unique_ptr<rocksdb::DB> db = Open(folder_.Under("db"), env_.get());
  const std::unique_ptr<rocksdb::DB> follower = Follow("db");
  ASSERT_NE(follower, nullptr);
  constexpr int kRows = 1'500;
  std::atomic<int> written{0};
  std::jthread writer([&] {
    std::mt19937_64 random(1);
    for (int i = 0; i < kRows; ++i) {
      // Some in one piece, most in several, some larger than RocksDB's buffer.
      const size_t bytes = i % 100 == 0 ? 3 << 20 : random() % 90'000;
      EXPECT_TRUE(db->Put({}, fmt::format("key {}", i), std::string(bytes, 'x')).ok());
      written = i + 1;
    }
  });
  while (written < kRows) {
    const int before = written;
    const rocksdb::Status status = follower->TryCatchUpWithPrimary();
    ASSERT_TRUE(status.ok()) << status.ToString();
    std::string value;
    if (before > 0) {
      ASSERT_TRUE(follower->Get({}, fmt::format("key {}", before - 1), &value).ok()) << before;
    }
  }
}

}  // namespace
}  // namespace waystation::storage
