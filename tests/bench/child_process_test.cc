#include "bench/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "bench/temporary_folder.h"

namespace waystation::bench {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

bool Never() {
  return false;
}

class ChildProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::Make(testing::TempDir());
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_ = *std::move(folder);
  }

  std::unique_ptr<ChildProcess> Shell(const std::string& script) {
    auto child = ChildProcess::Start({"/bin/sh", "-c", script}, folder_->path() + "/stderr.log");
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(ChildProcessTest, FindsTheLineAndStopsCleanly) {
  const auto child =
      Shell("trap 'exit 0' TERM; echo something else; echo listening on 127.0.0.1:17; while :; do sleep 0.05; done");
  const auto address = child->WaitForLine("listening on ", seconds(20), Never);
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(*address, "127.0.0.1:17");
  EXPECT_TRUE(child->Stop(seconds(20)).ok());
  EXPECT_TRUE(child->Stop(seconds(20)).ok());
}

TEST_F(ChildProcessTest, AChildThatEndsEarlyIsReportedWithItsStderr) {
  const auto child = Shell("echo the port is taken >&2; exit 3");
  const absl::Status status = child->WaitForLine("listening on ", seconds(20), Never).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit status 3"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the port is taken"));
}

TEST_F(ChildProcessTest, TellsHowAProgramEndedThatWasToEndByItself) {
  EXPECT_TRUE(Shell("exit 0")->WaitForSuccess(seconds(20)).ok());
  const absl::Status status = Shell("echo no such table >&2; exit 3")->WaitForSuccess(seconds(20));
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit status 3"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no such table"));
  const auto slow = Shell("exec sleep 60");
  EXPECT_EQ(slow->WaitForSuccess(std::chrono::milliseconds(100)).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ChildProcessTest, ASilentChildIsGivenUpOnAndKilled) {
  const auto child = Shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
  ASSERT_TRUE(child->WaitForLine("ready", seconds(20), Never).ok());
  EXPECT_EQ(child->WaitForLine("listening on ", std::chrono::milliseconds(200), Never).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(child->Stop(std::chrono::milliseconds(200)).message()), HasSubstr("was killed"));
}

TEST_F(ChildProcessTest, AnEndOtherThanZeroIsAnError) {
  const auto child = Shell("trap 'echo not saved >&2; exit 5' TERM; echo ready; while :; do sleep 0.05; done");
  ASSERT_TRUE(child->WaitForLine("ready", seconds(20), Never).ok());
  const absl::Status status = child->Stop(seconds(20));
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit status 5"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not saved"));
}

TEST_F(ChildProcessTest, AnInterruptionEndsTheWait) {
  const auto child = Shell("exec sleep 60");
  const auto line = child->WaitForLine("listening on ", seconds(60), [] { return true; });
  EXPECT_EQ(line.status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ChildProcessTest, AChildThatIsStoppedAtOnceEndsEvenBeforeItRunsItsProgram) {
  // As switchbench does: without care the child would inherit it and swallow the signal.
  const auto before = std::signal(SIGTERM, [](int) {});
  for (int i = 0; i < 20; ++i) {
    const absl::Status status = Shell("exec sleep 60")->Stop(seconds(20));
    EXPECT_THAT(std::string(status.message()), HasSubstr("was ended by signal 15"));
  }
  std::signal(SIGTERM, before);
}

TEST_F(ChildProcessTest, MuchOutputDoesNotHoldTheChildUp) {
  const auto child = Shell(
      "i=0; while [ $i -lt 20000 ]; do echo a line of some length to fill the pipe with; i=$((i+1)); "
      "done; echo written >&2; exit 4");
  const absl::Status status = child->WaitForLine("listening on ", seconds(60), Never).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("written"));
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereIsNamed) {
  const auto child = ChildProcess::Start({folder_->path() + "/switchd"}, folder_->path() + "/stderr.log");
  EXPECT_THAT(std::string(child.status().message()), HasSubstr("/switchd: No such file"));
}

}  // namespace
}  // namespace waystation::bench
