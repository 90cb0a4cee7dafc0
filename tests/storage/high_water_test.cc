#include "storage/high_water.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/high_water_keeper.h"
#include "storage/verify.h"
#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/patience.h"
#include "tests/storage/reseal.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::storage {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ChainPosition At(uint64_t sequence) {
  return {sequence, Sha256(std::to_string(sequence)), core::TimePoint(std::chrono::milliseconds(1'000 * sequence))};
}

bool operator==(const ChainPosition& a, const ChainPosition& b) {
  return a.last_sequence == b.last_sequence && a.sha256 == b.sha256 && a.time == b.time;
}

class HighWaterFileTest : public ::testing::Test {
 protected:
  void WriteAll(std::initializer_list<uint64_t> sequences) {
    HighWaterFile file(path_);
    for (uint64_t sequence : sequences) ASSERT_TRUE(file.Write(At(sequence)).ok());
  }
  absl::StatusOr<std::optional<HighWaterMark>> Read() const { return HighWaterFile(path_).Read(); }
  // The mark must be there.
  HighWaterMark Mark() const {
    const auto mark = Read();
    EXPECT_TRUE(mark.ok() && mark->has_value()) << mark.status();
    return mark.ok() ? mark->value_or(HighWaterMark()) : HighWaterMark();
  }
  std::string Bytes() const {
    std::ifstream file(path_, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void SetBytes(const std::string& bytes) const { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }

  static constexpr size_t kSlot = 4096;
  TemporaryFolder folder_;
  const std::string path_ = folder_.Under("high_water");
};

TEST_F(HighWaterFileTest, NoneWasWritten) {
  const auto mark = Read();
  ASSERT_TRUE(mark.ok()) << mark.status();
  EXPECT_FALSE(mark->has_value());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HighWaterFileTest, TheLastWriteIsRead) {
  for (uint64_t sequence = 1; sequence <= 5; ++sequence) {
    WriteAll({sequence, sequence + 100});
    const HighWaterMark mark = Mark();
    EXPECT_TRUE(mark.position == At(sequence + 100));
    EXPECT_FALSE(mark.slot_damaged);
  }
}

TEST_F(HighWaterFileTest, ALowerPositionIsAWriteToo) {
  WriteAll({7, 8, 3});
  EXPECT_TRUE(Mark().position == At(3));
}

TEST_F(HighWaterFileTest, TheOtherSlotStandsInForOneThatIsDamaged) {
  WriteAll({1, 2, 3, 4, 5});
  const std::string sound = Bytes();
  ASSERT_EQ(sound.size(), 2 * kSlot);
  for (size_t slot : {0, 1}) {
    // Each byte that a slot has, and one behind its checksum, which means nothing.
    for (size_t at = 0; at <= 100; ++at) {
      std::string bytes = sound;
      bytes[slot * kSlot + at] = static_cast<char>(bytes[slot * kSlot + at] ^ 0x10);
      SetBytes(bytes);
      const HighWaterMark mark = Mark();
      EXPECT_EQ(mark.slot_damaged, at < 100);
      EXPECT_THAT(mark.position.last_sequence, ::testing::AnyOf(4, 5));
      EXPECT_TRUE(mark.position == At(mark.position.last_sequence));
    }
  }
}

TEST_F(HighWaterFileTest, AWriteMendsADamagedSlot) {
  WriteAll({1, 2, 3});
  std::string bytes = Bytes();
  bytes[kSlot + 20] = 'x';
  SetBytes(bytes);
  ASSERT_TRUE(Mark().slot_damaged);
  WriteAll({4, 5});
  EXPECT_FALSE(Mark().slot_damaged);
  EXPECT_TRUE(Mark().position == At(5));
}

TEST_F(HighWaterFileTest, AFileWithoutAWholeSlotIsRefusedAndMayBeGivenUp) {
  WriteAll({1, 2, 3});
  std::string damaged = Bytes();
  damaged[20] = 'x';
  damaged[kSlot + 20] = 'x';
  for (const std::string& bytes : {damaged, std::string(), std::string(50, '\1'), std::string(2 * kSlot, '\0')}) {
    SetBytes(bytes);
    const auto mark = Read();
    ASSERT_TRUE(absl::IsDataLoss(mark.status())) << mark.status();
    EXPECT_THAT(std::string(mark.status().message()), HasSubstr(path_ + ": none of its 2 slots is whole"));
    WriteAll({9});
    EXPECT_TRUE(Mark().position == At(9));
  }
}

TEST_F(HighWaterFileTest, ATornFirstSlotOfTwoIsDamaged) {
  WriteAll({1, 2, 3});
  SetBytes(Bytes().substr(0, kSlot + 60));
  EXPECT_TRUE(Mark().slot_damaged);
  EXPECT_TRUE(Mark().position == At(2) || Mark().position == At(3));
}

TEST_F(HighWaterFileTest, AFolderThatIsNotThereIsNamed) {
  HighWaterFile file(folder_.Under("absent/high_water"));
  EXPECT_THAT(std::string(file.Write(At(1)).message()), HasSubstr(folder_.Under("absent/high_water")));
}

// In a process of its own: no file may grow in it.
TEST_F(HighWaterFileTest, AFailedWriteIsSaid) {
  const auto write_without_room = [this] {
    signal(SIGXFSZ, SIG_IGN);
    HighWaterFile file(path_);
    if (!file.Write(At(1)).ok()) std::_Exit(2);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_FSIZE, &none);
    const absl::Status status = file.Write(At(2));
    std::_Exit(absl::IsUnavailable(status) && status.message().find(path_) != std::string::npos ? 0 : 1);
  };
  EXPECT_EXIT(write_without_room(), ::testing::ExitedWithCode(0), "");
  EXPECT_TRUE(Mark().position == At(1));
}

// --- the check ---

class HighWaterCheckTest : public ::testing::Test {
 protected:
  HighWaterCheckTest() {
    RunningLedger running(&store_, &clock_, {.on_durable = [this](const ChainPosition& end) { seen_.push_back(end); }});
    running.Start();
    OpenShop(running);
    running.Pay(ShopPayment("R1"));
    running.Stop();
  }
  std::string Check(const ChainPosition& end, const ChainPosition& mark) const {
    return std::string(CheckHighWater(store_, end, HighWaterMark{.position = mark}).message());
  }

  ManualClock clock_;
  MemoryCommitLog store_;
  std::vector<ChainPosition> seen_;
};

TEST_F(HighWaterCheckTest, EveryPositionThatWasDurableIsHeld) {
  ASSERT_EQ(seen_.back().last_sequence, 6u);
  for (const ChainPosition& mark : seen_) EXPECT_EQ(Check(seen_.back(), mark), "");
  EXPECT_EQ(Check(seen_.back(), ChainPosition()), "");
}

TEST_F(HighWaterCheckTest, AShorterJournalIsRefused) {
  EXPECT_THAT(
      Check(seen_.front(), seen_.back()),
      HasSubstr(fmt::format("the journal ends at leg {}, but leg 6 was durable at ", seen_.front().last_sequence)));
  EXPECT_THAT(Check(ChainPosition(), seen_.back()), HasSubstr("what came after 0 is missing"));
}

TEST_F(HighWaterCheckTest, AnotherBlockIsRefused) {
  ChainPosition other = seen_.back();
  other.sha256[3] ^= 1;
  EXPECT_THAT(Check(seen_.back(), other), AllOf(HasSubstr("the block with leg 6 is another"),
                                                HasSubstr(ToHex(other.sha256)), HasSubstr(ToHex(seen_.back().sha256))));
}

TEST_F(HighWaterCheckTest, ADamagedBlockIsRefused) {
  const std::string nonsense = "nonsense";
  store_.TamperBlock(6, &nonsense);
  EXPECT_NE(Check(seen_.back(), seen_.back()), "");
}

// A mark that remembers.
class PlainMark final : public HighWater {
 public:
  absl::StatusOr<std::optional<HighWaterMark>> Read() const override { return mark_; }
  absl::Status Write(const ChainPosition& position) override {
    mark_ = HighWaterMark{.position = position};
    return absl::OkStatus();
  }

 private:
  std::optional<HighWaterMark> mark_;
};

TEST_F(HighWaterCheckTest, AMarkThatIsGoneIsRefused) {
  PlainMark mark;
  const absl::Status held = HoldToHighWater(&mark, store_, seen_.back(), std::nullopt);
  EXPECT_TRUE(absl::IsDataLoss(held)) << held;
  EXPECT_THAT(std::string(held.message()), AllOf(HasSubstr("the file high_water is gone"), HasSubstr("ends at leg 6")));
  EXPECT_FALSE((*mark.Read()).has_value()) << "or the next start would take it for right";
  const absl::StatusOr<VerifyReport> report = Verify(store_, store_, std::nullopt);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->journal_damaged);
  EXPECT_THAT(report->faults, ElementsAre(std::string(held.message())));
}

// So that one which is killed right after its first leg starts again.
TEST_F(HighWaterCheckTest, AnEmptyJournalGetsAMarkBeforeItsFirstLeg) {
  PlainMark mark;
  ASSERT_TRUE(HoldToHighWater(&mark, MemoryCommitLog(), ChainPosition(), std::nullopt).ok());
  ASSERT_TRUE((*mark.Read()).has_value());
  EXPECT_TRUE(HoldToHighWater(&mark, store_, seen_.front(), *mark.Read()).ok());
  EXPECT_TRUE((*mark.Read())->position == ChainPosition()) << "what is there is moved on by the keeper alone";
}

TEST_F(HighWaterCheckTest, AJournalOfFormat1MayHaveNoMarkYet) {
  std::string newest;
  ASSERT_TRUE(store_
                  .ReadBlocks(6,
                              [&](uint64_t, std::string_view bytes) {
                                newest = bytes;
                                return false;
                              })
                  .ok());
  newest = Reseal(newest, [](journal::v1::Block* block) { block->mutable_header()->set_format_version(1); });
  store_.TamperBlock(6, &newest);
  PlainMark mark;
  ASSERT_TRUE(HoldToHighWater(&mark, store_, seen_.back(), std::nullopt).ok());
  ASSERT_TRUE((*mark.Read()).has_value());
  EXPECT_TRUE((*mark.Read())->position == seen_.back());
}

TEST(HighWaterOfTheSequencerTest, OnlyWhatIsDurableIsTold) {
  ManualClock clock;
  MemoryCommitLog store;
  HeldCommitLog log(&store);
  std::mutex mutex;
  std::vector<uint64_t> told;
  const auto copy = [&] {
    const std::lock_guard lock(mutex);
    return told;
  };
  RunningLedger running(&store, &clock, {.log = &log, .on_durable = [&](const ChainPosition& end) {
                                           const std::lock_guard lock(mutex);
                                           told.push_back(end.last_sequence);
                                         }});
  running.Start();
  OpenShop(running);
  const std::vector<uint64_t> opening = copy();
  log.Hold();
  const Ticket* first = running.Submit(ShopPayment("R1"));
  log.WaitForHeld(1);
  EXPECT_EQ(copy(), opening);
  log.Release();
  running.port().WaitFor(first);
  EXPECT_EQ(copy().back(), 6u);
  running.Submit(ShopPayment("R2"));
  log.WaitForHeld(1);
  log.Answer({CommitOutcome::kUnknown, "the disk is gone"});
  running.WaitForFatal();
  EXPECT_EQ(copy().back(), 6u);
}

// --- the keeper ---

// A mark whose writes can be made to wait, or to fail.
class WatchedMark final : public HighWater {
 public:
  absl::StatusOr<std::optional<HighWaterMark>> Read() const override { return std::nullopt; }
  absl::Status Write(const ChainPosition& position) override {
    std::unique_lock lock(mutex_);
    written_.push_back(position.last_sequence);
    changed_.notify_all();
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return !holding_; }));
    return failure_;
  }
  void Hold(bool holding) {
    const std::lock_guard lock(mutex_);
    holding_ = holding;
    changed_.notify_all();
  }
  void FailWith(absl::Status failure) { failure_ = std::move(failure); }
  void WaitForWrites(size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return written_.size() >= count; }));
  }
  const std::vector<uint64_t>& written() const { return written_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  absl::Status failure_;
  std::vector<uint64_t> written_;
};

