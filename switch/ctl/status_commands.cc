#include <chrono>
#include <memory>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/status_text.h"
#include "switch/ctl/text_forms.h"
#include "switch/ctl/word_option.h"
#include "waystation/v1/operations_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

// Copying a ledger takes as long as its disk does; --timeout adds to it.
constexpr std::chrono::hours kLongestBackup{24};

struct ConfirmArguments {
  std::string by;
  std::string reason;
};

void Print(Session& session, const v1::SwitchStatus& status) {
  if (session.json()) {
    session.PrintJson(status);
  } else {
    session.out() << StatusText(status);
  }
}

ExitStatus Status(Session& session) {
  v1::SwitchStatus status;
  const ExitStatus called = session.Call(&v1::OperationsService::Stub::GetStatus, v1::GetStatusRequest(), &status);
  if (called == ExitStatus::kDone) Print(session, status);
  return called;
}

ExitStatus Create(Session& session) {
  v1::Backup backup;
  const ExitStatus called = session.Call(&v1::OperationsService::Stub::CreateBackup, v1::CreateBackupRequest(), &backup,
                                         "see with `switchctl status` what became of it", kLongestBackup);
  if (called != ExitStatus::kDone) return called;
  if (session.json()) {
    session.PrintJson(backup);
  } else {
    session.out() << BackupText(backup);
  }
  return called;
}

ExitStatus Confirm(Session& session, const ConfirmArguments& arguments) {
  v1::ConfirmOldSwitchDeadRequest request;
  request.set_confirmed_by(arguments.by);
  request.set_reason(arguments.reason);
  v1::SwitchStatus status;
  const ExitStatus called = session.Call(&v1::OperationsService::Stub::ConfirmOldSwitchDead, request, &status,
                                         "see with `switchctl status` whether it was taken");
  if (called == ExitStatus::kDone) Print(session, status);
  return called;
}

// `word`: null to show the level as it is.
ExitStatus LogLevel(Session& session, const std::optional<std::string>& word) {
  v1::SwitchStatus status;
  v1::LogStatus& log = *status.mutable_log();
  ExitStatus called = ExitStatus::kDone;
  if (word.has_value()) {
    v1::SetLogLevelRequest request;
    request.set_level(*FromWord<v1::LogLevel>(*word));
    called = session.Call(&v1::OperationsService::Stub::SetLogLevel, request, &log,
                          "see with `switchctl log-level` whether it was taken");
  } else {
    called = session.Call(&v1::OperationsService::Stub::GetStatus, v1::GetStatusRequest(), &status);
  }
  if (called != ExitStatus::kDone) return called;
  if (session.json()) {
    session.PrintJson(status.log());
  } else {
    session.out() << LogText(status.log());
  }
  return called;
}

}  // namespace

void AddStatusCommands(CommandLine& line) {
  line.AddCommand(line.root(),
                  {"status", "Its disk, its backups, and whether it takes new payments", "switchctl status"}, Status)
      .group("The switch");
  auto level = std::make_shared<std::optional<std::string>>();
  CLI::App& app = line.AddCommand(line.root(),
                                  {"log-level", "Show the log's level, or set it until the next start",
                                   "switchctl log-level debug\nswitchctl log-level"},
                                  [level](Session& session) { return LogLevel(session, *level); });
  app.group("The switch");
  app.add_option("LEVEL", *level, "debug (each step of each payment), info, warn or error")
      ->check([](const std::string& word) { return FaultOfWord<v1::LogLevel>(word, "level of the log"); });
}

void AddLiveBackupCommands(CommandLine& line, CLI::App& group) {
  line.AddCommand(
      group, {"create", "Make a backup while the switch serves, into storage.backup_dir", "switchctl backup create"},
      Create);
  auto confirm = std::make_shared<ConfirmArguments>();
  CLI::App& app =
      line.AddCommand(group,
                      {"confirm-old-switch-dead", "Have a restored switch send: the one before it is dead for certain",
                       "switchctl backup confirm-old-switch-dead --by 8000000001 --reason "
                       "\"host 7 is unplugged\""},
                      [confirm](Session& session) { return Confirm(session, *confirm); });
  app.add_option("--by", confirm->by, "Who says so, 10 digits; kept in the journal")->required()->type_name("ID");
  app.add_option("--reason", confirm->reason, "How it is known, at most 200 bytes; kept in the journal")
      ->required()
      ->type_name("TEXT");
}

}  // namespace waystation::ctl
