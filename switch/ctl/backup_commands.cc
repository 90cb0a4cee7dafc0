#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "fmt/format.h"
#include "storage/backup.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/journal_text.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

namespace fs = std::filesystem;

struct BackupArguments {
  std::string backup;
  uint32_t id = 0;
  std::string data;     // restore
  std::string scratch;  // verify
};

int64_t Milliseconds(core::TimePoint time) {
  return time.time_since_epoch().count();
}

ExitStatus FailBackup(Session& session, const absl::Status& status) {
  const std::string what(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return session.Fail(ExitStatus::kBadUsage, what, "`switchctl backup list --backup DIR` shows what is there");
    case absl::StatusCode::kFailedPrecondition: return session.Fail(ExitStatus::kBadUsage, what, "name another folder");
    case absl::StatusCode::kDataLoss:
      return session.Fail(ExitStatus::kFault, what,
                          "this backup is damaged: `switchctl backup verify` an older one, and make a new one while "
                          "the ledger is there");
    default:
      return session.Fail(ExitStatus::kFault, what,
                          "see that the disk has room and the folders may be read and written");
  }
}

std::string BackupJson(const storage::Backup& backup) {
  return fmt::format("{{\"id\":{},\"timeMs\":\"{}\",\"bytes\":\"{}\",\"lastSequence\":\"{}\"", backup.id,
                     Milliseconds(backup.time), backup.bytes, backup.last_sequence);
}

ExitStatus List(Session& session, const BackupArguments& arguments) {
  const absl::StatusOr<std::vector<storage::Backup>> backups = storage::ListBackups(arguments.backup);
  if (!backups.ok()) return FailBackup(session, backups.status());
  Table table({{"ID", Align::kRight}, {"MADE (UTC+8)"}, {"LAST SEQUENCE", Align::kRight}, {"MB", Align::kRight}});
  for (const storage::Backup& backup : *backups) {
    if (session.json()) {
      session.out() << BackupJson(backup) << "}\n";
    } else {
      table.AddRow({fmt::format("{}", backup.id), ChinaTime(Milliseconds(backup.time)),
                    fmt::format("{}", backup.last_sequence),
                    fmt::format("{:.1f}", static_cast<double>(backup.bytes) / 1e6)});
    }
  }
  if (!session.json()) session.out() << table.ToString();
  return ExitStatus::kDone;
}

void PrintRestored(Session& session, const storage::RestoredLedger& restored) {
  if (session.json()) {
    std::string verified = VerifyJson(restored.verified);
    verified.pop_back();  // its end of the line
    session.out() << BackupJson(restored.backup) << ",\"verified\":" << verified << "}\n";
    return;
  }
  FieldList fields;
  fields.Add("backup", fmt::format("{}", restored.backup.id));
  fields.Add("made", ChinaTimeWithZone(Milliseconds(restored.backup.time)));
  session.out() << fields.ToString() << VerifyText(restored.verified);
}

ExitStatus FailVerified(Session& session, const storage::RestoredLedger& restored) {
  return session.Fail(ExitStatus::kFault,
                      fmt::format("backup {} holds a damaged ledger; faults: {}, the first: {}", restored.backup.id,
                                  restored.verified.fault_count, restored.verified.faults.front()),
                      "verify an older backup, and the ledger itself with `switchctl journal verify`");
}

// Restores into a folder that goes away again: what can be restored and verified once can be so again.
ExitStatus Verify(Session& session, const BackupArguments& arguments) {
  std::error_code error;
  fs::path parent = arguments.scratch;
  if (parent.empty()) parent = fs::temp_directory_path(error);
  std::string scratch = (parent / "switchctl-verify-XXXXXX").string();
  if (error || ::mkdtemp(scratch.data()) == nullptr) {
    return session.Fail(
        ExitStatus::kFault,
        fmt::format("cannot make the folder \"{}\"; expected a place with room for the whole ledger", scratch),
        "name one with --scratch DIR");
  }
  const absl::StatusOr<storage::RestoredLedger> restored =
      storage::RestoreBackup(arguments.backup, arguments.id, scratch);
  fs::remove_all(scratch, error);
  if (!restored.ok()) return FailBackup(session, restored.status());
  PrintRestored(session, *restored);
  return restored->verified.clean() ? ExitStatus::kDone : FailVerified(session, *restored);
}

ExitStatus Restore(Session& session, const BackupArguments& arguments) {
  const absl::StatusOr<storage::RestoredLedger> restored =
      storage::RestoreBackup(arguments.backup, arguments.id, arguments.data);
  if (!restored.ok()) return FailBackup(session, restored.status());
  PrintRestored(session, *restored);
  if (!restored->verified.clean()) return FailVerified(session, *restored);
  session.err() << fmt::format(
      "restored to leg {}: whatever was answered after it is not in this ledger. A switchd started on \"{}\" answers "
      "reads and sends nothing, until `switchctl backup confirm-old-switch-dead` says that no other switch works on "
      "these accounts; deploy/README.md has the steps\n",
      restored->verified.last_sequence, arguments.data);
  return ExitStatus::kDone;
}

void AddBackupOptions(CLI::App& app, BackupArguments& arguments, bool one) {
  app.add_option("--backup", arguments.backup, "The folder of backups: storage.backup_dir of switchd's configuration")
      ->required()
      ->type_name("DIR");
  if (!one) return;
  app.add_option("--id", arguments.id, "Which backup; left out, the newest")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
}

}  // namespace

void AddBackupCommands(CommandLine& line) {
  CLI::App& group = line.AddGroup("backup", "Make backups of the ledger, prove them, restore one", "The journal");
  AddLiveBackupCommands(line, group);

  auto list = std::make_shared<BackupArguments>();
  AddBackupOptions(line.AddCommand(group,
                                   {"list", "The backups of a folder, oldest first",
                                    "switchctl backup list --backup /var/backups/waystation"},
                                   [list](Session& session) { return List(session, *list); }),
                   *list, false);

  auto verify = std::make_shared<BackupArguments>();
  CLI::App& verify_app =
      line.AddCommand(group,
                      {"verify", "Restore a backup to a scratch folder and verify it; exit status 1 when damaged",
                       "switchctl backup verify --backup /var/backups/waystation\n"
                       "switchctl backup verify --backup /var/backups/waystation --id 12 --scratch /mnt/large"},
                      [verify](Session& session) { return Verify(session, *verify); });
  AddBackupOptions(verify_app, *verify, true);
  verify_app.add_option("--scratch", verify->scratch, "Where there is room for the ledger; default: TMPDIR")
      ->type_name("DIR");

  auto restore = std::make_shared<BackupArguments>();
  CLI::App& restore_app = line.AddCommand(group,
                                          {"restore", "Restore a backup into an empty data folder, and verify it",
                                           "switchctl backup restore --backup /var/backups/waystation --data "
                                           "/var/lib/waystation/ledger"},
                                          [restore](Session& session) { return Restore(session, *restore); });
  AddBackupOptions(restore_app, *restore, true);
  restore_app.add_option("--data", restore->data, "The data folder to restore into; empty, or made when missing")
      ->required()
      ->type_name("DIR");
}

}  // namespace waystation::ctl
