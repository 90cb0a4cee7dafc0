// A backup made under load, the switch killed, the backup restored: it verifies, has every answer given before, sends
// nothing until a person confirms that the old switch is dead, and then goes on.

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "switch/core/clock.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr grpc::StatusCode kPrecondition = grpc::StatusCode::FAILED_PRECONDITION;

Answer<v1::Backup> CreateBackup(const Api& api) {
  return Call(api.operations.get(), &v1::OperationsService::Stub::CreateBackup, v1::CreateBackupRequest());
}

v1::SwitchStatus StatusOf(const Api& api) {
  return Call(api.operations.get(), &v1::OperationsService::Stub::GetStatus, v1::GetStatusRequest()).value;
}

Answer<v1::SwitchStatus> Confirm(const Api& api) {
  v1::ConfirmOldSwitchDeadRequest request;
  request.set_confirmed_by("8000000001");
  request.set_reason("it was killed by this test");
  return Call(api.operations.get(), &v1::OperationsService::Stub::ConfirmOldSwitchDead, request);
}

uint64_t Number(const std::string& payment_id) {
  return std::stoull(payment_id);
}

uint64_t NowMs() {
  return static_cast<uint64_t>(core::SystemClock().Now().time_since_epoch().count());
}

// Payments of several stations, until told to stop; each answer is kept with its request.
class Load {
 public:
  struct Entry {
    v1::PayRequest request;
    v1::Payment answer;
  };

