#pragma once

#include <string>

#include "switch/ctl/table.h"
#include "waystation/v1/account_service.pb.h"

// Stations and their accounts as people read them.
namespace waystation::ctl {

// Every field of the account inquiry.
std::string AccountDetails(const v1::Account& account);

// The station's side of it: who it is, how it stands, who signed.
std::string StationDetails(const v1::Account& account);

// One row a station.
Table StationTable();
void AddRow(Table& table, const v1::Account& account);

}  // namespace waystation::ctl
