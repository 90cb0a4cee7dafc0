#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/payment_text.h"
#include "switch/ctl/text_forms.h"
#include "switch/ctl/word_option.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

constexpr uint32_t kPageSize = 500;

struct ShowArguments {
  std::string payment_id, station, request_id;
};

struct ListArguments {
  std::string station, from, to;
  std::vector<std::string> states, owners;
  // 0: all.
  uint64_t limit = 0;
};

struct WatchArguments {
  std::string station;
  std::optional<uint64_t> after;
  // 0: without end.
  uint64_t count = 0;
};

// By id, or by station and request id; anything else is bad usage.
ExitStatus Get(Session& session, const ShowArguments& arguments, v1::Payment* payment) {
  const bool by_id = !arguments.payment_id.empty();
  const bool by_request = !arguments.station.empty() && !arguments.request_id.empty();
  const bool some_of_request = !arguments.station.empty() || !arguments.request_id.empty();
  if (by_id == some_of_request || by_id == by_request) {
    return session.Fail(ExitStatus::kBadUsage, "expected either a payment id, or --station together with --request-id",
                        "`switchctl payment list --station CODE` shows both ids");
  }
  v1::GetPaymentRequest request;
  request.set_payment_id(arguments.payment_id);
  request.set_station_id(arguments.station);
  request.set_request_id(arguments.request_id);
  return session.Call(&v1::PaymentService::Stub::GetPayment, request, payment);
}

ExitStatus Show(Session& session, const ShowArguments& arguments) {
  v1::Payment payment;
  const ExitStatus called = Get(session, arguments, &payment);
  if (called != ExitStatus::kDone) return called;
  if (session.json()) {
    session.PrintJson(payment);
  } else {
    session.out() << Details(payment);
  }
  return ExitStatus::kDone;
}

ExitStatus PrintReceipt(Session& session, const ShowArguments& arguments) {
  v1::Payment payment;
  const ExitStatus called = Get(session, arguments, &payment);
  if (called != ExitStatus::kDone) return called;
  if (!HasReceipt(payment)) {
    return session.Fail(
        ExitForPay(payment.state()),
        fmt::format("payment {} is {}; expected one that was paid", payment.payment_id(), Word(payment.state())),
        fmt::format("`switchctl payment show {}` says how it stands", payment.payment_id()));
  }
  if (session.json()) {
    session.PrintJson(payment);
  } else {
    session.out() << Receipt(payment);
  }
  return ExitStatus::kDone;
}

ExitStatus List(Session& session, const ListArguments& arguments) {
  v1::ListPaymentsRequest request;
  request.set_station_id(arguments.station);
  request.set_from_date(arguments.from);
  request.set_to_date(arguments.to);
  for (const std::string& word : arguments.states) {
    request.add_states(FromWord<v1::PaymentState>(word).value_or(v1::PAYMENT_STATE_UNSPECIFIED));
  }
  for (const std::string& word : arguments.owners) {
    request.add_owners(FromWord<v1::PaymentOwner>(word).value_or(v1::PAYMENT_OWNER_UNSPECIFIED));
  }
  // The same for every page: a page token belongs to a request with all other fields unchanged.
  request.set_page_size(arguments.limit == 0 ? kPageSize
                                             : static_cast<uint32_t>(std::min<uint64_t>(arguments.limit, kPageSize)));
  Table table = PaymentTable();
  uint64_t listed = 0;
  bool more = true;
  while (more) {
    v1::ListPaymentsResponse page;
    const ExitStatus called = session.Call(&v1::PaymentService::Stub::ListPayments, request, &page);
    if (called != ExitStatus::kDone) return called;
    for (const v1::Payment& payment : page.payments()) {
      if (arguments.limit != 0 && listed == arguments.limit) break;
      ++listed;
      if (session.json()) {
        session.PrintJson(payment);
      } else {
        AddRow(table, payment);
      }
    }
    more = !page.next_page_token().empty() && (arguments.limit == 0 || listed < arguments.limit);
    request.set_page_token(page.next_page_token());
  }
  if (!session.json()) session.out() << table.ToString() << fmt::format("{} payments\n", listed);
  return ExitStatus::kDone;
}

