// Starts that must fail: a clear error, an exit status that is not 0, and nothing harmed.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Startup : public SwitchTest {
 protected:
  // What a start with `options` ends with; it must fail.
  static std::string ErrorsOfStart(SwitchOptions options) {
    absl::StatusOr<std::unique_ptr<SwitchProcess>> other = SwitchProcess::Make(std::move(options));
    if (!other.ok()) return other.status().ToString();
    return ErrorsOfStart((*other)->configuration(), (*other)->folder());
  }

  static std::string ErrorsOfStart(const std::string& configuration, const std::string& folder) {
    const Ended ended = RunToEnd({"switchd", "--config", configuration}, folder + "/refused.log");
    EXPECT_EQ(ended.exit_status, EXIT_FAILURE) << ended.errors;
    EXPECT_EQ(ended.output, "");
    return ended.errors;
  }

  // RocksDB's log files, by name.
  std::map<std::string, std::string> Logs() const {
    std::map<std::string, std::string> logs;
    for (const auto& entry : std::filesystem::directory_iterator(process_->data_folder() + "/ledger")) {
      if (entry.path().extension() == ".log") logs[entry.path().filename()] = ReadWhole(entry.path());
    }
    EXPECT_FALSE(logs.empty());
    return logs;
  }

  // Where `text` stands in the ledger's files. How many of them have it.
  int ChangeALetter(const std::string& text) const {
    int changed = 0;
    for (const auto& entry : std::filesystem::directory_iterator(process_->data_folder() + "/ledger")) {
      std::string bytes = entry.is_regular_file() ? ReadWhole(entry.path()) : "";
      const size_t at = bytes.find(text);
      if (at == bytes.npos) continue;
      bytes[at] ^= 0x20;
      std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << bytes;
      ++changed;
    }
    return changed;
  }

  // By switchd, which says what to do, and by verify.
  void ExpectRefused(const std::string& fault) const {
    const std::string errors = ErrorsOfStart(process_->configuration(), process_->folder());
    EXPECT_THAT(errors, HasSubstr(process_->data_folder()));
    EXPECT_THAT(errors, HasSubstr(fault));
    EXPECT_THAT(errors, HasSubstr("restore the newest backup"));
    EXPECT_FALSE(process_->VerifyJournal().ok());
  }

  // The running switch still does its work, also after a restart.
  void ExpectUnharmed() {
    const v1::PayRequest request =
        PayRequestFor(StationNumber(1), "after", "mobile", CustomerNumber("mobile", 1, 0), 5'000);
    ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
    const Answer<v1::PayResponse> paid = Pay(api_, request);
    EXPECT_EQ(paid.value.payment().state(), v1::PAYMENT_STATE_SUCCEEDED) << paid.status.error_message();
    ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
    EXPECT_EQ(Pay(api_, request).value.SerializeAsString(), paid.value.SerializeAsString());
    EXPECT_TRUE(Stop().ok());
    EXPECT_TRUE(process_->VerifyJournal().ok());
  }
};

TEST_F(Startup, ASecondSwitchOnTheSameFolder) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  SwitchOptions same;
  same.data_folder = process_->data_folder();
  const std::string errors = ErrorsOfStart(same);
  EXPECT_THAT(errors, HasSubstr(fmt::format("storage.data_dir: {} is in use by process {};", same.data_folder,
                                            process_->child().pid())));
  ExpectUnharmed();
}

TEST_F(Startup, ADataFolderThatCannotBeWritten) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  SwitchOptions under_a_file;
  under_a_file.data_folder = process_->configuration() + "/data";
  EXPECT_THAT(ErrorsOfStart(under_a_file), HasSubstr("storage.data_dir: " + under_a_file.data_folder));
  SwitchOptions a_file;
  a_file.data_folder = process_->configuration();
  EXPECT_THAT(ErrorsOfStart(a_file), HasSubstr("storage.data_dir: " + a_file.data_folder));
  // There, and not even root can make a file in it.
  SwitchOptions read_only;
  read_only.data_folder = "/proc";
  EXPECT_THAT(ErrorsOfStart(read_only), HasSubstr("storage.data_dir: /proc can't be written"));
  SwitchOptions below_read_only;
  below_read_only.data_folder = "/proc/ledger";
  EXPECT_THAT(ErrorsOfStart(below_read_only), HasSubstr("storage.data_dir: /proc/ledger"));
  ExpectUnharmed();
}

TEST_F(Startup, ABadConfiguration) {
  struct Row {
    const char* yaml;
    const char* error;
  };
  const Row rows[] = {
      {"workerz:\n  threads: 1\n", "workerz"},
      {"log:\n  levle: info\n", "log.levle"},
      {"log:\n  level: loud\n", "expected one of debug, info, warn, error"},
      {"log: [\n", ""},
  };
  for (const Row& row : rows) {
    SwitchOptions options;
    options.more_yaml = row.yaml;
    absl::StatusOr<std::unique_ptr<SwitchProcess>> other = SwitchProcess::Make(options);
    ASSERT_TRUE(other.ok());
    const std::string errors = ErrorsOfStart((*other)->configuration(), (*other)->folder());
    EXPECT_THAT(errors, StartsWith("switchd: " + (*other)->configuration() + ":"));
    EXPECT_THAT(errors, HasSubstr(row.error));
    EXPECT_FALSE(std::filesystem::exists((*other)->data_folder())) << "a refused configuration made the data folder";
  }
  SwitchOptions open_door;
  open_door.address = "0.0.0.0:0";
  EXPECT_THAT(ErrorsOfStart(open_door), HasSubstr("listen.address: 0.0.0.0 is not loopback"));
}

