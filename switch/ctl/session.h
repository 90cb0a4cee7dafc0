#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "switch/ctl/exit_status.h"

namespace waystation::ctl {

// The options that every command has.
struct Settings {
  std::string address = "127.0.0.1:7400";
  bool json = false;
  // For one call, above what the call itself waits for. Null: 10 s; no limit for a watch.
  std::optional<double> timeout_s;
};

// What one command works with: the settings, where to print, and a connection that is made at the first call. For one
// thread.
class Session {
 public:
  // `command` is the command's words, such as "station list"; it stands in front of every error.
  Session(Settings settings, std::string command, std::ostream& out, std::ostream& err);

  const Settings& settings() const { return settings_; }
  bool json() const { return settings_.json; }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }
  std::chrono::milliseconds timeout() const;

  // Prints the message as a line of JSON on stdout.
  void PrintJson(const google::protobuf::Message& message);

  // Prints "switchctl COMMAND: what" and "next: next" on stderr; gives back `status`.
  ExitStatus Fail(ExitStatus status, std::string_view what, std::string_view next);

  // As Fail, for a call that ended with an error. `next` replaces the general advice where the outcome is not known.
  ExitStatus FailCall(const grpc::Status& status, std::string_view next_if_not_known = {});

  // The connection, made now at the latest; null, with the reason printed, when the switch cannot be reached.
  std::shared_ptr<grpc::Channel> Connect();

  // One unary call: `Call(&v1::AdminService::Stub::ListBillers, request, &response)`. An error is printed. `wait` is
  // how long the switch itself is asked to wait, on top of the time limit of the call.
  template <typename Stub, typename Request, typename Response>
  ExitStatus Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                  Response* response, std::string_view next_if_not_known = {}, std::chrono::milliseconds wait = {}) {
    const std::shared_ptr<grpc::Channel> channel = Connect();
    if (channel == nullptr) return ExitStatus::kUnreachable;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout() + wait);
    Stub stub(channel);
    return FailCall((stub.*method)(&context, request, response), next_if_not_known);
  }

 private:
  const Settings settings_;
  const std::string command_;
  std::ostream& out_;
  std::ostream& err_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace waystation::ctl