  Load(const SwitchProcess& process, int stations) {
    for (int station = 0; station < stations; ++station) {
      threads_.emplace_back([this, station, api = process.Connect()] { Run(api, station); });
    }
  }
  ~Load() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  void WaitForAnswers(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(answered_.wait_for(lock, kCallLimit, [&] { return entries_.size() >= count; }));
  }
  std::vector<Entry> entries() {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  void Run(const Api& api, int station) {
    for (int i = 0; !stopping_; ++i) {
      const v1::PayRequest request = PayRequestFor(StationNumber(station), fmt::format("r{}", i), "mobile",
                                                   CustomerNumber("mobile", i % 1'000, 0), 2'000);
      const Answer<v1::PayResponse> answer = Pay(api, request);
      if (!answer.ok()) return;  // killed
      const std::lock_guard lock(mutex_);
      entries_.push_back({request, answer.value.payment()});
      answered_.notify_all();
    }
  }

  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

class Backups : public SwitchTest {
 protected:
  Ended Ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "switchctl");
    return RunToEnd(std::move(arguments), process_->folder() + "/switchctl.log");
  }

  std::string backups() const { return process_->folder() + "/backups"; }

  // A switch on what `restore` gives; the old one's folder stays for as long.
  void StartRestored(SwitchOptions options) {
    const std::string data = process_->folder() + "/restored";
    const Ended restored = Ctl({"backup", "restore", "--backup", backups(), "--data", data});
    ASSERT_EQ(restored.exit_status, 0) << restored.output << restored.errors;
    const Ended verified = Ctl({"journal", "verify", "--data", data});
    ASSERT_EQ(verified.exit_status, 0) << verified.output << verified.errors;
    old_ = std::move(process_);
    options.data_folder = data;
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  }

  std::unique_ptr<SwitchProcess> old_;
};

TEST_F(Backups, UnderLoadKilledRestoredConfirmed) {
  constexpr int kStations = 4;
  SwitchOptions patient;  // what is unknown stays so
  patient.first_query_after_ms = 60'000;
  patient.longest_interval_ms = 60'000;
  patient.time_limit_ms = 200;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(patient));
  for (int i = 0; i <= kStations; ++i) ASSERT_TRUE(OpenStation(api_, StationNumber(i), 1'000'000'000).ok());
  // Its biller stays silent, and says on being asked later that it was paid.
  const std::string silent_station = StationNumber(kStations);
  v1::PayRequest unheard = PayRequestFor(silent_station, "silent", "mobile", CustomerNumber("mobile", 1, 96), 5'000);
  unheard.set_wait_ms(0);
  const v1::Payment silent = Pay(api_, unheard).value.payment();
  ASSERT_TRUE(Watch(api_, silent_station, 0).WaitFor(silent.payment_id(), v1::PAYMENT_STATE_UNKNOWN));

  Load load(*process_, kStations);
  load.WaitForAnswers(200);
  const std::vector<Load::Entry> before = load.entries();
  const Answer<v1::Backup> backup = CreateBackup(api_);
  ASSERT_TRUE(backup.ok()) << backup.status.error_message();
  EXPECT_EQ(backup.value.backup_id(), 1U);
  load.WaitForAnswers(load.entries().size() + 100);  // it went on serving, and is killed under load
  process_->Kill();
  load.Stop();
  const Ended verified = Ctl({"backup", "verify", "--backup", backups()});
  EXPECT_EQ(verified.exit_status, 0) << verified.errors;
  EXPECT_THAT(verified.output, AllOf(HasSubstr("last sequence"), ::testing::ContainsRegex("result +clean")));

  SwitchOptions eager;
  ASSERT_NO_FATAL_FAILURE(StartRestored(eager));
  const uint64_t restored_at = StatusOf(api_).restored().last_sequence();
  EXPECT_GE(restored_at, backup.value.last_sequence());
  // Reads are answered, and have every answer that was given before the backup; so has a repeat.
  for (const Load::Entry& entry : before) {
    const Answer<v1::Payment> read = GetPayment(api_, entry.answer.payment_id());
    ASSERT_TRUE(read.ok()) << read.status.error_message();
    ASSERT_EQ(read.value.SerializeAsString(), entry.answer.SerializeAsString());
  }
  EXPECT_EQ(Pay(api_, before.front().request).value.payment().SerializeAsString(),
            before.front().answer.SerializeAsString());

  const auto expect_read_only = [&] {
    const v1::PayRequest fresh =
        PayRequestFor(StationNumber(0), "new", "mobile", CustomerNumber("mobile", 2, 0), 2'000);
    const Answer<v1::PayResponse> pay = Pay(api_, fresh);
    EXPECT_EQ(pay.status.error_code(), kPrecondition);
    EXPECT_THAT(pay.status.error_message(), HasSubstr("switchctl backup confirm-old-switch-dead"));
    EXPECT_EQ(Cancel(api_, before.front().request.station_id(), before.front().answer.payment_id()).status.error_code(),
              kPrecondition);
    EXPECT_EQ(Inquire(api_, StationNumber(0), "gas", CustomerNumber("gas", 1, 0)).status.error_code(), kPrecondition);
    EXPECT_EQ(Purchase(api_, StationNumber(0), "p-new", 50'000).status.error_code(), kPrecondition);
    EXPECT_EQ(SetBillerStatus(api_, "gas", v1::BILLER_STATUS_DISABLED).status.error_code(), kPrecondition);
    EXPECT_EQ(CloseDay(api_, "2026-11-20").status.error_code(), kPrecondition);
    EXPECT_EQ(GetPayment(api_, silent.payment_id()).value.state(), v1::PAYMENT_STATE_UNKNOWN);
    EXPECT_EQ(StatusOf(api_).last_sequence(), restored_at) << "something was written";
  };
  expect_read_only();
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  expect_read_only();

  // What a crash leaves between the leg that resumes the journal and the end of the restriction: it is confirmed again.
  const std::string marker = process_->data_folder() + "/restored";
  std::filesystem::copy_file(marker, marker + ".kept");
  ASSERT_TRUE(Confirm(api_).ok());
  process_->Kill();
  std::filesystem::rename(marker + ".kept", marker);
  ASSERT_TRUE(process_->Start().ok());
  api_ = process_->Connect();
  EXPECT_TRUE(StatusOf(api_).has_restored());
  const uint64_t before_confirmation_ms = NowMs();
  const Ended confirmed = Ctl({"backup", "confirm-old-switch-dead", "--by", "8000000001", "--reason", "killed by us",
                               "--address", process_->address()});
  EXPECT_EQ(confirmed.exit_status, 0) << confirmed.errors;
  EXPECT_TRUE(Watch(api_, silent_station, 0).WaitFor(silent.payment_id(), v1::PAYMENT_STATE_SUCCEEDED));
  EXPECT_EQ(Pay(api_, before.back().request).value.payment().SerializeAsString(),
            before.back().answer.SerializeAsString());
  const v1::PayRequest fresh = PayRequestFor(StationNumber(0), "new", "mobile", CustomerNumber("mobile", 2, 0), 2'000);
  const v1::Payment paid = Pay(api_, fresh).value.payment();
  EXPECT_EQ(paid.state(), v1::PAYMENT_STATE_SUCCEEDED);
  // No id is given again, whatever the switch did between its backup and its death.
  EXPECT_GT(Number(paid.payment_id()), 1'000 * before_confirmation_ms);
  for (const Load::Entry& entry : load.entries()) EXPECT_LT(Number(entry.answer.payment_id()), restored_at + 1'000'000);
  EXPECT_EQ(GetPayment(api_, paid.payment_id()).value.SerializeAsString(), paid.SerializeAsString());
  // Who has seen more of the former life than there is left of it is told so, and not shown something else.
  Watch ahead(api_, silent_station, restored_at + 3);
  EXPECT_FALSE(ahead.Next().has_value());
  const grpc::Status told = ahead.Finish();
  EXPECT_EQ(told.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_THAT(told.error_message(), HasSubstr("before it was restored"));
  EXPECT_FALSE(StatusOf(api_).has_restored());
  EXPECT_EQ(Confirm(api_).status.error_code(), kPrecondition) << "there is nothing left to confirm";
  ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
  EXPECT_FALSE(StatusOf(api_).has_restored());
  EXPECT_TRUE(Stop().ok());
  const Ended exported =
      Ctl({"journal", "export", "--data", process_->data_folder(), "--from-seq", fmt::format("{}", restored_at + 1)});
  EXPECT_THAT(exported.output,
              HasSubstr("\"journalResumed\":{\"confirmedBy\":\"8000000001\",\"reason\":\"killed by us\"}"));
  EXPECT_TRUE(process_->VerifyJournal().ok());
}

TEST_F(Backups, OneAtATime) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  constexpr int kCallers = 8;
  std::vector<Answer<v1::Backup>> answers(kCallers);
  std::vector<std::thread> callers;
  for (Answer<v1::Backup>& answer : answers) {
    callers.emplace_back([&answer, api = process_->Connect()] { answer = CreateBackup(api); });
  }
  for (std::thread& caller : callers) caller.join();
  std::set<uint32_t> ids;
  for (const Answer<v1::Backup>& answer : answers) {
    if (answer.ok()) {
      EXPECT_TRUE(ids.insert(answer.value.backup_id()).second);
    } else {
      EXPECT_EQ(answer.status.error_code(), kPrecondition);
      EXPECT_THAT(answer.status.error_message(), HasSubstr("a backup is being made"));
    }
  }
  ASSERT_FALSE(ids.empty());
  EXPECT_EQ(StatusOf(api_).backup().last().backup_id(), *ids.rbegin());
  const Ended listed = Ctl({"backup", "list", "--backup", backups(), "--json"});
  EXPECT_EQ(static_cast<size_t>(std::count(listed.output.begin(), listed.output.end(), '\n')), ids.size());
}

TEST_F(Backups, OneThatAKillCutsShortIsNotThereAndTheNextIs) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 1'000'000'000).ok());
  for (int i = 0; i < 3; ++i) {
    Answer<v1::Backup> cut_short;
    std::thread caller([&cut_short, api = process_->Connect()] { cut_short = CreateBackup(api); });
    // The kill comes somewhere within it, or just behind.
    for (v1::BackupStatus now; now.running_since_ms() == 0 && !now.has_last();) now = StatusOf(api_).backup();
    process_->Kill();
    caller.join();
    const absl::Status started = process_->Start();
    ASSERT_TRUE(started.ok()) << started;
    api_ = process_->Connect();
    const Answer<v1::Backup> next = CreateBackup(api_);
    ASSERT_TRUE(next.ok()) << next.status.error_message();
    if (cut_short.ok()) {
      EXPECT_GT(next.value.backup_id(), cut_short.value.backup_id());
    }
    const Ended verified = Ctl({"backup", "verify", "--backup", backups()});
    EXPECT_EQ(verified.exit_status, 0) << verified.output << verified.errors;
    EXPECT_THAT(verified.output, ::testing::ContainsRegex(fmt::format("backup +{}\n", next.value.backup_id())));
    ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));  // forgets that it has made one
  }
}

TEST_F(Backups, WithoutAFolderForThemAreRefused) {
  SwitchOptions options;
  options.with_backups = false;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  const Answer<v1::Backup> refused = CreateBackup(api_);
  EXPECT_EQ(refused.status.error_code(), kPrecondition);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("storage.backup_dir"));
}

TEST_F(Backups, AFolderThatCantBeWrittenFailsTheBackupAlone) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  std::ofstream(backups()) << "a file, not a folder";
  const Answer<v1::Backup> failed = CreateBackup(api_);
  EXPECT_EQ(failed.status.error_code(), kPrecondition);
  EXPECT_THAT(failed.status.error_message(), HasSubstr(backups()));
  EXPECT_THAT(StatusOf(api_).backup().last_failure(), HasSubstr(backups()));
  std::filesystem::remove(backups());
  EXPECT_TRUE(CreateBackup(api_).ok());
  EXPECT_EQ(StatusOf(api_).backup().last_failure(), "");
}

TEST_F(Backups, ARestoreThatBrokeOffIsNotStartedOn) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(Stop().ok());
  std::ofstream(process_->data_folder() + "/restored")
      << "waystation_restored: 1\ncomplete: 0\nbackup_id: 3\nbackup_time_ms: 0\nlast_sequence: 0\n";
  const absl::Status refused = process_->Start();
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(
      std::string(refused.message()),
      AllOf(HasSubstr("a restore in it that did not come to its end, of backup 3"), HasSubstr("backup restore")));
}

}  // namespace
}  // namespace waystation::e2e
