#include "switch/ctl/status_text.h"

#include "fmt/format.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

std::string Megabytes(uint64_t bytes) {
  return fmt::format("{} MB", bytes >> 20);
}

std::string TakesWork(const v1::SwitchStatus& status) {
  if (status.has_restored()) {
    return fmt::format(
        "NO: {}, and not confirmed: only reads are answered; see `switchctl backup confirm-old-switch-dead --help`",
        status.restored().backup_id() == 0 ? "its end was given up" : "restored from a backup");
  }
  if (status.disk().low()) {
    return fmt::format(
        "NO: the disk is nearly full; what is held is gone on with. Free disk space: taken again from {}",
        Megabytes(status.disk().enough_from_bytes()));
  }
  return "yes";
}

std::string Describe(const v1::Backup& backup) {
  return fmt::format("{}, {}, to leg {}, {}", backup.backup_id(), ChinaTimeWithZone(backup.made_at_ms()),
                     backup.last_sequence(), Megabytes(backup.bytes()));
}

}  // namespace

std::string StatusText(const v1::SwitchStatus& status) {
  FieldList fields;
  fields.Add("takes new payments", TakesWork(status));
  if (status.has_restored() && status.restored().backup_id() == 0) {
    fields.Add("given up", fmt::format("all after leg {}", status.restored().last_sequence()));
  } else if (status.has_restored()) {
    const v1::RestoredStatus& restored = status.restored();
    fields.Add("restored from", fmt::format("backup {}, {}, to leg {}", restored.backup_id(),
                                            ChinaTimeWithZone(restored.backup_at_ms()), restored.last_sequence()));
  }
  fields.Add("last sequence", fmt::format("{}", status.last_sequence()));
  fields.Add("disk free", Megabytes(status.disk().free_bytes()));
  fields.Add("low below", Megabytes(status.disk().low_below_bytes()));
  fields.Add("enough from", Megabytes(status.disk().enough_from_bytes()));
  fields.Add("ballast", status.disk().ballast_bytes() == 0 ? "released" : Megabytes(status.disk().ballast_bytes()));
  const v1::BackupStatus& backup = status.backup();
  fields.Add("backup folder", backup.folder().empty() ? "none: storage.backup_dir is not set" : backup.folder());
  if (backup.running_since_ms() != 0) {
    fields.Add("backup running", fmt::format("since {}, {} copied", ChinaTimeWithZone(backup.running_since_ms()),
                                             Megabytes(backup.copied_bytes())));
  }
  if (backup.has_last()) fields.Add("last backup", Describe(backup.last()));
  fields.Add("last backup failed", backup.last_failure());
  fields.Add("log level", Word(status.log().level()));
  if (status.log().lost_lines() > 0) fields.Add("log lines lost", fmt::format("{}", status.log().lost_lines()));
  return fields.ToString();
}

std::string LogText(const v1::LogStatus& log) {
  FieldList fields;
  fields.Add("log level", Word(log.level()));
  fields.Add("lines lost", fmt::format("{}, since the start", log.lost_lines()));
  return fields.ToString();
}

std::string BackupText(const v1::Backup& backup) {
  FieldList fields;
  fields.Add("backup", fmt::format("{}", backup.backup_id()));
  fields.Add("made", ChinaTimeWithZone(backup.made_at_ms()));
  fields.Add("to leg", fmt::format("{}", backup.last_sequence()));
  fields.Add("size", Megabytes(backup.bytes()));
  return fields.ToString();
}

}  // namespace waystation::ctl
