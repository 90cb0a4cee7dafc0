// What an operator runs on the data folder of a switch that is stopped: rebuild-index and accept-end, and a kill in the
// middle of a rebuild.

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "fmt/format.h"
#include "switch/core/clock.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Names that come up in a folder, from now on.
class NewNames {
 public:
  explicit NewNames(const std::string& folder) : file_(inotify_init1(IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(file_, folder.c_str(), IN_CREATE | IN_MOVED_TO), 0);
  }
  NewNames(const NewNames&) = delete;
  NewNames& operator=(const NewNames&) = delete;
  ~NewNames() { close(file_); }

  // False: none that begins so (ends so too, with a '$' behind it) came within kCallLimit.
  bool WaitFor(std::string beginning) {
    const bool whole = beginning.ends_with('$');
    if (whole) beginning.pop_back();
    pollfd wanted = {.fd = file_, .events = POLLIN, .revents = 0};
    alignas(inotify_event) std::array<char, 8'192> buffer;
    while (poll(&wanted, 1, static_cast<int>(std::chrono::milliseconds(kCallLimit).count())) > 0) {
      const ssize_t size = read(file_, buffer.data(), buffer.size());
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        const std::string_view name = event->name;
        if (whole ? name == beginning : name.starts_with(beginning)) return true;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return false;
  }

 private:
  const int file_;
};

class Repair : public SwitchTest {
 protected:
  static constexpr int kPayments = 300;

