#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/exception_text.h"
#include "switch/ctl/payment_text.h"
#include "switch/ctl/text_forms.h"
#include "switch/ctl/word_option.h"
#include "waystation/v1/exception_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

constexpr uint32_t kPageSize = 500;
constexpr const char* kRepeat = "repeat the very same command: nothing is posted twice";

constexpr const char* kFooter =
    R"(A payment whose outcome the switch could not find out comes to REVIEW, with what is known about it. One person finds
out from the biller what became of it, and proposes what is to be done (resolve); another person checks that, and
confirms it (confirm). Only then is it posted, as a new leg of the journal: what was posted before is never edited.
  charge     it took effect at the biller: the station pays
  release    it took no effect: the station does not pay, and has its money back
  write-off  it took effect, but the station does not pay: the operator does, from the suspense account
`switchctl exceptions COMMAND --help` shows the arguments and an example.)";

struct ListArguments {
  std::vector<std::string> states, owners;
  std::string biller;
  bool overdue = false;
};

struct ResolveArguments {
  std::string payment_id, verdict, reason, clerk;
  uint64_t proposal = 0;
};

int64_t NowMs() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return now.time_since_epoch().count();
}

std::string CheckVerdict(const std::string& word) {
  if (VerdictFromWord(word).has_value()) return "";
  return fmt::format("\"{}\" is not a verdict; expected one of charge, release, write-off", word);
}

