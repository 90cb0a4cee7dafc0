// The disk that forgets: what it must lose, what it must not, and what fails when.

#include "tests/crash/lossy_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "storage/rocks_commit_log.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::crash {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LossyFileSystemTest : public ::testing::Test {
 protected:
  // A new disk with an empty folder that is there for good.
  void Begin(uint64_t seed) {
    space_.emplace();
    std::filesystem::create_directory(space_->Under("attic"));
    std::filesystem::create_directory(space_->Under("f"));
    files_ = std::make_shared<LossyFileSystem>(space_->Under("attic"), seed);
  }
  std::string At(const std::string& name) const { return space_->Under("f/" + name); }

  std::unique_ptr<rocksdb::FSWritableFile> Make(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(files_->NewWritableFile(At(name), {}, &file, nullptr).ok());
    return file;
  }
  void Write(rocksdb::FSWritableFile& file, const std::string& text) {
    EXPECT_TRUE(file.Append(text, {}, nullptr).ok());
  }
  void SyncFolder() {
    std::unique_ptr<rocksdb::FSDirectory> folder;
    ASSERT_TRUE(files_->NewDirectory(space_->Under("f"), {}, &folder, nullptr).ok());
    ASSERT_TRUE(folder->Fsync({}, nullptr).ok());
  }
  // What the file holds; "-" when there is none.
  std::string TextOf(const std::string& name) const {
    if (!std::filesystem::exists(At(name))) return "-";
    std::stringstream text;
    text << std::ifstream(At(name)).rdbuf();
    return text.str();
  }
  // What `steps` and a power loss leave, over many seeds.
  template <typename Steps, typename Look>
  std::set<std::string> Outcomes(Steps steps, Look look) {
    std::set<std::string> outcomes;
    for (uint64_t seed = 1; seed <= 64; ++seed) {
      Begin(seed);
      steps();
      files_->CutPower();
      files_->RestorePower();
      outcomes.insert(look());
    }
    return outcomes;
  }

  std::optional<storage::TemporaryFolder> space_;
  std::shared_ptr<LossyFileSystem> files_;
};

TEST_F(LossyFileSystemTest, WhatWasSyncedStaysAndTheTailEndsAnywhere) {
  const std::set<std::string> outcomes = Outcomes(
      [&] {
        auto file = Make("a");
        Write(*file, "safe ");
        EXPECT_TRUE(file->Sync({}, nullptr).ok());
        Write(*file, "xy");
        SyncFolder();
      },
      [&] { return TextOf("a"); });
  using namespace std::string_literals;
  EXPECT_THAT(outcomes, ::testing::IsSubsetOf({"safe "s, "safe x"s, "safe xy"s, "safe \0"s, "safe \0\0"s}));
  EXPECT_THAT(outcomes, ::testing::IsSupersetOf({"safe "s, "safe x"s, "safe xy"s, "safe \0\0"s}));
}

TEST_F(LossyFileSystemTest, WhatWasWrittenOverMayBeTheOldAgain) {
  const auto write_over = [](rocksdb::FSWritableFile& file, uint64_t at, const std::string& text) {
    EXPECT_TRUE(file.PositionedAppend(text, at, {}, nullptr).ok());
  };
  // On each side of the end of a page.
  const std::string start(4096 - 2, '.');
  const auto steps = [&] {
    auto file = Make("a");
    Write(*file, start + "1234");
    EXPECT_TRUE(file->Sync({}, nullptr).ok());
    SyncFolder();
    write_over(*file, 0, "!");
    EXPECT_TRUE(file->Sync({}, nullptr).ok());
    write_over(*file, start.size(), "abc");
    write_over(*file, start.size() + 3, "d");
    return file;
  };
  const auto look = [&] {
    const std::string text = TextOf("a");
    EXPECT_EQ(text.substr(0, start.size()), "!" + start.substr(1));
    return text.substr(start.size());
  };
  // All, nothing, the first ones with a part of the next, single pages of each.
  const std::set<std::string> outcomes = Outcomes([&] { steps(); }, look);
  EXPECT_THAT(outcomes,
              ::testing::IsSubsetOf({"abcd", "1234", "a234", "ab34", "abc4", "ab3d", "12c4", "12cd", "123d"}));
  EXPECT_THAT(outcomes, ::testing::IsSupersetOf({"abcd", "1234", "a234", "abc4", "12c4"}));
  EXPECT_THAT(Outcomes([&] { EXPECT_TRUE(steps()->Sync({}, nullptr).ok()); }, look), ElementsAre("abcd"));
  EXPECT_THAT(Outcomes([&] { EXPECT_TRUE(steps()->Truncate(start.size() + 1, {}, nullptr).ok()); }, look),
              ElementsAre("1", "a"));
}

TEST_F(LossyFileSystemTest, ANameIsThereOnceItsFolderWasSynced) {
  const auto make = [&] {
    auto file = Make("a");
    Write(*file, "text");
    EXPECT_TRUE(file->Sync({}, nullptr).ok());
  };
  const auto look = [&] { return TextOf("a"); };
  EXPECT_THAT(Outcomes(make, look), ElementsAre("-", "text"));
  EXPECT_THAT(Outcomes([&] { make(), SyncFolder(); }, look), ElementsAre("text"));
}