TEST_F(Startup, AConfigurationThatIsNotThere) {
  absl::StatusOr<std::unique_ptr<SwitchProcess>> other = SwitchProcess::Make();
  ASSERT_TRUE(other.ok());
  const std::string missing = (*other)->folder() + "/missing.yaml";
  EXPECT_THAT(ErrorsOfStart(missing, (*other)->folder()), HasSubstr(missing + ": can't be opened"));
}

TEST_F(Startup, ArgumentsThatAreNotThoseOfSwitchd) {
  absl::StatusOr<std::unique_ptr<SwitchProcess>> other = SwitchProcess::Make();
  ASSERT_TRUE(other.ok());
  const std::string log = (*other)->folder() + "/usage.log";
  for (const auto& [arguments, fault] : std::map<std::vector<std::string>, std::string>{
           {{"switchd"}, "--config is required"},
           {{"switchd", "--config", (*other)->configuration(), "--chek"}, "--chek"},
           {{"switchd", "--config"}, "--config"}}) {
    const Ended ended = RunToEnd(arguments, log);
    EXPECT_EQ(ended.exit_status, 2) << ended.errors;
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.errors, StartsWith("switchd: "));
    EXPECT_THAT(ended.errors, HasSubstr(fault));
    EXPECT_THAT(ended.errors, HasSubstr("next: start it with switchd --config FILE"));
  }
  const Ended help = RunToEnd({"switchd", "--help"}, log);
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.output, HasSubstr("--check"));
}

TEST_F(Startup, APortThatIsTaken) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  SwitchOptions options;
  options.address = process_->address();
  EXPECT_THAT(ErrorsOfStart(options), HasSubstr("listen.address: " + process_->address() + " can't be listened on"));
  ExpectUnharmed();
}

TEST_F(Startup, APortForMetricsThatIsTaken) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  SwitchOptions options;
  options.more_yaml = fmt::format("metrics: {{address: \"{}\"}}", process_->address());
  EXPECT_THAT(ErrorsOfStart(options), HasSubstr("metrics.address: " + process_->address() + " can't be listened on"));
  ExpectUnharmed();
}

// One letter in each file that holds the journal.
TEST_F(Startup, ADamagedJournalIsRefusedAndKept) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  // A start writes what it finds in the log into tables.
  ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
  ASSERT_TRUE(Stop().ok());
  ASSERT_GT(ChangeALetter("Corner shop " + StationNumber(1)), 0);
  ExpectRefused("can't be recovered");
}

// The same while it is in RocksDB's log only, whose replay ends at the damage without a word.
TEST_F(Startup, ADamagedLogIsRefusedAndKept) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  ASSERT_TRUE(Stop().ok());
  ASSERT_GT(ChangeALetter("Corner shop " + StationNumber(1)), 0);
  const std::map<std::string, std::string> logs = Logs();
  ExpectRefused("legs are missing");
  for (const auto& [name, bytes] : logs) {
    EXPECT_EQ(ReadWhole(process_->data_folder() + "/ledger.log-before-start/" + name), bytes);
  }
  // It does not get used to it.
  ExpectRefused("legs are missing");
}

TEST_F(Startup, ALogThatLostItsEndIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  ASSERT_TRUE(Stop().ok());
  for (const auto& [name, bytes] : Logs()) {
    std::filesystem::resize_file(process_->data_folder() + "/ledger/" + name, bytes.size() / 2);
  }
  ExpectRefused("legs are missing");
}

TEST_F(Startup, AnEmptiedLedgerIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  ASSERT_TRUE(Stop().ok());
  std::filesystem::remove_all(process_->data_folder() + "/ledger");
  ExpectRefused("the journal ends at leg 0, but leg ");
}

// Whether legs were lost can't be told then. A person may decide that none were.
TEST_F(Startup, AHighWaterMarkThatIsGoneIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  ASSERT_TRUE(Stop().ok());
  const std::string mark = process_->data_folder() + "/high_water";
  std::filesystem::remove(mark);
  ExpectRefused("the file high_water is gone");
  EXPECT_THAT(ErrorsOfStart(process_->configuration(), process_->folder()), HasSubstr("switchctl journal accept-end"));
  EXPECT_FALSE(std::filesystem::exists(mark));
}

// Killed before the first leg was followed by a mark: it is there already.
TEST_F(Startup, AFreshLedgerHasAMarkBeforeItsFirstLeg) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  EXPECT_TRUE(std::filesystem::exists(process_->data_folder() + "/high_water"));
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  ExpectUnharmed();
}

TEST_F(Startup, ADamagedHighWaterMarkIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
  ASSERT_TRUE(Stop().ok());
  const std::string mark = process_->data_folder() + "/high_water";
  std::ofstream(mark, std::ios::trunc) << "nonsense";
  ExpectRefused(mark + ": none of its 2 slots is whole");
}

}  // namespace
}  // namespace waystation::e2e
