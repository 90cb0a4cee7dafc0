#include <algorithm>
#include <memory>
#include <vector>

#include "fmt/format.h"
#include "switch/ctl/account_text.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/text_forms.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

constexpr uint32_t kPageSize = 500;

struct RegisterArguments {
  std::string station, name;
  std::vector<std::string> signed_by;
  bool activate = false;
};

struct ListArguments {
  // 0: all.
  uint64_t limit = 0;
};

struct StationArguments {
  std::string station, reason;
};

ExitStatus SetStatus(Session& session, const std::string& station, v1::StationStatus status, const std::string& reason,
                     v1::Account* account) {
  v1::SetStationStatusRequest request;
  request.set_station_id(station);
  request.set_status(status);
  request.set_reason(reason);
  return session.Call(&v1::AdminService::Stub::SetStationStatus, request, account);
}

void Print(Session& session, const v1::Account& account) {
  if (session.json()) {
    session.PrintJson(account);
  } else {
    session.out() << StationDetails(account);
  }
}

// Takes a station that is new, or half-way there, to ACTIVE; one that was suspended or closed was so for a reason.
ExitStatus WalkToActive(Session& session, v1::Account* account) {
  if (account->status() == v1::STATION_STATUS_SUSPENDED || account->status() == v1::STATION_STATUS_CLOSED) {
    return session.Fail(
        ExitStatus::kRefused,
        fmt::format("station {} is {}; expected a new one to activate", account->station_id(), Word(account->status())),
        "`station show` says why; a suspended one returns with `station activate`");
  }
  if (account->status() == v1::STATION_STATUS_APPLIED) {
    const ExitStatus approved =
        SetStatus(session, account->station_id(), v1::STATION_STATUS_APPROVED, account->status_reason(), account);
    if (approved != ExitStatus::kDone) return approved;
  }
  if (account->status() == v1::STATION_STATUS_ACTIVE) return ExitStatus::kDone;
  return SetStatus(session, account->station_id(), v1::STATION_STATUS_ACTIVE, account->status_reason(), account);
}

ExitStatus Register(Session& session, const RegisterArguments& arguments) {
  v1::RegisterStationRequest request;
  request.set_station_id(arguments.station);
  request.set_name(arguments.name);
  for (const std::string& institution : arguments.signed_by) request.add_signing_institutions(institution);
  v1::Account account;
  const ExitStatus registered = session.Call(&v1::AdminService::Stub::RegisterStation, request, &account);
  if (registered != ExitStatus::kDone) return registered;
  const ExitStatus walked = arguments.activate ? WalkToActive(session, &account) : ExitStatus::kDone;
  Print(session, account);
  return walked;
}

ExitStatus List(Session& session, const ListArguments& arguments) {
  v1::ListStationsRequest request;
  request.set_page_size(arguments.limit == 0 ? kPageSize
                                             : static_cast<uint32_t>(std::min<uint64_t>(arguments.limit, kPageSize)));
  Table table = StationTable();
  uint64_t listed = 0;
  bool more = true;
  while (more) {
    v1::ListStationsResponse page;
    const ExitStatus called = session.Call(&v1::AdminService::Stub::ListStations, request, &page);
    if (called != ExitStatus::kDone) return called;
    for (const v1::Account& account : page.stations()) {
      if (arguments.limit != 0 && listed == arguments.limit) break;
      ++listed;
      if (session.json()) {
        session.PrintJson(account);
      } else {
        AddRow(table, account);
      }
    }
    more = !page.next_page_token().empty() && (arguments.limit == 0 || listed < arguments.limit);
    request.set_page_token(page.next_page_token());
  }
  if (!session.json()) session.out() << table.ToString() << fmt::format("{} stations; amounts in yuan\n", listed);
  return ExitStatus::kDone;
}

ExitStatus Show(Session& session, const StationArguments& arguments) {
  v1::GetAccountRequest request;
  request.set_station_id(arguments.station);
  v1::Account account;
  const ExitStatus called = session.Call(&v1::AccountService::Stub::GetAccount, request, &account);
  if (called == ExitStatus::kDone) Print(session, account);
  return called;
}

CLI::App& AddStationCommand(CommandLine& line, CLI::App& group, const CommandText& text,
                            const std::shared_ptr<StationArguments>& arguments, Action action) {
  CLI::App& app = line.AddCommand(group, text, std::move(action));
  app.add_option("station", arguments->station, "Institution code, 12 digits")->required()->type_name("CODE");
  return app;
}

// One step in the life of a station.
void AddStep(CommandLine& line, CLI::App& group, const CommandText& text, v1::StationStatus status) {
  auto arguments = std::make_shared<StationArguments>();
  CLI::App& app = AddStationCommand(line, group, text, arguments, [arguments, status](Session& session) {
    v1::Account account;
    const ExitStatus called = SetStatus(session, arguments->station, status, arguments->reason, &account);
    if (called == ExitStatus::kDone) Print(session, account);
    return called;
  });
  AddReasonOption(app, arguments->reason);
}

void AddRegister(CommandLine& line, CLI::App& group) {
  auto arguments = std::make_shared<RegisterArguments>();
  CLI::App& app = line.AddCommand(
      group,
      {"register", "Register a station and open its account; status APPLIED",
       "switchctl station register 100000000001 --name \"Li's Grocery\" --signed-by 100000000900 --activate"},
      [arguments](Session& session) { return Register(session, *arguments); });
  app.add_option("station", arguments->station, "Institution code, 12 digits")->required()->type_name("CODE");
  app.add_option("--name", arguments->name, "The station's name, 1 to 120 bytes")->required()->type_name("NAME");
  app.add_option("--signed-by", arguments->signed_by,
                 "An institution that signed the account; may be repeated, up to 8")
      ->allow_extra_args(false)
      ->type_name("CODE");
  app.add_flag("--activate", arguments->activate, "Approve and activate it as well");
}

}  // namespace

void AddStationCommands(CommandLine& line) {
  CLI::App& group =
      line.AddGroup("station", "Register stations and lead them through their life", "Stations and accounts");
  AddRegister(line, group);

  auto list = std::make_shared<ListArguments>();
  CLI::App& list_app = line.AddCommand(group,
                                       {"list", "All stations, in order of their code",
                                        "switchctl station list\nswitchctl station list --limit 20 --json"},
                                       [list](Session& session) { return List(session, *list); });
  list_app.add_option("--limit", list->limit, "At most so many; left out, all")
      ->check(CLI::PositiveNumber)
      ->type_name("N");

  auto show = std::make_shared<StationArguments>();
  AddStationCommand(line, group, {"show", "One station", "switchctl station show 100000000001"}, show,
                    [show](Session& session) { return Show(session, *show); });

  AddStep(line, group, {"approve", "APPLIED to APPROVED", "switchctl station approve 100000000001"},
          v1::STATION_STATUS_APPROVED);
  AddStep(line, group,
          {"activate", "APPROVED or SUSPENDED to ACTIVE: it may inquire and pay",
           "switchctl station activate 100000000001 --reason \"inspection passed\""},
          v1::STATION_STATUS_ACTIVE);
  AddStep(line, group,
          {"suspend", "ACTIVE to SUSPENDED: it takes no payment until it is activated again",
           "switchctl station suspend 100000000001 --reason \"moved without notice\""},
          v1::STATION_STATUS_SUSPENDED);
  AddStep(line, group,
          {"close", "Close a station for ever; refused while payments are open",
           "switchctl station close 100000000001 --reason \"owner retired\""},
          v1::STATION_STATUS_CLOSED);
}

}  // namespace waystation::ctl
