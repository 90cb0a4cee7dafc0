#include <memory>

#include "fmt/format.h"
#include "switch/ctl/account_text.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/text_forms.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

struct ShowArguments {
  std::string station;
};

struct GrantArguments {
  std::string station, reason;
  core::Money limit;
};

struct PurchaseArguments {
  std::string station, receipt, clerk;
  core::Money amount;
};

void Print(Session& session, const v1::Account& account) {
  if (session.json()) {
    session.PrintJson(account);
  } else {
    session.out() << AccountDetails(account);
  }
}

ExitStatus Show(Session& session, const ShowArguments& arguments) {
  v1::GetAccountRequest request;
  request.set_station_id(arguments.station);
  v1::Account account;
  const ExitStatus called = session.Call(&v1::AccountService::Stub::GetAccount, request, &account);
  if (called == ExitStatus::kDone) Print(session, account);
  return called;
}

ExitStatus Grant(Session& session, const GrantArguments& arguments) {
  v1::GrantCreditRequest request;
  request.set_station_id(arguments.station);
  request.set_credit_limit_fen(arguments.limit.fen());
  request.set_reason(arguments.reason);
  v1::Account account;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::GrantCredit, request, &account);
  if (called == ExitStatus::kDone) Print(session, account);
  return called;
}

ExitStatus Purchase(Session& session, const PurchaseArguments& arguments) {
  v1::RecordCounterPurchaseRequest request;
  request.set_station_id(arguments.station);
  request.set_request_id(arguments.receipt);
  request.set_amount_fen(arguments.amount.fen());
  request.set_clerk_id(arguments.clerk);
  v1::CounterPurchase purchase;
  const ExitStatus called =
      session.Call(&v1::AdminService::Stub::RecordCounterPurchase, request, &purchase,
                   "repeat the very same command with the same --receipt: it never credits twice");
  if (called != ExitStatus::kDone) return called;
  if (session.json()) {
    session.PrintJson(purchase);
    return ExitStatus::kDone;
  }
  FieldList fields;
  fields.Add("station", purchase.station_id());
  fields.Add("receipt", purchase.request_id());
  fields.Add("clerk", purchase.clerk_id());
  fields.AddMoney("paid in", purchase.amount_fen());
  fields.AddMoney("balance after", purchase.balance_after_fen());
  fields.Add("business date", purchase.business_date());
  fields.Add("time", ChinaTimeWithZone(purchase.recorded_at_ms()));
  fields.Add("sequence", fmt::format("{}", purchase.sequence()));
  session.out() << fields.ToString();
  return ExitStatus::kDone;
}

void AddStationPosition(CLI::App& app, std::string& into) {
  app.add_option("station", into, "Institution code, 12 digits")->required()->type_name("CODE");
}

}  // namespace

void AddAccountCommands(CommandLine& line) {
  CLI::App& account = line.AddGroup("account", "Look at a station's prepaid account", "Stations and accounts");
  auto show = std::make_shared<ShowArguments>();
  AddStationPosition(
      line.AddCommand(account, {"show", "Balance, holds and status", "switchctl account show 100000000001"},
                      [show](Session& session) { return Show(session, *show); }),
      show->station);

  CLI::App& credit = line.AddGroup("credit", "Let a station's balance go below zero", "Stations and accounts");
  auto grant = std::make_shared<GrantArguments>();
  CLI::App& grant_app = line.AddCommand(credit,
                                        {"grant", "Set the credit limit, replacing the old one; 0 takes it away",
                                         "switchctl credit grant 100000000001 2000.00 --reason \"spring festival\""},
                                        [grant](Session& session) { return Grant(session, *grant); });
  AddStationPosition(grant_app, grant->station);
  AddYuanOption(grant_app, "limit", grant->limit, "The new limit, such as 2000 or 2000.00");
  AddReasonOption(grant_app, grant->reason);

  auto purchase = std::make_shared<PurchaseArguments>();
  CLI::App& purchase_app =
      line.AddCommand(line.root(),
                      {"counter-purchase", "Credit money paid in at a post-office counter, at least 500 yuan",
                       "switchctl counter-purchase 100000000001 500.00 --receipt R-0001 --clerk 8000000001"},
                      [purchase](Session& session) { return Purchase(session, *purchase); });
  purchase_app.group("Stations and accounts");
  AddStationPosition(purchase_app, purchase->station);
  AddYuanOption(purchase_app, "amount", purchase->amount, "What was paid in, such as 500 or 500.00");
  purchase_app
      .add_option("--receipt", purchase->receipt, "The counter's number of the receipt, the same for every retry")
      ->required()
      ->type_name("REQUEST_ID");
  purchase_app.add_option("--clerk", purchase->clerk, "The clerk who took the money, 10 digits")
      ->required()
      ->type_name("CLERK");
}

}  // namespace waystation::ctl
