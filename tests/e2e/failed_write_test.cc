// A switch whose disk does not take a write, or that aborts: it says what happened and what to do, and every answer
// that it gave is still true afterwards.

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FailedWrite : public SwitchTest {
 protected:
  void Open() {
    ASSERT_NO_FATAL_FAILURE(StartSwitch());
    ASSERT_TRUE(OpenStation(api_, StationNumber(1), 10'000'000'000).ok());
  }

  static v1::PayRequest Request(int n) {
    return PayRequestFor(StationNumber(1), fmt::format("request-{}", n), "mobile", CustomerNumber("mobile", n, 0),
                         2'000);
  }

  // Pays until the switch is gone. Its exit status, as Child has it.
  int PayUntilItEnds() {
    constexpr int kEnough = 20'000;
    for (int n = 0; n < kEnough; ++n) {
      const Answer<v1::PayResponse> paid = Pay(api_, Request(n));
      if (!paid.ok()) break;
      paid_.push_back(paid.value);
    }
    const std::optional<int> status = process_->child().WaitForEnd(kCallLimit);
    EXPECT_TRUE(status.has_value()) << "it goes on";
    return status.value_or(0);
  }

  // Of log files: what RocksDB's is now.
  uint64_t LargestLog() const {
    uint64_t largest = 0;
    for (const auto& entry : std::filesystem::directory_iterator(process_->data_folder() + "/ledger")) {
      if (entry.path().extension() == ".log") largest = std::max<uint64_t>(largest, entry.file_size());
    }
    return largest;
  }

  void ExpectLastWords() const {
    EXPECT_THAT(process_->child().Errors(),
                AllOf(HasSubstr("are safe in " + process_->data_folder()),
                      HasSubstr("will be found out after a restart"), HasSubstr("then start switchd again")));
  }

  // After the start that the last words ask for.
  void ExpectNothingLost() {
    ASSERT_FALSE(paid_.empty());
    api_ = Api();
    const absl::Status started = process_->Start();
    ASSERT_TRUE(started.ok()) << started;
    api_ = process_->Connect();
    for (size_t n = 0; n < paid_.size(); ++n) {
      const Answer<v1::PayResponse> again = Pay(api_, Request(static_cast<int>(n)));
      ASSERT_TRUE(again.ok()) << again.status.error_message();
      EXPECT_EQ(again.value.SerializeAsString(), paid_[n].SerializeAsString());
    }
    EXPECT_TRUE(Stop().ok());
    EXPECT_TRUE(process_->VerifyJournal().ok());
  }

  std::vector<v1::PayResponse> paid_;
};

TEST_F(FailedWrite, ALimitOnTheSizeOfFiles) {
  ASSERT_NO_FATAL_FAILURE(Open());
  constexpr uint64_t kRoom = 40'000;
  const rlimit limit{LargestLog() + kRoom, RLIM_INFINITY};
  ASSERT_EQ(prlimit(process_->child().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  const int status = PayUntilItEnds();
  EXPECT_TRUE(status == EXIT_FAILURE || status == -SIGABRT) << status << process_->child().Errors();
  RecordProperty("exit_status", status);
  ExpectLastWords();
  ExpectNothingLost();
}

TEST_F(FailedWrite, AnAbort) {
  ASSERT_NO_FATAL_FAILURE(Open());
  paid_.push_back(Pay(api_, Request(0)).value);
  process_->child().Signal(SIGABRT);
  EXPECT_EQ(process_->child().WaitForEnd(kCallLimit), -SIGABRT) << "by the signal, as without last words";
  ExpectLastWords();
  ExpectNothingLost();
}

TEST_F(FailedWrite, NoLastWordsWhereItEndsWell) {
  ASSERT_NO_FATAL_FAILURE(Open());
  ASSERT_TRUE(Stop().ok());
  EXPECT_THAT(process_->child().Errors(), Not(HasSubstr("then start switchd again")));
}

}  // namespace
}  // namespace waystation::e2e
