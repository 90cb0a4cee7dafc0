#pragma once

#include <string>

#include "waystation/v1/operations_service.pb.h"

// How OperationsService's answers are written for people.
namespace waystation::ctl {

// A line first that says whether new payments are taken, then the figures.
std::string StatusText(const v1::SwitchStatus& status);

std::string BackupText(const v1::Backup& backup);

std::string LogText(const v1::LogStatus& log);

}  // namespace waystation::ctl