ExitStatus Watch(Session& session, const WatchArguments& arguments) {
  const std::shared_ptr<grpc::Channel> channel = session.Connect();
  if (channel == nullptr) return ExitStatus::kUnreachable;
  v1::WatchPaymentsRequest request;
  request.set_station_id(arguments.station);
  if (arguments.after.has_value()) request.set_after_sequence(*arguments.after);
  grpc::ClientContext context;
  if (session.settings().timeout_s.has_value()) {
    context.set_deadline(std::chrono::system_clock::now() + session.timeout());
  }
  v1::PaymentService::Stub stub(channel);
  const auto reader = stub.WatchPayments(&context, request);

  uint64_t seen = 0;
  std::optional<uint64_t> last = arguments.after;
  v1::PaymentEvent event;
  while (reader->Read(&event)) {
    last = event.sequence();
    if (session.json()) {
      session.PrintJson(event);
    } else {
      session.out() << EventLine(event.payment(), event.sequence());
    }
    session.out().flush();
    if (++seen == arguments.count) {
      context.TryCancel();
      reader->Finish();
      return ExitStatus::kDone;
    }
    if (!session.out().good()) {
      context.TryCancel();
      reader->Finish();
      return session.Fail(ExitStatus::kFault, "could not write to standard output", "see that its reader is there");
    }
  }
  const grpc::Status ended = reader->Finish();
  return session.FailCall(
      ended.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the switch ended the stream") : ended,
      last.has_value() ? fmt::format("go on where it ended with --after {}", *last) : "start it again");
}

void AddShowOptions(CLI::App& command, ShowArguments& arguments) {
  command.add_option("payment", arguments.payment_id, "The payment id; or --station with --request-id")
      ->type_name("ID");
  command.add_option("--station", arguments.station, "The station's institution code, 12 digits")->type_name("CODE");
  command.add_option("--request-id", arguments.request_id, "The id that the payment was asked for with")
      ->type_name("ID");
}

void AddListCommand(CommandLine& line, CLI::App& payment) {
  auto list = std::make_shared<ListArguments>();
  CLI::App& app = line.AddCommand(payment,
                                  {"list", "The payments of a station, newest first; all pages",
                                   "switchctl payment list --station 100000000001\n"
                                   "switchctl payment list --station 100000000001 --from 2026-11-01 --to 2026-11-21 "
                                   "--state unknown --state review --limit 50\n"
                                   "switchctl payment list --station 100000000001 --owner person"},
                                  [list](Session& session) { return List(session, *list); });
  AddStationOption(app, list->station);
  app.add_option("--from", list->from, "First business date; left out with --to, the current one")->type_name("DATE");
  app.add_option("--to", list->to, "Last business date, YYYY-MM-DD")->type_name("DATE");
  AddWordsOption<v1::PaymentState>(app, "--state", list->states, "payment state",
                                   "Only this state, such as succeeded; may be repeated", "STATE");
  AddWordsOption<v1::PaymentOwner>(app, "--owner", list->owners, "payment owner",
                                   "Only what this one acts on next: flow, resolver, person; may be repeated", "OWNER");
  app.add_option("--limit", list->limit, "At most so many; left out, all")->check(CLI::PositiveNumber)->type_name("N");
}

void AddWatchCommand(CommandLine& line, CLI::App& payment) {
  auto watch = std::make_shared<WatchArguments>();
  CLI::App& app = line.AddCommand(payment,
                                  {"watch", "Follow a station's payments, a line for each change of state",
                                   "switchctl payment watch --station 100000000001\n"
                                   "switchctl payment watch --station 100000000001 --after 0 --count 20 --json"},
                                  [watch](Session& session) { return Watch(session, *watch); });
  AddStationOption(app, watch->station);
  app.add_option("--after", watch->after, "Begin after this sequence number, 0 for all; left out, with what is new")
      ->type_name("SEQ");
  app.add_option("--count", watch->count, "End after so many; left out, never")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
}

}  // namespace

void AddPaymentCommands(CommandLine& line, CLI::App& payment) {
  auto show = std::make_shared<ShowArguments>();
  AddShowOptions(line.AddCommand(payment,
                                 {"show", "One payment with its history",
                                  "switchctl payment show 1042\n"
                                  "switchctl payment show --station 100000000001 --request-id till1-000042"},
                                 [show](Session& session) { return Show(session, *show); }),
                 *show);
  auto receipt = std::make_shared<ShowArguments>();
  AddShowOptions(line.AddCommand(payment,
                                 {"receipt", "Print the counter receipt of a payment that was paid",
                                  "switchctl payment receipt 1042"},
                                 [receipt](Session& session) { return PrintReceipt(session, *receipt); }),
                 *receipt);
  AddListCommand(line, payment);
  AddWatchCommand(line, payment);
}

}  // namespace waystation::ctl