TEST(HighWaterKeeperTest, WritesAtOnceThenOnceAnIntervalAndTheLastAtTheEnd) {
  WatchedMark mark;
  HighWaterKeeper keeper(&mark, std::chrono::hours(1), [](const std::string& cause) { FAIL() << cause; });
  keeper.Start();
  keeper.Note(At(1));
  mark.WaitForWrites(1);
  for (uint64_t sequence = 2; sequence <= 100; ++sequence) keeper.Note(At(sequence));
  keeper.Stop();
  EXPECT_THAT(mark.written(), ElementsAre(1, 100));
}

TEST(HighWaterKeeperTest, NotingDoesNotWaitForAWrite) {
  WatchedMark mark;
  mark.Hold(true);
  HighWaterKeeper keeper(&mark, std::chrono::milliseconds(0), [](const std::string& cause) { FAIL() << cause; });
  keeper.Start();
  keeper.Note(At(1));
  mark.WaitForWrites(1);
  for (uint64_t sequence = 2; sequence <= 100; ++sequence) keeper.Note(At(sequence));
  EXPECT_THAT(mark.written(), ElementsAre(1));
  mark.Hold(false);
  keeper.Stop();
  EXPECT_EQ(mark.written().back(), 100u);
}

TEST(HighWaterKeeperTest, NothingNotedIsNothingWritten) {
  WatchedMark mark;
  HighWaterKeeper keeper(&mark, std::chrono::milliseconds(1), [](const std::string& cause) { FAIL() << cause; });
  keeper.Start();
  keeper.Stop();
  keeper.Stop();
  EXPECT_THAT(mark.written(), IsEmpty());
}

TEST(HighWaterKeeperTest, AFailedWriteIsFatalAndTheLast) {
  WatchedMark mark;
  mark.FailWith(absl::UnavailableError("the disk is gone"));
  std::vector<std::string> causes;
  HighWaterKeeper keeper(&mark, std::chrono::milliseconds(0),
                         [&](const std::string& cause) { causes.push_back(cause); });
  keeper.Start();
  keeper.Note(At(7));
  mark.WaitForWrites(1);
  keeper.Note(At(8));
  keeper.Stop();
  EXPECT_THAT(causes, ElementsAre("the high-water mark at leg 7 can't be written: the disk is gone"));
  EXPECT_THAT(mark.written(), ElementsAre(7));
}

}  // namespace
}  // namespace waystation::storage
