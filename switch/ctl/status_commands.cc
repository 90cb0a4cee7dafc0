#include <chrono>
#include <memory>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/status_text.h"
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

}  // namespace

void AddStatusCommands(CommandLine& line) {
  line.AddCommand(line.root(),
                  {"status", "Its disk, its backups, and whether it takes new payments", "switchctl status"}, Status)
      .group("The switch");
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