  // A ledger with payments at rest, its switch stopped.
  void MakeLedger() {
    ASSERT_NO_FATAL_FAILURE(StartSwitch());
    ASSERT_TRUE(OpenStation(api_, StationNumber(1), 1'000'000'000).ok());
    for (int n = 0; n < kPayments; ++n) {
      const Answer<v1::PayResponse> paid = Pay(api_, Request(n));
      ASSERT_EQ(paid.value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED) << paid.status.error_message();
      paid_.push_back(paid.value);
    }
    ASSERT_TRUE(Stop().ok());
  }

  static v1::PayRequest Request(int n) {
    return PayRequestFor(StationNumber(1), fmt::format("request-{}", n), "mobile", CustomerNumber("mobile", n, 0),
                         2'000);
  }

  std::vector<std::string> Command(const std::string& command) const {
    return {"switchctl", "journal", command, "--data", process_->data_folder()};
  }
  Ended Run(std::vector<std::string> command) const {
    return RunToEnd(std::move(command), process_->folder() + "/switchctl.log");
  }
  std::string InData(const std::string& name) const { return process_->data_folder() + "/" + name; }

  // How many of the first `count` payments are answered as they were.
  int StillTrue(int count) {
    int same = 0;
    for (int n = 0; n < count; ++n) {
      const Answer<v1::PayResponse> again = Pay(api_, Request(n));
      same += again.value.SerializeAsString() == paid_[static_cast<size_t>(n)].SerializeAsString() ? 1 : 0;
    }
    return same;
  }

  // It verifies, serves, and has all that was answered.
  void ExpectWhole() {
    const absl::Status verified = process_->VerifyJournal();
    EXPECT_TRUE(verified.ok()) << verified;
    const absl::Status started = process_->Start();
    ASSERT_TRUE(started.ok()) << started;
    api_ = process_->Connect();
    EXPECT_EQ(StillTrue(kPayments), kPayments);
    ASSERT_TRUE(Stop().ok());
  }

  std::vector<v1::PayResponse> paid_;
};

TEST_F(Repair, RebuildIndex) {
  ASSERT_NO_FATAL_FAILURE(MakeLedger());
  const Ended rebuilt = Run(Command("rebuild-index"));
  ASSERT_EQ(rebuilt.exit_status, 0) << rebuilt.errors;
  EXPECT_THAT(rebuilt.output, AllOf(HasSubstr("rebuilt: index and snapshot of "), HasSubstr("it verifies"),
                                    HasSubstr(fs::canonical(InData("ledger.before-rebuild-1")).string())));
  EXPECT_FALSE(fs::exists(InData("ledger.building")));
  ASSERT_NO_FATAL_FAILURE(ExpectWhole());
}

// The files of the tables gone, not the journal's: only a rebuild helps, and the switch says so.
TEST_F(Repair, AnIndexWhoseFilesAreGone) {
  ASSERT_NO_FATAL_FAILURE(MakeLedger());
  // A start writes what it finds in the log into tables, a file for each.
  ASSERT_TRUE(process_->Start().ok());
  ASSERT_TRUE(process_->Stop().ok());
  int removed = 0;
  for (const auto& entry : fs::directory_iterator(InData("ledger"))) {
    if (entry.path().extension() != ".sst") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    // RocksDB notes in each which family it is of.
    if (bytes.find("requests") == bytes.npos) continue;
    fs::remove(entry.path());
    ++removed;
  }
  ASSERT_GT(removed, 0);
  const absl::Status refused = process_->Start();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(InData("ledger") + " can't be opened"), HasSubstr("switchctl journal rebuild-index")));
  const Ended verify = Run(Command("verify"));
  EXPECT_EQ(verify.exit_status, 1);
  EXPECT_THAT(verify.errors, HasSubstr("switchctl journal rebuild-index"));
  ASSERT_EQ(Run(Command("rebuild-index")).exit_status, 0);
  ASSERT_NO_FATAL_FAILURE(ExpectWhole());
}

TEST_F(Repair, NotUnderASwitchThatRuns) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  for (std::vector<std::string> command : {Command("rebuild-index"), Command("accept-end")}) {
    if (command[2] == "accept-end") command.insert(command.end(), {"--last-seq", "1"});
    const Ended refused = Run(command);
    EXPECT_EQ(refused.exit_status, 3) << refused.errors;
    EXPECT_THAT(refused.errors, AllOf(HasSubstr(fmt::format("is in use by process {}", process_->child().pid())),
                                      HasSubstr("stop switchd first")));
  }
  EXPECT_TRUE(Stop().ok());
}

// At each step that leaves a name in the data folder: the ledger that is there afterwards is the old one or the new
// one, whole, and a second rebuild does it.
TEST_F(Repair, AKillInTheMiddleOfARebuild) {
  ASSERT_NO_FATAL_FAILURE(MakeLedger());
  struct Row {
    const char* in;    // a folder in the data folder, which is there by then
    const char* name;  // what comes up in it
  };
  int killed = 0;
  for (const Row& row : {Row{"", "ledger.building"}, Row{"ledger.building", "MANIFEST"}, Row{"ledger.building", "0000"},
                         Row{"", "ledger.before-rebuild"}, Row{"", "ledger$"}}) {
    fs::remove_all(InData("ledger.building"));
    if (*row.in != '\0') {
      // What an earlier kill may have left; the rebuild removes it and makes its own, so the name is waited for twice.
      fs::create_directory(InData(row.in));
    }
    NewNames outer(InData(""));
    Child rebuild(Command("rebuild-index"), process_->folder() + "/killed.log");
    if (*row.in != '\0') {
      ASSERT_TRUE(outer.WaitFor(row.in)) << rebuild.Errors();
      NewNames inner(InData(row.in));
      // It may be there by now.
      bool there = false;
      for (const auto& entry : fs::directory_iterator(InData(row.in))) {
        there = there || entry.path().filename().string().starts_with(row.name);
      }
      ASSERT_TRUE(there || inner.WaitFor(row.name)) << rebuild.Errors();
    } else {
      ASSERT_TRUE(outer.WaitFor(row.name)) << rebuild.Errors();
    }
    rebuild.Signal(SIGKILL);
    const std::optional<int> status = rebuild.WaitForEnd(kCallLimit);
    ASSERT_TRUE(status.has_value());
    killed += status == -SIGKILL ? 1 : 0;
    SCOPED_TRACE(fmt::format("killed at {}/{}", row.in, row.name));
    ASSERT_NO_FATAL_FAILURE(ExpectWhole());
    const Ended again = Run(Command("rebuild-index"));
    EXPECT_EQ(again.exit_status, 0) << again.errors;
    ASSERT_NO_FATAL_FAILURE(ExpectWhole());
  }
  EXPECT_GE(killed, 3) << "kills that came before the end";
}

// RocksDB's log loses its end: the start is refused until a person gives the rest up.
TEST_F(Repair, AcceptEnd) {
  ASSERT_NO_FATAL_FAILURE(MakeLedger());
  for (const auto& entry : fs::directory_iterator(InData("ledger"))) {
    if (entry.path().extension() == ".log") fs::resize_file(entry.path(), entry.file_size() / 2);
  }
  ASSERT_FALSE(process_->Start().ok());
  const Ended tail = Run({"switchctl", "journal", "tail", "--data", process_->data_folder(), "-n", "1"});
  ASSERT_EQ(tail.exit_status, 0) << tail.errors;
  const size_t at = tail.output.find("\"sequence\":\"");
  ASSERT_NE(at, std::string::npos) << tail.output;
  const uint64_t end = std::stoull(tail.output.substr(at + 12));
  const auto accept = [&](uint64_t sequence) {
    std::vector<std::string> command = Command("accept-end");
    command.insert(command.end(), {"--last-seq", std::to_string(sequence)});
    return Run(command);
  };
  const Ended wrong = accept(end + 1);
  EXPECT_EQ(wrong.exit_status, 3);
  EXPECT_THAT(wrong.errors, HasSubstr(fmt::format("the journal ends at leg {}, not at {}", end, end + 1)));
  EXPECT_FALSE(fs::exists(InData("high_water.given-up-1")));
  const Ended accepted = accept(end);
  ASSERT_EQ(accepted.exit_status, 0) << accepted.errors;
  EXPECT_THAT(accepted.output, AllOf(HasSubstr(fmt::format("the journal's end at leg {} is taken for right", end)),
                                     HasSubstr(fs::canonical(InData("high_water.given-up-1")).string())));
  EXPECT_TRUE(process_->VerifyJournal().ok());
  EXPECT_EQ(accept(end).exit_status, 3) << "nothing is left to give up";

  // Numbers that were given up are never given again, and nothing is sent before somebody has confirmed it.
  ASSERT_TRUE(process_->Start().ok());
  api_ = process_->Connect();
  const v1::PayRequest request =
      PayRequestFor(StationNumber(1), "after", "mobile", CustomerNumber("mobile", 7, 0), 2'000);
  EXPECT_EQ(Pay(api_, request).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const std::vector<std::string> status_command{"switchctl", "status", "--address", process_->address()};
  const Ended restricted = Run(status_command);
  EXPECT_THAT(restricted.output, AllOf(HasSubstr("NO: its end was given up, and not confirmed"),
                                       HasSubstr(fmt::format("all after leg {}", end))));
  const auto before_ms = static_cast<uint64_t>(core::SystemClock().Now().time_since_epoch().count());
  const Ended confirmed = Run({"switchctl", "backup", "confirm-old-switch-dead", "--by", "8000000001", "--reason",
                               "it is this one", "--address", process_->address()});
  EXPECT_EQ(confirmed.exit_status, 0) << confirmed.errors;
  const v1::Payment paid = Pay(api_, request).value.payment();
  EXPECT_EQ(paid.state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_GT(std::stoull(paid.payment_id()), before_ms * 1'000);
  EXPECT_TRUE(Stop().ok());
  EXPECT_TRUE(process_->VerifyJournal().ok());
  // The last legs, though numbers were passed over between them.
  const Ended last = Run({"switchctl", "journal", "tail", "--data", process_->data_folder(), "-n", "20"});
  EXPECT_EQ(std::count(last.output.begin(), last.output.end(), '\n'), 20) << last.output;
  EXPECT_THAT(last.output, AllOf(HasSubstr("journalResumed"), HasSubstr(fmt::format("\"sequence\":\"{}\"", end))));
}

// The mark alone is lost; nothing else is.
TEST_F(Repair, AcceptEndWhereTheMarkIsGone) {
  ASSERT_NO_FATAL_FAILURE(MakeLedger());
  fs::remove(InData("high_water"));
  const absl::Status refused = process_->Start();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()), HasSubstr("accept-end"));
  const std::string text(refused.message());
  const size_t at = text.find("it ends at leg ");
  ASSERT_NE(at, std::string::npos) << text;
  std::vector<std::string> command = Command("accept-end");
  command.insert(command.end(), {"--last-seq", std::to_string(std::stoull(text.substr(at + 15)))});
  const Ended accepted = Run(command);
  ASSERT_EQ(accepted.exit_status, 0) << accepted.errors;
  EXPECT_THAT(accepted.output, HasSubstr("there was no high-water mark"));
  EXPECT_TRUE(process_->VerifyJournal().ok());
  ASSERT_TRUE(process_->Start().ok());
  ASSERT_TRUE(process_->Stop().ok());
}

}  // namespace
}  // namespace waystation::e2e
