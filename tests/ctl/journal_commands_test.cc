// The journal commands over a data folder that a test wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <streambuf>
#include <thread>

#include "storage/block.h"
#include "storage/high_water.h"
#include "storage/rocks_commit_log.h"
#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

core::BusinessDate Date(uint32_t number) {
  return core::BusinessDate::FromNumber(number).value();
}

class JournalCommandsTest : public testing::Test {
 protected:
  JournalCommandsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ctl-journal-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~JournalCommandsTest() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void SetUp() override {
    auto log = storage::RocksCommitLog::Open(data());
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    // As a switch does before its first leg.
    ASSERT_TRUE(storage::HighWaterFile((folder_ / "high_water").string()).Write({}).ok());
  }

  std::string data() const { return (folder_ / "ledger").string(); }

  // Appends a block of the facts; `damage` changes what is stored.
  void Append(std::vector<core::Fact> facts, const std::function<void(std::string&)>& damage = {}) {
    storage::BlockBuilder builder;
    builder.Start(position_, {core::TimePoint(std::chrono::milliseconds(1'795'248'306'123)), Date(20261121)});
    uint64_t sequence = position_.last_sequence;
    for (core::Fact& fact : facts) builder.Add({++sequence, std::move(fact)});
    storage::SealedBlock sealed;
    builder.Seal(&position_, &sealed);
    if (damage) damage(sealed.bytes);
    log_->Append(&sealed, storage::RowBatch(), [](storage::CommitResult result) {
      ASSERT_EQ(result.outcome, storage::CommitOutcome::kDurable) << result.cause;
    });
  }

  static core::Fact Station(uint64_t number) {
    return core::StationRegistered{core::StationId::FromNumber(number), "李记", {}};
  }

  // Legs 1 and 2, 3, 4.
  void WriteThreeBlocks() {
    Append({Station(100000000001), Station(100000000002)});
    Append({Station(100000000003)});
    Append({core::DayCut{Date(20261121), Date(20261122)}});
  }

  std::filesystem::path folder_;
  std::unique_ptr<storage::RocksCommitLog> log_;
  storage::ChainPosition position_;
};

// Standard output whose reader goes away after some lines.
class LeavingReader : public std::streambuf {
 public:
  explicit LeavingReader(int lines) : lines_left_(lines) {}
  std::future<void> first_line() { return first_line_.get_future(); }
  const std::string& text() const { return text_; }

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    if (text_.empty()) first_line_.set_value();
    text_.append(bytes, static_cast<size_t>(count));
    lines_left_ -= static_cast<int>(std::count(bytes, bytes + count, '\n'));
    return count;
  }
  int sync() override { return lines_left_ > 0 ? 0 : -1; }

 private:
  int lines_left_;
  std::promise<void> first_line_;
  std::string text_;
};

int Lines(const std::string& text) {
  return static_cast<int>(std::ranges::count(text, '\n'));
}

TEST_F(JournalCommandsTest, VerifyOfAWholeJournalIsCleanWhileTheWriterHasIt) {
  WriteThreeBlocks();
  const Ran ran = RunWith({"journal", "verify", "--data", data()});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("blocks            3\n"), HasSubstr("legs              4\n"),
                             HasSubstr("result            clean\n")));
  const Ran json = RunWith({"journal", "verify", "--data", folder_.string(), "--json"});
  EXPECT_EQ(json.exit, 0);
  EXPECT_THAT(json.out, AllOf(StartsWith("{\"clean\":true,\"blocks\":\"3\""), HasSubstr("\"faults\":[]")));
}

TEST_F(JournalCommandsTest, VerifyOfADamagedJournalNamesThePlaceAndWhatToDo) {
  Append({Station(100000000001)});
  Append({Station(100000000002)}, [](std::string& bytes) { bytes[bytes.size() - 1] ^= 1; });
  const Ran ran = RunWith({"journal", "verify", "--data", data()});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("DAMAGED; faults: 1"));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("after leg 1"), HasSubstr("next: stop switchd")));
}

