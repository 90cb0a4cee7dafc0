#include "storage/journal_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/block.h"
#include "storage/memory_commit_log.h"
#include "tests/storage/reseal.h"

namespace waystation::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kAll = 1 << 30;

// A journal of blocks of 3, 1, 2 and 4 legs.
class JournalReaderTest : public ::testing::Test {
 protected:
  JournalReaderTest() {
    for (const size_t legs : {3, 1, 2, 4}) {
      AddBlock(position_.last_sequence + 1, std::vector<core::Fact>(legs, core::BillerRegistered{"mobile"}));
    }
  }

  void AddBlock(uint64_t first, const std::vector<core::Fact>& facts) {
    BlockBuilder builder;
    builder.Start(position_, {core::TimePoint(std::chrono::milliseconds(1'000)), Date()});
    for (const core::Fact& fact : facts) builder.Add({first++, fact});
    SealedBlock sealed;
    builder.Seal(&position_, &sealed);
    blocks_.push_back(sealed);
    store_.Append(&sealed, RowBatch(), [](CommitResult) {});
  }
  // A block of two legs.
  void Resume(uint64_t at) {
    AddBlock(at, {core::JournalResumed{"8000000001", "unplugged"}, core::BillerRegistered{"mobile"}});
  }

  static core::BusinessDate Date() { return *core::BusinessDate::FromNumber(20261121); }

  // What one Read gives, as the sequence numbers of its legs, block by block.
  static std::vector<std::vector<uint64_t>> Sequences(const JournalReader::Blocks& blocks) {
    std::vector<std::vector<uint64_t>> sequences;
    for (const journal::v1::Block& block : blocks) {
      sequences.emplace_back();
      for (const journal::v1::Leg& leg : block.legs()) sequences.back().push_back(leg.sequence());
    }
    return sequences;
  }
  static std::vector<std::vector<uint64_t>> Read(JournalReader& reader, uint64_t to, size_t enough_bytes = kAll) {
    JournalReader::Blocks blocks;
    const absl::Status status = reader.Read(to, enough_bytes, &blocks);
    EXPECT_TRUE(status.ok()) << status;
    return Sequences(blocks);
  }

  // Changes the block that begins at `first` and gives it a hash that fits.
  void Change(uint64_t first, absl::FunctionRef<void(journal::v1::Block*)> change) {
    for (const SealedBlock& block : blocks_) {
      if (block.first_sequence != first) continue;
      const std::string changed = Reseal(block.bytes, change);
      store_.TamperBlock(first, &changed);
    }
  }
  std::string Fault(uint64_t from) {
    JournalReader reader(&store_, from);
    JournalReader::Blocks blocks;
    const uint64_t to = position_.last_sequence;
    absl::Status status = reader.Read(to, kAll, &blocks);
    if (status.ok()) status = reader.Read(to, kAll, &blocks);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    return std::string(status.message());
  }

  MemoryCommitLog store_;
  ChainPosition position_;
  std::vector<SealedBlock> blocks_;
};

TEST_F(JournalReaderTest, GivesAllLegsInOrderFromAnyPlace) {
  for (uint64_t from = 1; from <= 10; ++from) {
    JournalReader reader(&store_, from);
    std::vector<uint64_t> all;
    for (const auto& block : Read(reader, 10)) all.insert(all.end(), block.begin(), block.end());
    std::vector<uint64_t> expected;
    for (uint64_t sequence = from; sequence <= 10; ++sequence) expected.push_back(sequence);
    EXPECT_EQ(all, expected);
    EXPECT_EQ(reader.next(), 11u);
    EXPECT_THAT(Read(reader, 10), IsEmpty());
  }
  JournalReader past(&store_, 11);
  EXPECT_THAT(Read(past, 10), IsEmpty());
}

TEST_F(JournalReaderTest, StopsAtWhatIsDurableAndGoesOnFromThere) {
  JournalReader reader(&store_, 2);
  EXPECT_THAT(Read(reader, 0), IsEmpty());
  EXPECT_THAT(Read(reader, 4), ElementsAre(ElementsAre(2, 3), ElementsAre(4)));
  EXPECT_THAT(Read(reader, 4), IsEmpty());
  EXPECT_THAT(Read(reader, 10), ElementsAre(ElementsAre(5, 6), ElementsAre(7, 8, 9, 10)));
}

TEST_F(JournalReaderTest, GoesOnWhereTheJournalWasResumed) {
  JournalReader following(&store_, 7);
  EXPECT_THAT(Read(following, 10), ElementsAre(ElementsAre(7, 8, 9, 10)));
  Resume(1'000);
  EXPECT_THAT(Read(following, 1'001), ElementsAre(ElementsAre(1'000, 1'001)));
  EXPECT_THAT(Read(following, 1'001), IsEmpty());
  // A reader that had seen all there was, one from the beginning, and one that was in the middle of the new block.
  JournalReader at_the_end(&store_, 11);
  EXPECT_THAT(Read(at_the_end, 1'001), ElementsAre(ElementsAre(1'000, 1'001)));
  JournalReader from_the_beginning(&store_, 1);
  EXPECT_THAT(Read(from_the_beginning, 1'001), SizeIs(5));
  JournalReader within(&store_, 1'001);
  EXPECT_THAT(Read(within, 1'001), ElementsAre(ElementsAre(1'001)));
}

TEST_F(JournalReaderTest, GoesOnWhereTheJournalWasResumedTwice) {
  Resume(1'000);
  Resume(5'000);
  JournalReader at_the_end(&store_, 11);
  EXPECT_THAT(Read(at_the_end, 5'001), ElementsAre(ElementsAre(1'000, 1'001), ElementsAre(5'000, 5'001)));
}

TEST_F(JournalReaderTest, ABlockThatIsMissingBeforeTheJournalWasResumedIsDamage) {
  Resume(1'000);
  store_.TamperBlock(7, nullptr);
  EXPECT_THAT(Fault(9), HasSubstr("leg 9 is missing from the journal: the block at its place has 1000 to 1001"));
  EXPECT_THAT(Fault(7), HasSubstr("block at sequence 1000: is not chained to the block before it"));
}

TEST_F(JournalReaderTest, WhoHasSeenLegsOfAFormerLifeIsToldSo) {
  Resume(1'000);
  for (const uint64_t from : {12, 500, 999}) {
    JournalReader reader(&store_, from);
    JournalReader::Blocks blocks;
    const absl::Status status = reader.Read(1'001, kAll, &blocks);
    EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr("is of a former life of this ledger, which was restored: it goes on from leg 10 at leg 1000"));
    EXPECT_THAT(Sequences(blocks), IsEmpty());
  }
}

TEST_F(JournalReaderTest, ABlockThatResumesTheJournalIsChainedToo) {
  Resume(1'000);
  Change(1'000, [](journal::v1::Block* block) { block->mutable_header()->mutable_previous_sha256()->back() ^= 1; });
  for (const uint64_t from : {1, 11}) {
    JournalReader reader(&store_, from);
    JournalReader::Blocks blocks;
    absl::Status status = reader.Read(1'001, kAll, &blocks);
    if (from == 1) status = reader.Read(1'001, kAll, &blocks);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("block at sequence 1000: is not chained"));
  }
}

TEST_F(JournalReaderTest, EndsAReadWhenItHasEnoughBytes) {
  JournalReader reader(&store_, 1);
  EXPECT_THAT(Read(reader, 10, 1), ElementsAre(ElementsAre(1, 2, 3)));
  EXPECT_THAT(Read(reader, 10, blocks_[1].bytes.size() + 1), ElementsAre(ElementsAre(4), ElementsAre(5, 6)));
  EXPECT_THAT(Read(reader, 10, 1), ElementsAre(ElementsAre(7, 8, 9, 10)));
}

TEST_F(JournalReaderTest, ABlockIsAsStoredButForLegsThatWereNotAskedFor) {
  JournalReader reader(&store_, 2);
  JournalReader::Blocks blocks;
  ASSERT_TRUE(reader.Read(10, kAll, &blocks).ok());
  journal::v1::SealedBlock sealed;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(sealed.ParseFromString(blocks_[static_cast<size_t>(i)].bytes));
    journal::v1::Block stored;
    ASSERT_TRUE(stored.ParseFromString(sealed.block()));
    if (i == 0) stored.mutable_legs()->DeleteSubrange(0, 1);
    EXPECT_EQ(blocks[i].SerializeAsString(), stored.SerializeAsString());
  }
  EXPECT_EQ(blocks[0].header().first_sequence(), 1u);
}

TEST_F(JournalReaderTest, NamesADamagedBlockAndGivesThoseBeforeIt) {
  std::string flipped = blocks_[2].bytes;
  flipped.back() ^= 1;
  store_.TamperBlock(5, &flipped);
  EXPECT_EQ(Fault(1), "at leg 5: a stored block does not match its SHA-256");
  JournalReader reader(&store_, 1);
  EXPECT_THAT(Read(reader, 10), ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4)));
}

TEST_F(JournalReaderTest, NamesABlockThatIsMissing) {
  store_.TamperBlock(4, nullptr);
  EXPECT_THAT(Fault(1), HasSubstr("leg 4 is missing"));
  EXPECT_THAT(Fault(4), HasSubstr("leg 4 is missing"));
  store_.TamperBlock(7, nullptr);
  JournalReader reader(&store_, 5);
  EXPECT_THAT(Read(reader, 6), ElementsAre(ElementsAre(5, 6)));
  JournalReader::Blocks blocks;
  EXPECT_EQ(reader.Read(10, kAll, &blocks).code(), absl::StatusCode::kDataLoss);
  store_.TamperBlock(1, nullptr);
  EXPECT_THAT(Fault(1), HasSubstr("leg 1 is missing"));
}

TEST_F(JournalReaderTest, ABlockThatDoesNotFollowIsAFault) {
  Change(4, [](journal::v1::Block* block) { block->mutable_header()->set_previous_sha256(std::string(32, 'x')); });
  EXPECT_THAT(Fault(1), HasSubstr("block at sequence 4: is not chained"));
  Change(4, [](journal::v1::Block* block) { block->mutable_legs(0)->set_sequence(5); });
  EXPECT_THAT(Fault(4), HasSubstr("holds leg 5; expected 4"));
  Change(4, [](journal::v1::Block* block) { block->clear_legs(); });
  EXPECT_THAT(Fault(4), HasSubstr("leg 4 is missing"));
}

TEST_F(JournalReaderTest, ANewerFormatIsRefusedAsSuch) {
  Change(4, [](journal::v1::Block* block) { block->mutable_header()->set_format_version(99); });
  JournalReader reader(&store_, 4);
  JournalReader::Blocks blocks;
  EXPECT_EQ(reader.Read(10, kAll, &blocks).code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace waystation::storage
