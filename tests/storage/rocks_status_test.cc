// What is said of a ledger that can't be opened: the folder, the fault, and what to do next.

#include "storage/rocks_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "storage/rocks_commit_log.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class OpenErrorTest : public ::testing::Test {
 protected:
  OpenErrorTest() { fs::create_directory(folder_.Under("scratch")); }

  std::string Ledger() const { return folder_.Under("ledger"); }
  absl::Status Open(const std::string& folder) const { return RocksCommitLog::Open(folder).status(); }

  // With a block and a row, both in files of their own.
  void Make() const {
    for (int run = 0; run < 2; ++run) {
      const absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(Ledger());
      ASSERT_TRUE(log.ok()) << log.status();
      if (run == 1) return;
      const SealedBlock block{.first_sequence = 1, .last_sequence = 1, .bytes = "a block"};
      RowBatch rows;
      rows.Put(Table::kRequests, "key", "value");
      ASSERT_EQ(AppendAndWait(**log, &block, rows).outcome, CommitOutcome::kDurable);
    }
  }

  static void ExpectSays(const absl::Status& status, absl::StatusCode code, const std::string& folder,
                         const std::string& fault, const std::string& next) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("the ledger in " + folder + " can't be opened: "),
                                                     HasSubstr(fault), HasSubstr(". Next: "), HasSubstr(next)));
  }

  TemporaryFolder folder_;
};

TEST_F(OpenErrorTest, OpenInAnotherPlace) {
  const absl::StatusOr<std::unique_ptr<RocksCommitLog>> writer = RocksCommitLog::Open(Ledger());
  ASSERT_TRUE(writer.ok()) << writer.status();
  ExpectSays(Open(Ledger()), absl::StatusCode::kFailedPrecondition, Ledger(), "lock", "another process has it open");
  ExpectSays(OpenError("/ledger",
                       rocksdb::Status::IOError("While lock file: /ledger/LOCK", "Resource temporarily unavailable")),
             absl::StatusCode::kFailedPrecondition, "/ledger", "unavailable", "another process has it open");
  const SealedBlock block{.first_sequence = 1, .last_sequence = 1, .bytes = "a block"};
  EXPECT_EQ(AppendAndWait(**writer, &block, RowBatch()).outcome, CommitOutcome::kDurable) << "the writer is unharmed";
}

TEST_F(OpenErrorTest, NoPermission) {
  Make();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto open_as_somebody = [this] {
    // Root may read everything.
    constexpr uid_t kNobody = 65'534;
    if (geteuid() == 0 && (chmod(folder_.Under("").c_str(), 0755) != 0 || seteuid(kNobody) != 0)) std::_Exit(2);
    const absl::Status status = Open(Ledger());
    const bool says =
        status.message().find("give this program's user the right to read and write") != std::string::npos;
    std::_Exit(absl::IsPermissionDenied(status) && says ? 0 : 1);
  };
  ASSERT_EQ(chmod(Ledger().c_str(), 0), 0);
  EXPECT_EXIT(open_as_somebody(), ::testing::ExitedWithCode(0), "");
  ASSERT_EQ(chmod(Ledger().c_str(), 0755), 0);
}

TEST_F(OpenErrorTest, AFileWhereAFolderShouldBe) {
  const std::string file = folder_.Under("file");
  std::ofstream(file) << "not a folder";
  for (const std::string& path : {file, file + "/ledger"}) {
    ExpectSays(Open(path), absl::StatusCode::kFailedPrecondition, path, "", "something that is no folder stands on");
  }
}

TEST_F(OpenErrorTest, NoFolderAboveIt) {
  const std::string path = folder_.Under("absent/ledger");
  ExpectSays(Open(path), absl::StatusCode::kNotFound, path, "No such file", "make the folder above it");
}

