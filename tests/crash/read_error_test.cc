// A read that the disk fails once, and then not: nothing is taken for damaged, and everything goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "storage/rebuild.h"
#include "tests/crash/ledger_session.h"
#include "tests/crash/lossy_file_system.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::crash {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Payment 6, captured, request R1: at rest, its rows in files that nobody has read yet.
class ReadErrorTest : public ::testing::Test {
 protected:
  ReadErrorTest() {
    std::filesystem::create_directory(folder_.Under("attic"));
    files_ = std::make_shared<LossyFileSystem>(folder_.Under("attic"), 1);
    options_.folder = folder_.Under("ledger");
    options_.files = files_;
    Start();
    for (core::Command& command : storage::ShopOpening()) Do(std::move(command));
    Do(storage::ShopPayment("R1"));
    Do(storage::ShopOutcome(core::PaymentId::FromNumber(6), core::PaymentEvent::kApproved));
    session_.reset();
  }

  // Opening writes what is in RocksDB's log into tables, and forgets what it has read of them.
  void Start() {
    absl::StatusOr<std::unique_ptr<LedgerSession>> session = LedgerSession::Start(options_, &clock_);
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
  }

  core::Reply Do(core::Command command) {
    std::vector<std::optional<core::Reply>> replies = session_->Do({std::move(command)});
    EXPECT_TRUE(replies[0].has_value()) << session_->fatal();
    return replies[0].value_or(core::Reply());
  }

  void FailNextRead() { files_->Set({.on = Fault::On::kReads, .at = 1, .error = Error::kIo, .lasts = false}); }

  static void ExpectPassing(const absl::Status& status) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("the disk did not give what was asked of it"), HasSubstr("Input/output error"),
                      Not(HasSubstr("rebuild-index")), Not(HasSubstr("damaged"))));
  }

  storage::TemporaryFolder folder_;
  storage::ManualClock clock_;
  std::shared_ptr<LossyFileSystem> files_;
  LedgerSession::Options options_;
  std::unique_ptr<LedgerSession> session_;
};

TEST_F(ReadErrorTest, ARepeatIsRefusedOnceAndThenAnswered) {
  Start();
  FailNextRead();
  const core::Reply refused = Do(storage::ShopPayment("R1"));
  ASSERT_NE(files_->fault_hit(), "");
  ExpectPassing(refused.status);
  EXPECT_THAT(std::string(refused.status.message()),
              AllOf(HasSubstr("was not taken"), HasSubstr("send the same request again")));
  EXPECT_TRUE(session_->goes_on()) << session_->fatal();
  const core::Reply repeated = Do(storage::ShopPayment("R1"));
  ASSERT_TRUE(repeated.status.ok()) << repeated.status;
  EXPECT_TRUE(repeated.repeated);
  EXPECT_EQ(std::get<core::Payment>(repeated.value).id.number(), 6u);
  // And new ones are taken.
  EXPECT_TRUE(Do(storage::ShopPayment("R2")).status.ok());
}

// As long as the disk does not read, nothing that can't be looked up is taken; what needs no look goes on.
TEST_F(ReadErrorTest, ADiskThatReadsNothing) {
  Start();
  const core::PaymentId six = core::PaymentId::FromNumber(6);
  for (int i = 0; i < 3; ++i) {
    FailNextRead();
    ExpectPassing(Do(core::StartCancel{storage::ShopStation(), "", six, std::nullopt}).status);
    EXPECT_TRUE(Do(core::ReadAccount{storage::ShopStation()}).status.ok());
  }
  EXPECT_TRUE(session_->goes_on()) << session_->fatal();
  EXPECT_TRUE(Do(core::StartCancel{storage::ShopStation(), "", six, std::nullopt}).status.ok());
}

// Whichever read of it fails: the verdict is none, and never that something is damaged.
TEST_F(ReadErrorTest, VerifyFindsNoDamage) {
  uint64_t failed = 0;
  for (uint64_t at = 1;; ++at) {
    absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log =
        storage::RocksCommitLog::Open(options_.folder, {.file_system = files_});
    ASSERT_TRUE(log.ok()) << log.status();
    files_->Set({.on = Fault::On::kReads, .at = at, .error = Error::kIo, .lasts = false});
    const absl::StatusOr<storage::VerifyReport> report = storage::Verify(**log, **log);
    const bool hit = !files_->fault_hit().empty();
    files_->ClearFault();
    if (report.ok()) {
      EXPECT_TRUE(report->clean()) << report->faults.front();
    } else {
      ExpectPassing(report.status());
      ++failed;
    }
    if (!hit) break;
  }
  EXPECT_GT(failed, 0u);
}

TEST_F(ReadErrorTest, ARebuildTakesNothingForDamaged) {
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log =
      storage::RocksCommitLog::Open(options_.folder, {.file_system = files_});
  ASSERT_TRUE(log.ok()) << log.status();
  FailNextRead();
  storage::MemoryCommitLog rebuilt;
  ExpectPassing(storage::CopyWithNewRows(**log, &rebuilt).status());
}

}  // namespace
}  // namespace waystation::crash
