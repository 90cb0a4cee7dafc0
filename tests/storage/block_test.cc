#include "storage/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "storage/leg_codec.h"
#include "tests/storage/reseal.h"
#include "tests/storage/stored_forms.h"

namespace waystation::storage {
namespace {

using ::testing::HasSubstr;

core::BlockStamp StampAt(int64_t ms) {
  return {core::TimePoint(std::chrono::milliseconds(ms)), *core::BusinessDate::FromNumber(20261121)};
}

// A block of the first `count` sample legs, numbered on from `position`, which is moved.
std::string SealedAfter(ChainPosition* position, size_t count, int64_t ms) {
  BlockBuilder builder;
  builder.Start(*position, StampAt(ms));
  std::vector<core::Leg> legs = SampleLegs();
  legs.resize(count);
  uint64_t sequence = position->last_sequence;
  for (core::Leg& leg : legs) {
    leg.sequence = ++sequence;
    builder.Add(leg);
  }
  SealedBlock sealed;
  builder.Seal(position, &sealed);
  return sealed.bytes;
}

std::string MessageOf(const absl::Status& status) {
  return std::string(status.message());
}

TEST(BlockTest, ComesBackAsSealed) {
  ChainPosition position;
  position.last_sequence = 41;
  position.sha256.fill(7);
  BlockBuilder builder;
  builder.Start(position, StampAt(1'000));
  EXPECT_TRUE(builder.empty());
  std::vector<core::Leg> legs = SampleLegs();
  for (core::Leg& leg : legs) {
    leg.sequence += 41;
    builder.Add(leg);
  }
  EXPECT_FALSE(builder.empty());
  SealedBlock sealed;
  builder.Seal(&position, &sealed);
  EXPECT_EQ(sealed.first_sequence, 42u);
  EXPECT_EQ(sealed.last_sequence, 41 + legs.size());

  const absl::StatusOr<OpenedBlock> opened = OpenBlock(sealed.bytes);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->header.format_version(), kJournalFormatVersion);
  EXPECT_EQ(opened->header.first_sequence(), 42u);
  EXPECT_EQ(opened->header.previous_sha256(), std::string(32, '\7'));
  EXPECT_EQ(opened->stamp.time, StampAt(1'000).time);
  EXPECT_EQ(opened->stamp.business_date, StampAt(0).business_date);
  ASSERT_EQ(opened->legs.size(), legs.size());
  for (size_t i = 0; i < legs.size(); ++i) {
    EXPECT_EQ(opened->legs[i].sequence, legs[i].sequence);
    EXPECT_TRUE(Same(opened->legs[i].fact, legs[i].fact)) << i;
  }
  EXPECT_EQ(position.last_sequence, sealed.last_sequence);
  EXPECT_EQ(position.sha256, opened->sha256);
  EXPECT_EQ(position.time, StampAt(1'000).time);
}

// All of it is written by hand: it must be what protobuf would write.
TEST(BlockTest, FrameIsASealedBlock) {
  for (size_t legs : {1u, 2u, 18u}) {
    ChainPosition position;
    const std::string bytes = SealedAfter(&position, legs, 1);
    pb::SealedBlock frame;
    ASSERT_TRUE(frame.ParseFromString(bytes));
    EXPECT_EQ(frame.sha256(), AsText(Sha256(frame.block())));
    EXPECT_EQ(frame.SerializeAsString(), bytes);
    pb::Block block;
    ASSERT_TRUE(block.ParseFromString(frame.block()));
    EXPECT_EQ(block.SerializeAsString(), frame.block());
  }
}

TEST(BlockTest, BuilderIsReused) {
  ChainPosition position;
  BlockBuilder builder;
  SealedBlock sealed;
  std::vector<std::string> blocks;
  for (int i = 0; i < 3; ++i) {
    builder.Start(position, StampAt(i));
    builder.Add({position.last_sequence + 1, core::BillerRegistered{"gas"}});
    builder.Seal(&position, &sealed);
    blocks.push_back(sealed.bytes);
  }
  // What was started and not sealed leaves no trace.
  builder.Start(position, StampAt(9));
  builder.Add({99, core::BillerRegistered{"lost"}});
  builder.Start(position, StampAt(10));
  EXPECT_TRUE(builder.empty());

  ChainPosition read;
  for (const std::string& block : blocks) ASSERT_TRUE(OpenNextBlock(block, &read).ok());
  EXPECT_EQ(read.last_sequence, 3u);
  EXPECT_EQ(read.sha256, position.sha256);
}

class ChainTest : public ::testing::Test {
 protected:
  ChainTest() {
    blocks_.push_back(SealedAfter(&end_, 3, 100));
    after_first_ = end_;
    blocks_.push_back(SealedAfter(&end_, 2, 100));
    blocks_.push_back(SealedAfter(&end_, 1, 250));
  }

  // DataLoss that says so; the position stands where it stood.
  void ExpectRefused(const std::string& block, ChainPosition position, const std::string& fault) {
    const ChainPosition before = position;
    const absl::StatusOr<OpenedBlock> opened = OpenNextBlock(block, &position);
    ASSERT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
    EXPECT_THAT(MessageOf(opened.status()), HasSubstr(fault));
    EXPECT_EQ(position.last_sequence, before.last_sequence);
    EXPECT_EQ(position.sha256, before.sha256);
  }

  std::vector<std::string> blocks_;
  ChainPosition end_;
  ChainPosition after_first_;
};

TEST_F(ChainTest, FollowsFromBlockToBlock) {
  ChainPosition position;
  for (const std::string& block : blocks_) {
    const absl::StatusOr<OpenedBlock> opened = OpenNextBlock(block, &position);
    ASSERT_TRUE(opened.ok()) << opened.status();
  }
  EXPECT_EQ(position.last_sequence, end_.last_sequence);
  EXPECT_EQ(position.sha256, end_.sha256);
  EXPECT_EQ(position.time, end_.time);
}

TEST_F(ChainTest, MissingBlockIsFound) {
  ExpectRefused(blocks_[2], after_first_, "block at sequence 6: follows leg 3; legs between them are missing");
  ExpectRefused(blocks_[1], ChainPosition(), "block at sequence 4: follows leg 0");
}

TEST_F(ChainTest, OnlyABlockThatResumesTheJournalMayPassOverNumbers) {
  const auto open = [this](uint64_t first, const core::Fact& fact, bool leads) {
    BlockBuilder builder;
    builder.Start(end_, StampAt(300));
    if (!leads) builder.Add({first - 1, core::BillerRegistered{"gas"}});
    builder.Add({first, fact});
    ChainPosition sealed_end = end_;
    SealedBlock sealed;
    builder.Seal(&sealed_end, &sealed);
    ChainPosition position = end_;
    absl::Status status = OpenNextBlock(sealed.bytes, &position).status();
    EXPECT_EQ(position.last_sequence, status.ok() ? first : end_.last_sequence);
    return status;
  };
  const core::JournalResumed resumed{"8000000001", "unplugged"};
  EXPECT_TRUE(open(end_.last_sequence + 1'000, resumed, true).ok());
  EXPECT_TRUE(open(end_.last_sequence + 1, resumed, true).ok());
  EXPECT_TRUE(absl::IsDataLoss(open(end_.last_sequence, resumed, true)));
  EXPECT_TRUE(absl::IsDataLoss(open(end_.last_sequence + 1'000, resumed, false))) << "it is the first of its block";
  EXPECT_TRUE(absl::IsDataLoss(open(end_.last_sequence + 2, core::BillerRegistered{"gas"}, true)));
}

TEST_F(ChainTest, OtherPreviousBlockIsFound) {
  ChainPosition other = after_first_;
  other.sha256[31] ^= 1;
  ExpectRefused(blocks_[1], other, "block at sequence 4: is not chained to the block before it");
}

TEST_F(ChainTest, EarlierTimeIsFound) {
  const std::string earlier = Reseal(blocks_[1], [](pb::Block* block) { block->mutable_header()->set_time_ms(99); });
  ExpectRefused(earlier, after_first_, "block at sequence 4: is earlier than the block before it");
}

TEST_F(ChainTest, WrongContentsAreFound) {
  struct Case {
    std::function<void(pb::Block*)> change;
    std::string fault;
  };
  const Case cases[] = {
      {[](pb::Block* b) { b->clear_legs(); }, "block at sequence 4: has no legs"},
      {[](pb::Block* b) { b->clear_header(); }, "0 is not a date"},
      {[](pb::Block* b) { b->mutable_header()->set_business_date(20261131); }, "20261131 is not a date"},
      {[](pb::Block* b) { b->mutable_legs(1)->set_sequence(9); }, "block at sequence 4: holds leg 9; expected 5"},
      {[](pb::Block* b) { b->mutable_legs()->SwapElements(0, 1); }, "block at sequence 4: holds leg 5; expected 4"},
      {[](pb::Block* b) { b->mutable_legs(0)->clear_fact(); }, "after leg 3: leg 4: fact"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.fault);
    ExpectRefused(Reseal(blocks_[1], c.change), after_first_, c.fault);
  }
  ExpectRefused(SealBytes("\xff\xff not a block"), after_first_, "does not parse");
  ExpectRefused("", after_first_, "after leg 3");
}

TEST_F(ChainTest, NewerFormatIsRefusedWithAdvice) {
  const std::string newer = Reseal(
      blocks_[0], [](pb::Block* block) { block->mutable_header()->set_format_version(kJournalFormatVersion + 1); });
  ChainPosition position;
  const absl::StatusOr<OpenedBlock> opened = OpenNextBlock(newer, &position);
  ASSERT_TRUE(absl::IsUnimplemented(opened.status())) << opened.status();
  EXPECT_EQ(MessageOf(opened.status()),
            "block at sequence 1: is of journal format 4; this program reads up to 3, use a newer one");
  EXPECT_EQ(position.last_sequence, 0u);
}

TEST_F(ChainTest, EveryFlippedBitIsFound) {
  const std::string& sound = blocks_[1];
  for (size_t at = 0; at < sound.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      ChainPosition position = after_first_;
      const absl::StatusOr<OpenedBlock> opened = OpenNextBlock(damaged, &position);
      ASSERT_TRUE(absl::IsDataLoss(opened.status())) << "byte " << at << " bit " << bit;
      ASSERT_EQ(position.last_sequence, 3u);
    }
  }
}

TEST_F(ChainTest, EveryCutIsFound) {
  for (size_t size = 0; size < blocks_[1].size(); ++size) {
    ChainPosition position = after_first_;
    ASSERT_TRUE(absl::IsDataLoss(OpenNextBlock(blocks_[1].substr(0, size), &position).status())) << size;
  }
}

}  // namespace
}  // namespace waystation::storage