TEST_F(OpenErrorTest, NoLedgerToRead) {
  const std::string absent = folder_.Under("absent");
  for (const absl::Status& status : {RocksCommitLog::OpenToRead(absent, folder_.Under("scratch")).status(),
                                     RocksCommitLog::OpenJournal(absent, folder_.Under("scratch")).status()}) {
    ExpectSays(status, absl::StatusCode::kNotFound, absent, "", "no ledger stands there");
  }
  EXPECT_FALSE(fs::exists(absent + "/CURRENT"));
}

// (RocksDB 7.8 itself aborts where the disk is full already as it opens: daemon/switch looks before.)
TEST_F(OpenErrorTest, NoSpace) {
  ExpectSays(OpenError("/ledger", rocksdb::Status::NoSpace("/ledger/000004.log", "No space left on device")),
             absl::StatusCode::kResourceExhausted, "/ledger", "No space left", "free disk space");
}

TEST_F(OpenErrorTest, ADamagedList) {
  Make();
  for (const auto& entry : fs::directory_iterator(Ledger())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) std::ofstream(entry.path(), std::ios::trunc) << "no";
  }
  ExpectSays(Open(Ledger()), absl::StatusCode::kDataLoss, Ledger(), "Corruption", "journal rebuild-index");
}

TEST_F(OpenErrorTest, AFileThatIsGone) {
  Make();
  int removed = 0;
  for (const auto& entry : fs::directory_iterator(Ledger())) {
    if (entry.path().extension() == ".sst") removed += fs::remove(entry.path()) ? 1 : 0;
  }
  ASSERT_GT(removed, 0);
  ExpectSays(Open(Ledger()), absl::StatusCode::kDataLoss, Ledger(), "", "restore the newest backup");
}

// RocksDB would begin anew, and remove the files.
TEST_F(OpenErrorTest, TheNameOfTheListIsGone) {
  Make();
  fs::remove(Ledger() + "/CURRENT");
  const auto files = [this] { return std::distance(fs::directory_iterator(Ledger()), fs::directory_iterator()); };
  const auto before = files();
  ExpectSays(Open(Ledger()), absl::StatusCode::kDataLoss, Ledger(), "/CURRENT: is gone", "restore the newest backup");
  EXPECT_EQ(files(), before);
}

// A program that is newer has a table more.
TEST_F(OpenErrorTest, ANewerProgram) {
  Make();
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), Ledger(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    families.emplace_back("of tomorrow", rocksdb::ColumnFamilyOptions());
    rocksdb::DBOptions options;
    options.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, Ledger(), families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    for (rocksdb::ColumnFamilyHandle* handle : handles) database->DestroyColumnFamilyHandle(handle);
  }
  ExpectSays(Open(Ledger()), absl::StatusCode::kUnimplemented, Ledger(), "of tomorrow", "by a newer version");
}

TEST_F(OpenErrorTest, ADiskThatFails) {
  ExpectSays(OpenError("/ledger", rocksdb::Status::IOError("While pread: /ledger/000004.sst", "Input/output error")),
             absl::StatusCode::kUnavailable, "/ledger", "Input/output error", "look at the kernel's log");
}

TEST(ReadStatusTest, DamageAndAFailingDiskAreKeptApart) {
  EXPECT_TRUE(ReadStatus(rocksdb::Status::OK()).ok());
  const absl::Status failed = ReadStatus(rocksdb::Status::IOError("While pread: 000004.sst", "Input/output error"));
  EXPECT_TRUE(absl::IsUnavailable(failed)) << failed;
  EXPECT_THAT(std::string(failed.message()), AllOf(HasSubstr("the disk did not give what was asked of it"),
                                                   HasSubstr("Input/output error"), HasSubstr("try again")));
  for (const rocksdb::Status& damage :
       {rocksdb::Status::Corruption("block checksum mismatch"), rocksdb::Status::PathNotFound("000004.sst"),
        rocksdb::Status::IOError("While open: 000004.sst", "No such file or directory"),
        rocksdb::Status::NotSupported("of tomorrow")}) {
    EXPECT_TRUE(absl::IsDataLoss(ReadStatus(damage))) << damage.ToString();
  }
}

}  // namespace
}  // namespace waystation::storage
