#include "switch/ctl/account_text.h"

#include "fmt/format.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

std::string SignedText(const v1::Account& account) {
  if (!account.is_signed()) return "no";
  return fmt::format("by {} institution{}, the first {}", account.signing_institution_count(),
                     account.signing_institution_count() == 1 ? "" : "s", account.signing_institution());
}

}  // namespace

std::string AccountDetails(const v1::Account& account) {
  FieldList fields;
  fields.Add("account number", account.account_number());
  fields.Add("station", account.station_id());
  fields.Add("name", account.name());
  fields.AddMoney("balance", account.balance_fen());
  fields.AddMoney("credit limit", account.credit_limit_fen());
  fields.AddMoney("reserved", account.reserved_fen());
  fields.AddMoney("forwarded", account.forwarded_fen());
  fields.AddMoney("available", account.available_fen());
  fields.Add("signed", SignedText(account));
  fields.Add("opened", account.opened_date());
  fields.Add("status", Word(account.status()));
  fields.Add("reason", account.status_reason());
  fields.Add("as of sequence", fmt::format("{}", account.as_of_sequence()));
  return fields.ToString();
}

std::string StationDetails(const v1::Account& account) {
  FieldList fields;
  fields.Add("station", account.station_id());
  fields.Add("name", account.name());
  fields.Add("status", Word(account.status()));
  fields.Add("reason", account.status_reason());
  fields.Add("signed", SignedText(account));
  fields.Add("opened", account.opened_date());
  fields.Add("account number", account.account_number());
  fields.AddMoney("available", account.available_fen());
  return fields.ToString();
}

Table StationTable() {
  return Table({{"station"},
                {"name"},
                {"status"},
                {"balance", Align::kRight},
                {"credit limit", Align::kRight},
                {"held", Align::kRight},
                {"available", Align::kRight},
                {"opened"}});
}

void AddRow(Table& table, const v1::Account& account) {
  table.AddRow({account.station_id(), account.name(), Word(account.status()), Yuan(account.balance_fen()),
                Yuan(account.credit_limit_fen()), Yuan(account.reserved_fen() + account.forwarded_fen()),
                Yuan(account.available_fen()), account.opened_date()});
}

}  // namespace waystation::ctl
