// What a disk that fills up and is freed leads to, on a disk of the test's own; and the real one.

#include "switch/daemon/disk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

namespace waystation::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMb = 1 << 20;
constexpr DiskLimits kLimits{.low_below = 100 * kMb, .enough_from = 120 * kMb, .ballast = 30 * kMb};

class FakeDisk final : public Disk {
 public:
  absl::StatusOr<uint64_t> FreeBytes() override {
    if (broken_) return absl::UnavailableError("statvfs: Input/output error");
    return free_;
  }
  uint64_t BallastBytes() override { return ballast_; }
  absl::Status MakeBallast(uint64_t bytes) override {
    if (read_only_ || bytes > free_ + ballast_) return absl::UnavailableError("ballast: No space left on device");
    free_ = free_ + ballast_ - bytes;
    ballast_ = bytes;
    return absl::OkStatus();
  }
  absl::Status ReleaseBallast() override {
    if (read_only_) return absl::UnavailableError("ballast: Read-only file system");
    free_ += ballast_;
    ballast_ = 0;
    return absl::OkStatus();
  }

  // What is free beside the ballast.
  void SetFree(uint64_t mb) { free_ = mb * kMb; }
  void SetBallast(uint64_t mb) { ballast_ = mb * kMb; }
  void SetBroken(bool broken) { broken_ = broken; }
  void SetReadOnly(bool read_only) { read_only_ = read_only; }
  uint64_t free_mb() const { return free_ / kMb; }
  uint64_t ballast_mb() const { return ballast_ / kMb; }

 private:
  uint64_t free_ = 0;
  uint64_t ballast_ = 0;
  bool broken_ = false;
  bool read_only_ = false;
};

class DiskWatchTest : public ::testing::Test {
 protected:
  // One look with `mb` free, as files came and went.
  void Look(uint64_t mb) {
    disk_.SetFree(mb);
    watch_.Look();
  }

  FakeDisk disk_;
  std::vector<bool> changes_;  // low or not
  DiskWatch watch_{&disk_, kLimits, [this](bool low) { changes_.push_back(low); }};
};

TEST_F(DiskWatchTest, WithRoomTheBallastIsMadeAndNewWorkTaken) {
  Look(1'000);
  EXPECT_EQ(disk_.ballast_mb(), 30U);
  EXPECT_FALSE(watch_.state().low);
  EXPECT_EQ(watch_.state().ballast_bytes, kLimits.ballast);
  EXPECT_EQ(watch_.state().free_bytes, 970 * kMb);
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(DiskWatchTest, BelowTheLimitNewWorkEndsAndTheBallastStays) {
  Look(1'000);
  Look(100);
  EXPECT_THAT(changes_, IsEmpty());
  Look(99);
  EXPECT_THAT(changes_, ElementsAre(true));
  Look(25);
  EXPECT_EQ(disk_.ballast_mb(), 30U);
  EXPECT_THAT(changes_, ElementsAre(true));
}

TEST_F(DiskWatchTest, NearlyFullTheBallastIsGivenBack) {
  Look(1'000);
  Look(24);
  EXPECT_EQ(disk_.ballast_mb(), 0U);
  EXPECT_EQ(watch_.state().free_bytes, 54 * kMb);
  EXPECT_TRUE(watch_.state().low);
  EXPECT_EQ(watch_.state().ballast_bytes, 0U);
  Look(0);
  EXPECT_THAT(changes_, ElementsAre(true));
}

TEST_F(DiskWatchTest, TakenAgainOnlyWithEnoughBesideTheBallast) {
  Look(1'000);
  Look(10);  // low, and the ballast given back
  Look(119);
  Look(149);  // 119 and the ballast
  EXPECT_EQ(disk_.ballast_mb(), 0U);
  EXPECT_THAT(changes_, ElementsAre(true));
  Look(150);
  EXPECT_EQ(disk_.ballast_mb(), 30U);
  EXPECT_EQ(disk_.free_mb(), 120U);
  EXPECT_THAT(changes_, ElementsAre(true, false));
  Look(100);
  EXPECT_THAT(changes_, ElementsAre(true, false));
  Look(99);
  Look(119);  // between the two limits it stays as it is
  EXPECT_THAT(changes_, ElementsAre(true, false, true));
  Look(120);
  EXPECT_THAT(changes_, ElementsAre(true, false, true, false));
}

TEST_F(DiskWatchTest, AStartOnANearlyFullDiskIsLowAtOnce) {
  Look(129);  // without room for limit and ballast
  EXPECT_THAT(changes_, ElementsAre(true));
  EXPECT_EQ(disk_.ballast_mb(), 0U);
}

TEST_F(DiskWatchTest, AStartOnAFullDiskGivesBackTheBallastOfTheRunBefore) {
  disk_.SetBallast(30);
  Look(3);
  EXPECT_EQ(disk_.ballast_mb(), 0U);
  EXPECT_EQ(disk_.free_mb(), 33U);
}

TEST_F(DiskWatchTest, ABallastOfAnotherSizeIsMadeAnew) {
  disk_.SetBallast(50);
  Look(500);
  EXPECT_EQ(disk_.ballast_mb(), 30U);
  EXPECT_EQ(disk_.free_mb(), 520U);
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(DiskWatchTest, WithoutABallastNoNewWorkIsTaken) {
  disk_.SetReadOnly(true);
  Look(1'000);
  EXPECT_THAT(changes_, ElementsAre(true));
  disk_.SetReadOnly(false);
  Look(1'000);
  EXPECT_THAT(changes_, ElementsAre(true, false));
}

TEST_F(DiskWatchTest, WhatCantBeFoundOutChangesNothing) {
  Look(1'000);
  disk_.SetBroken(true);
  Look(0);
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(disk_.ballast_mb(), 30U);
  disk_.SetBroken(false);
  Look(0);
  EXPECT_THAT(changes_, ElementsAre(true));
}

TEST(DataDiskTest, TheBallastIsReallyAllocated) {
  std::string folder = (std::filesystem::temp_directory_path() / "waystation-disk-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  DataDisk disk(folder);
  EXPECT_GT(*disk.FreeBytes(), 0U);
  EXPECT_EQ(disk.BallastBytes(), 0U);
  EXPECT_TRUE(disk.ReleaseBallast().ok()) << "there is none";
  for (const uint64_t bytes : {4 * kMb, 1 * kMb}) {
    ASSERT_TRUE(disk.MakeBallast(bytes).ok());
    EXPECT_EQ(disk.BallastBytes(), bytes);
    struct stat file;
    ASSERT_EQ(stat((folder + "/ballast").c_str(), &file), 0);
    EXPECT_GE(static_cast<uint64_t>(file.st_blocks) * 512, bytes);
  }
  ASSERT_TRUE(disk.ReleaseBallast().ok());
  EXPECT_EQ(disk.BallastBytes(), 0U);
  std::filesystem::remove_all(folder);
}

TEST(DataDiskTest, WhatIsNotThereIsNamed) {
  DataDisk disk("/proc/no such folder");
  EXPECT_THAT(std::string(disk.FreeBytes().status().message()), HasSubstr("/proc/no such folder"));
  EXPECT_THAT(std::string(disk.MakeBallast(1).message()), HasSubstr("/proc/no such folder/ballast"));
}

}  // namespace
}  // namespace waystation::daemon