TEST_F(JournalCommandsTest, ExportPrintsTheLegsAskedFor) {
  WriteThreeBlocks();
  const Ran all = RunWith({"journal", "export", "--data", data()});
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(Lines(all.out), 4);
  EXPECT_THAT(all.out, StartsWith("{\"sequence\":\"1\",\"timeMs\":\"1795248306123\",\"businessDate\":\"2026-11-21\","
                                  "\"stationRegistered\":{\"station\":\"100000000001\",\"name\":\"李记\""));
  const Ran some = RunWith({"journal", "export", "--data", data(), "--from-seq", "2", "--to-seq", "3"});
  EXPECT_EQ(some.exit, 0) << some.err;
  EXPECT_EQ(Lines(some.out), 2);
  EXPECT_THAT(some.out, AllOf(HasSubstr("100000000002"), HasSubstr("100000000003")));
  EXPECT_EQ(RunWith({"journal", "export", "--data", data(), "--from-seq", "3", "--to-seq", "2"}).exit, 2);
}

TEST_F(JournalCommandsTest, ExportNamesThePaymentsEventAndState) {
  core::PaymentMoved moved{};
  moved.payment_id = core::PaymentId::FromNumber(7);
  moved.station = core::StationId::FromNumber(100000000001);
  moved.event = core::PaymentEvent::kApproved;
  moved.state = core::PaymentState::kSucceeded;
  Append({moved});
  EXPECT_THAT(RunWith({"journal", "export", "--data", data()}).out,
              HasSubstr("\"event\":\"approved\",\"state\":\"SUCCEEDED\",\"paymentMoved\":{\"paymentId\":\"7\""));
}

TEST_F(JournalCommandsTest, ExportStopsAtADamagedBlock) {
  Append({Station(100000000001)});
  Append({Station(100000000002)}, [](std::string& bytes) { bytes[bytes.size() - 1] ^= 1; });
  const Ran ran = RunWith({"journal", "export", "--data", data()});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(Lines(ran.out), 1);
}

TEST_F(JournalCommandsTest, TailPrintsTheLastLegs) {
  WriteThreeBlocks();
  const Ran ran = RunWith({"journal", "tail", "--data", data(), "-n", "2"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Lines(ran.out), 2);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("100000000003"), HasSubstr("\"dayCut\":{\"closedDate\":20261121")));
}

TEST_F(JournalCommandsTest, FollowPrintsWhatTheWriterAdds) {
  Append({Station(100000000001)});
  LeavingReader reader(2);
  std::future<void> first_line = reader.first_line();
  std::ostringstream err;
  std::thread follower([&] {
    std::ostream out(&reader);
    const std::string folder = data();
    const std::array<const char*, 6> argv = {"switchctl", "journal", "tail", "--data", folder.c_str(), "--follow"};
    RunSwitchctl(argv.size(), argv.data(), out, err);
  });
  first_line.wait();
  Append({Station(100000000002)});
  follower.join();
  EXPECT_EQ(Lines(reader.text()), 2) << reader.text() << err.str();
  EXPECT_THAT(reader.text(), AllOf(HasSubstr("100000000001"), HasSubstr("100000000002")));
}

TEST_F(JournalCommandsTest, AFolderWithoutALedgerIsBadUsageAndStaysAsItIs) {
  for (const std::string& data : {(folder_ / "missing").string(), std::string("/dev/null")}) {
    const Ran ran = RunWith({"journal", "verify", "--data", data});
    EXPECT_EQ(ran.exit, 2);
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, AllOf(HasSubstr(data), HasSubstr("storage.data_dir")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "missing"));
}

TEST_F(JournalCommandsTest, ALedgerThatCannotBeOpenedIsAFault) {
  log_.reset();
  std::ofstream(data() + "/CURRENT") << "nonsense";
  EXPECT_EQ(RunWith({"journal", "verify", "--data", data()}).exit, 1);
}

}  // namespace
}  // namespace waystation::ctl
