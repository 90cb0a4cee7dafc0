#pragma once

#include "switch/ctl/command_line.h"

// Each adds its commands to the tree; one file a group.
namespace waystation::ctl {

// inquire, pay, payment cancel.
void AddCounterCommands(CommandLine& line, CLI::App& payment);
// payment show | list | watch | receipt.
void AddPaymentCommands(CommandLine& line, CLI::App& payment);
// exceptions list | show | resolve | confirm.
void AddExceptionCommands(CommandLine& line);
// station register | list | show | approve | activate | suspend | close.
void AddStationCommands(CommandLine& line);
// account show, credit grant, counter-purchase.
void AddAccountCommands(CommandLine& line);
// biller list | show | enable | disable.
void AddBillerCommands(CommandLine& line);
// day show | close, health.
void AddDayCommands(CommandLine& line);
// journal verify | tail | export.
void AddJournalCommands(CommandLine& line);
// backup list | verify | restore; the others of the group come from AddLiveBackupCommands.
void AddBackupCommands(CommandLine& line);
// backup create | confirm-old-switch-dead.
void AddLiveBackupCommands(CommandLine& line, CLI::App& group);
// status, log-level.
void AddStatusCommands(CommandLine& line);
// top.
void AddTopCommand(CommandLine& line);

}  // namespace waystation::ctl
