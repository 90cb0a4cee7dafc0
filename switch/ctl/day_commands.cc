#include <future>
#include <memory>

#include "fmt/format.h"
#include "google/protobuf/wrappers.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

struct CloseArguments {
  std::string date, next;
};

void Print(Session& session, const v1::BusinessDay& day) {
  if (session.json()) {
    session.PrintJson(day);
    return;
  }
  FieldList fields;
  fields.Add("business date", day.business_date());
  fields.Add("opened", ChinaTimeWithZone(day.opened_at_ms()));
  if (day.opened_sequence() != 0) fields.Add("opened by sequence", fmt::format("{}", day.opened_sequence()));
  fields.Add("last sequence", fmt::format("{}", day.last_sequence()));
  session.out() << fields.ToString();
}

ExitStatus Show(Session& session) {
  v1::BusinessDay day;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::GetBusinessDay, v1::GetBusinessDayRequest(), &day);
  if (called == ExitStatus::kDone) Print(session, day);
  return called;
}

ExitStatus Close(Session& session, const CloseArguments& arguments) {
  v1::CloseBusinessDayRequest request;
  request.set_closing_date(arguments.date);
  request.set_opening_date(arguments.next);
  v1::BusinessDay day;
  const ExitStatus called = session.Call(&v1::AdminService::Stub::CloseBusinessDay, request, &day,
                                         "see with `switchctl day show` whether it was closed");
  if (called == ExitStatus::kDone) Print(session, day);
  return called;
}

std::string ServingWord(int status) {
  // grpc.health.v1.HealthCheckResponse.ServingStatus.
  switch (status) {
    case 0: return "UNKNOWN";
    case 1: return "SERVING";
    case 2: return "NOT_SERVING";
    case 3: return "SERVICE_UNKNOWN";
    default: return fmt::format("{}", status);
  }
}

ExitStatus Health(Session& session) {
  const std::shared_ptr<grpc::Channel> channel = session.Connect();
  if (channel == nullptr) return ExitStatus::kUnreachable;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + session.timeout());
  // gRPC's packages do not install grpc.health.v1; its request (one string, field 1) and response (one enum, field 1)
  // are on the wire what these two standard messages are.
  const google::protobuf::StringValue whole_server;
  google::protobuf::Int32Value answer;
  grpc::TemplatedGenericStub<google::protobuf::StringValue, google::protobuf::Int32Value> stub(channel);
  std::promise<grpc::Status> ended;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &whole_server, &answer,
                 [&ended](grpc::Status status) { ended.set_value(std::move(status)); });
  const ExitStatus called = session.FailCall(ended.get_future().get());
  if (called != ExitStatus::kDone) return called;

  const std::string word = ServingWord(answer.value());
  session.out() << (session.json() ? fmt::format("{{\"status\":\"{}\"}}\n", word) : word + "\n");
  if (word == "SERVING") return ExitStatus::kDone;
  return session.Fail(ExitStatus::kUnreachable,
                      fmt::format("the switch at \"{}\" is {}; expected SERVING", session.settings().address, word),
                      "it is starting or stopping: ask again in a moment, or read its log");
}

}  // namespace

void AddDayCommands(CommandLine& line) {
  constexpr const char* kSection = "The switch";
  line.AddCommand(line.root(), {"health", "Whether the switch is serving", "switchctl health"}, Health).group(kSection);

  CLI::App& day = line.AddGroup("day", "Look at the business day, close it", kSection);
  line.AddCommand(day, {"show", "The current business date", "switchctl day show"}, Show);
  auto close = std::make_shared<CloseArguments>();
  CLI::App& close_app = line.AddCommand(day,
                                        {"close", "Day cut: close the current business date and open the next",
                                         "switchctl day close --date 2026-11-21\n"
                                         "switchctl day close --date 2026-11-21 --next 2026-11-23"},
                                        [close](Session& session) { return Close(session, *close); });
  close_app.add_option("--date", close->date, "The date to close, YYYY-MM-DD; must be the current one")
      ->required()
      ->type_name("DATE");
  close_app.add_option("--next", close->next, "The date to open; left out, the next calendar day")->type_name("DATE");
}

}  // namespace waystation::ctl
