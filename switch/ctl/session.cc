#include "switch/ctl/session.h"

#include <utility>

#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

constexpr std::chrono::milliseconds kDefaultTimeout{10'000};

std::string_view Name(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return "OK";
    case grpc::StatusCode::CANCELLED: return "CANCELLED";
    case grpc::StatusCode::UNKNOWN: return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT: return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED: return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND: return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS: return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED: return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED: return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION: return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED: return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE: return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED: return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL: return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE: return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS: return "DATA_LOSS";
    case grpc::StatusCode::DO_NOT_USE: break;
  }
  return "a status that gRPC does not know";
}

// Whether the channel gets ready before the deadline. Gives up at the first refusal, instead of trying until the
// deadline as a call would.
bool BecomesReady(grpc::Channel& channel, std::chrono::system_clock::time_point deadline) {
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel.WaitForStateChange(state, deadline)) return false;
  }
}

}  // namespace

Session::Session(Settings settings, std::string command, std::ostream& out, std::ostream& err)
    : settings_(std::move(settings)), command_(std::move(command)), out_(out), err_(err) {}

std::chrono::milliseconds Session::timeout() const {
  if (!settings_.timeout_s.has_value()) return kDefaultTimeout;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(*settings_.timeout_s));
}

void Session::PrintJson(const google::protobuf::Message& message) {
  out_ << JsonLine(message);
}

ExitStatus Session::Fail(ExitStatus status, std::string_view what, std::string_view next) {
  // What is printed so far comes first, also where both streams go to one file.
  out_.flush();
  err_ << fmt::format("switchctl {}: {}\n", command_, Printable(what));
  if (!next.empty()) err_ << fmt::format("  next: {}\n", next);
  return status;
}

ExitStatus Session::FailCall(const grpc::Status& status, std::string_view next_if_not_known) {
  if (status.ok()) return ExitStatus::kDone;
  const Verdict verdict = VerdictOn(status.error_code());
  const bool replaced = verdict.exit == ExitStatus::kNotKnownYet && !next_if_not_known.empty();
  return Fail(verdict.exit, fmt::format("{}: {}", Name(status.error_code()), status.error_message()),
              replaced ? next_if_not_known : verdict.next);
}

std::shared_ptr<grpc::Channel> Session::Connect() {
  if (channel_ != nullptr) return channel_;
  grpc::ChannelArguments arguments;
  // The switch is on this machine or in this network; a proxy for the web that the environment names is not for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(settings_.address, grpc::InsecureChannelCredentials(), arguments);
  if (!BecomesReady(*channel, std::chrono::system_clock::now() + timeout())) {
    Fail(ExitStatus::kUnreachable,
         fmt::format("could not reach the switch at \"{}\"; expected switchd to listen there; nothing was sent",
                     settings_.address),
         "start switchd, or name its HOST:PORT with --address or WAYSTATION_ADDRESS");
    return nullptr;
  }
  channel_ = std::move(channel);
  return channel_;
}

}  // namespace waystation::ctl
