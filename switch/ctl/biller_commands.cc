#include <memory>

#include "switch/ctl/biller_text.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

struct BillerArguments {
  std::string biller, reason;
};

void Print(Session& session, const v1::Biller& biller) {
  if (session.json()) {
    session.PrintJson(biller);
  } else {
    session.out() << BillerDetails(biller);
  }
}

ExitStatus List(Session& session) {
  v1::ListBillersResponse response;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::ListBillers, v1::ListBillersRequest(), &response);
  if (called != ExitStatus::kDone) return called;
  Table table({{"biller"},
               {"name"},
               {"service"},
               {"status"},
               {"inquiry"},
               {"amount"},
               {"least", Align::kRight},
               {"largest", Align::kRight},
               {"cancel"},
               {"customer number"},
               {"reason"}});
  for (const v1::Biller& biller : response.billers()) {
    if (session.json()) session.PrintJson(biller);
    table.AddRow({biller.biller_id(), biller.name(), biller.service(), Word(biller.status()), Word(biller.inquiry()),
                  Word(biller.amount_rule()), Yuan(biller.least_fen()), Yuan(biller.most_fen()), Word(biller.cancel()),
                  biller.customer_number_hint(), biller.status_reason()});
  }
  if (!session.json()) session.out() << table.ToString();
  return ExitStatus::kDone;
}

ExitStatus Show(Session& session, const BillerArguments& arguments) {
  v1::GetBillerRequest request;
  request.set_biller_id(arguments.biller);
  v1::Biller biller;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::GetBiller, request, &biller);
  if (called == ExitStatus::kDone) Print(session, biller);
  return called;
}

ExitStatus SetStatus(Session& session, const BillerArguments& arguments, v1::BillerStatus status) {
  v1::SetBillerStatusRequest request;
  request.set_biller_id(arguments.biller);
  request.set_status(status);
  request.set_reason(arguments.reason);
  v1::Biller biller;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::SetBillerStatus, request, &biller);
  if (called == ExitStatus::kDone) Print(session, biller);
  return called;
}

void AddBillerPosition(CLI::App& app, std::string& into) {
  app.add_option("biller", into, "The biller's id, as `biller list` names it")->required()->type_name("ID");
}

void AddSwitchCommand(CommandLine& line, CLI::App& group, const CommandText& text, v1::BillerStatus status) {
  auto arguments = std::make_shared<BillerArguments>();
  CLI::App& app = line.AddCommand(
      group, text, [arguments, status](Session& session) { return SetStatus(session, *arguments, status); });
  AddBillerPosition(app, arguments->biller);
  AddReasonOption(app, arguments->reason);
}

}  // namespace

void AddBillerCommands(CommandLine& line) {
  CLI::App& group = line.AddGroup("biller", "Look at billers, switch one off and on", "Billers");
  line.AddCommand(group, {"list", "All billers and what they take; amounts in yuan", "switchctl biller list"}, List);
  auto show = std::make_shared<BillerArguments>();
  AddBillerPosition(
      line.AddCommand(
          group, {"show", "One biller: its card, its lane and breaker, its last minute", "switchctl biller show gas"},
          [show](Session& session) { return Show(session, *show); }),
      show->biller);
  AddSwitchCommand(line, group, {"enable", "Take payments for a biller again", "switchctl biller enable gas"},
                   v1::BILLER_STATUS_ENABLED);
  AddSwitchCommand(line, group,
                   {"disable", "Decline new payments for a biller; open ones are still resolved",
                    "switchctl biller disable gas --reason \"announced maintenance\""},
                   v1::BILLER_STATUS_DISABLED);
}

}  // namespace waystation::ctl