TEST_F(LossyFileSystemTest, RenamesAndDeletesMayBeUndone) {
  const auto steps = [&] {
    for (const char* name : {"new", "old", "gone"}) {
      auto file = Make(name);
      Write(*file, name);
      EXPECT_TRUE(file->Sync({}, nullptr).ok());
    }
    SyncFolder();
    EXPECT_TRUE(files_->RenameFile(At("new"), At("old"), {}, nullptr).ok());
    EXPECT_TRUE(files_->DeleteFile(At("gone"), {}, nullptr).ok());
  };
  const auto look = [&] { return TextOf("new") + " " + TextOf("old") + " " + TextOf("gone"); };
  EXPECT_THAT(Outcomes(steps, look), ElementsAre("- new -", "- new gone", "new old gone"));
  EXPECT_THAT(Outcomes([&] { steps(), SyncFolder(); }, look), ElementsAre("- new -"));
}

TEST_F(LossyFileSystemTest, AfterAFailedSyncALaterOneDoesNotHelp) {
  const auto steps = [&] {
    auto file = Make("a");
    SyncFolder();
    Write(*file, "x");
    files_->Set({.on = Fault::On::kChanges, .at = 1});
    EXPECT_FALSE(file->Sync({}, nullptr).ok());
    EXPECT_TRUE(file->Sync({}, nullptr).ok());
  };
  EXPECT_THAT(Outcomes(steps, [&] { return TextOf("a"); }), Contains(""));
}

TEST_F(LossyFileSystemTest, ThePowerGoesAtTheChangeThatWasNamed) {
  Begin(1);
  files_->CutPowerAt(3);
  auto file = Make("a");
  Write(*file, "x");
  EXPECT_THAT(file->Sync({}, nullptr).ToString(), HasSubstr("the power is off"));
  EXPECT_FALSE(files_->power_is_on());
  EXPECT_THAT(files_->FileExists(At("a"), {}, nullptr).ToString(), HasSubstr("the power is off"));
}

TEST_F(LossyFileSystemTest, AFaultHitsOnceOrLasts) {
  for (const bool lasts : {false, true}) {
    Begin(1);
    auto file = Make("a");
    files_->Set({.on = Fault::On::kChanges, .at = 2, .error = Error::kNoSpace, .lasts = lasts});
    Write(*file, "12");
    const rocksdb::IOStatus failed = file->Append("3456", {}, nullptr);
    EXPECT_TRUE(failed.IsNoSpace());
    EXPECT_THAT(failed.ToString(), HasSubstr("No space left on device"));
    EXPECT_EQ(files_->fault_hit(), "writing a");
    EXPECT_EQ(file->Append("78", {}, nullptr).ok(), !lasts);
    EXPECT_EQ(TextOf("a"), lasts ? "12347" : "123478");
    // Deleting takes no space, and reading is another matter.
    EXPECT_TRUE(files_->FileExists(At("a"), {}, nullptr).ok());
    EXPECT_TRUE(files_->DeleteFile(At("a"), {}, nullptr).ok());
  }
}

TEST_F(LossyFileSystemTest, AnIoErrorThatLastsStopsEverything) {
  Begin(1);
  auto file = Make("a");
  files_->Set({.on = Fault::On::kReads, .at = 1, .error = Error::kIo, .lasts = true});
  Write(*file, "x");
  EXPECT_THAT(files_->FileExists(At("a"), {}, nullptr).ToString(), HasSubstr("Input/output error"));
  EXPECT_FALSE(file->Sync({}, nullptr).ok());
  files_->ClearFault();
  EXPECT_TRUE(file->Sync({}, nullptr).ok());
}

// RocksDB syncs what is in its folder; that the folder itself is there is the commit log's to see to.
TEST_F(LossyFileSystemTest, ANewLedgersFolderOutlivesAPowerLoss) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Begin(seed);
    const storage::SealedBlock block{.first_sequence = 1, .last_sequence = 1, .bytes = "block"};
    {
      auto log = storage::RocksCommitLog::Open(At("ledger"), {.file_system = files_});
      ASSERT_TRUE(log.ok()) << log.status();
      ASSERT_EQ(storage::AppendAndWait(**log, &block, {}).outcome, storage::CommitOutcome::kDurable);
      files_->CutPower();
    }
    files_->RestorePower();
    auto log = storage::RocksCommitLog::Open(At("ledger"), {.file_system = files_});
    ASSERT_TRUE(log.ok()) << log.status();
    std::string found;
    ASSERT_TRUE((*log)
                    ->ReadBlocks(0,
                                 [&](uint64_t, std::string_view bytes) {
                                   found += bytes;
                                   return true;
                                 })
                    .ok());
    EXPECT_EQ(found, "block");
  }
}

}  // namespace
}  // namespace waystation::crash