ExitStatus List(Session& session, const ListArguments& arguments) {
  v1::ListExceptionsRequest request;
  for (const std::string& word : arguments.states) {
    request.add_states(FromWord<v1::PaymentState>(word).value_or(v1::PAYMENT_STATE_UNSPECIFIED));
  }
  for (const std::string& word : arguments.owners) {
    request.add_owners(FromWord<v1::PaymentOwner>(word).value_or(v1::PAYMENT_OWNER_UNSPECIFIED));
  }
  request.set_biller_id(arguments.biller);
  request.set_overdue_only(arguments.overdue);
  request.set_page_size(kPageSize);
  std::vector<v1::Payment> payments;
  do {
    v1::ListExceptionsResponse page;
    const ExitStatus called = session.Call(&v1::ExceptionService::Stub::ListExceptions, request, &page);
    if (called != ExitStatus::kDone) return called;
    for (v1::Payment& payment : *page.mutable_payments()) {
      if (session.json()) {
        session.PrintJson(payment);
      } else {
        payments.push_back(std::move(payment));
      }
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (session.json()) return ExitStatus::kDone;
  session.out() << ExceptionTable(payments, NowMs()) << fmt::format("{} open payments\n", payments.size());
  return ExitStatus::kDone;
}

void Print(Session& session, const v1::Payment& payment) {
  if (session.json()) {
    session.PrintJson(payment);
  } else {
    session.out() << Details(payment) << "\n" << WhatToDo(payment);
  }
}

ExitStatus Show(Session& session, const std::string& payment_id) {
  v1::GetPaymentRequest request;
  request.set_payment_id(payment_id);
  v1::Payment payment;
  const ExitStatus called = session.Call(&v1::PaymentService::Stub::GetPayment, request, &payment);
  if (called == ExitStatus::kDone) Print(session, payment);
  return called;
}

ExitStatus Resolve(Session& session, const ResolveArguments& arguments) {
  v1::ProposeResolutionRequest request;
  request.set_payment_id(arguments.payment_id);
  request.set_verdict(VerdictFromWord(arguments.verdict).value_or(v1::VERDICT_UNSPECIFIED));
  request.set_reason(arguments.reason);
  request.set_clerk_id(arguments.clerk);
  v1::Payment payment;
  const ExitStatus called = session.Call(&v1::ExceptionService::Stub::ProposeResolution, request, &payment, kRepeat);
  if (called == ExitStatus::kDone) Print(session, payment);
  return called;
}

ExitStatus Confirm(Session& session, const ResolveArguments& arguments) {
  v1::ConfirmResolutionRequest request;
  request.set_payment_id(arguments.payment_id);
  request.set_verdict(VerdictFromWord(arguments.verdict).value_or(v1::VERDICT_UNSPECIFIED));
  request.set_clerk_id(arguments.clerk);
  request.set_proposal(arguments.proposal);
  v1::Payment payment;
  const ExitStatus called = session.Call(&v1::ExceptionService::Stub::ConfirmResolution, request, &payment, kRepeat);
  if (called == ExitStatus::kDone) Print(session, payment);
  return called;
}

void AddListCommand(CommandLine& line, CLI::App& group) {
  auto list = std::make_shared<ListArguments>();
  CLI::App& app = line.AddCommand(group,
                                  {"list", "Open payments of all stations; without --state, all but the HELD ones",
                                   "switchctl exceptions list\n"
                                   "switchctl exceptions list --owner person\n"
                                   "switchctl exceptions list --state unknown,reversing --biller gas --overdue"},
                                  [list](Session& session) { return List(session, *list); });
  AddWordsOption<v1::PaymentState>(app, "--state", list->states, "payment state",
                                   "Only this state: held, unknown, reversing, cancelling, review; may be repeated",
                                   "STATE");
  AddWordsOption<v1::PaymentOwner>(app, "--owner", list->owners, "payment owner",
                                   "Only what this one acts on next: flow, resolver, person; may be repeated", "OWNER");
  app.add_option("--biller", list->biller, "Only this biller's")->type_name("ID");
  app.add_flag("--overdue", list->overdue, "Only those past their deadline and not in REVIEW: there should be none");
}

void AddDecisionOptions(CLI::App& app, ResolveArguments& arguments, const std::string& by) {
  app.add_option("payment", arguments.payment_id, "The payment id")->required()->type_name("ID");
  app.add_option("--verdict", arguments.verdict, "charge, release or write-off: `switchctl exceptions --help`")
      ->required()
      ->check(CheckVerdict)
      ->type_name("VERDICT");
  app.add_option("--by", arguments.clerk, by)->required()->type_name("CLERK");
}

}  // namespace

void AddExceptionCommands(CommandLine& line) {
  CLI::App& group =
      line.AddGroup("exceptions", "See payments that are open, settle what the switch could not", "Payments");
  group.footer(kFooter);
  AddListCommand(line, group);

  auto show = std::make_shared<std::string>();
  line.AddCommand(group,
                  {"show", "All that is known about one, and what to do about it", "switchctl exceptions show 1042"},
                  [show](Session& session) { return Show(session, *show); })
      .add_option("payment", *show, "The payment id")
      ->required()
      ->type_name("ID");

  auto resolve = std::make_shared<ResolveArguments>();
  CLI::App& resolve_app =
      line.AddCommand(group,
                      {"resolve", "Propose what is to be done about a payment in REVIEW; posts nothing yet",
                       "switchctl exceptions resolve 1042 --verdict release --by 8000000001 "
                       "--reason \"not in the gas company's file of 21 November\""},
                      [resolve](Session& session) { return Resolve(session, *resolve); });
  AddDecisionOptions(resolve_app, *resolve, "Who proposes: clerk's user name, 10 digits");
  resolve_app.add_option("--reason", resolve->reason, "How it is known, at most 200 bytes; kept in the journal")
      ->required()
      ->type_name("TEXT");

  auto confirm = std::make_shared<ResolveArguments>();
  CLI::App& confirm_app = line.AddCommand(group,
                                          {"confirm", "Confirm what another person has proposed, and post it",
                                           "switchctl exceptions confirm 1042 --proposal 1057 --verdict release "
                                           "--by 8000000002"},
                                          [confirm](Session& session) { return Confirm(session, *confirm); });
  AddDecisionOptions(confirm_app, *confirm, "Who confirms: another clerk's user name, 10 digits");
  confirm_app
      .add_option("--proposal", confirm->proposal,
                  "Which proposal, as `switchctl exceptions show` has it; refused when another has taken its place")
      ->required()
      ->type_name("N");
}

}  // namespace waystation::ctl
