// The bare echo server: what gRPC alone costs on this machine. Callback API, no work at all.

#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "bench/echo.grpc.pb.h"
#include "bench/message_size.h"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"

namespace waystation::bench {
namespace {

// One stream: a message is read, answered, and only then the next one read. Owns itself.
class EchoStream final : public grpc::ServerBidiReactor<EchoStreamRequest, EchoStreamResponse> {
 public:
  explicit EchoStream(const std::string* filler) : filler_(filler) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.Clear();
    for (const TaggedEchoRequest& echo : request_.echoes()) {
      TaggedEchoResponse& answer = *response_.add_echoes();
      answer.set_tag(echo.tag());
      answer.mutable_response()->set_payload(echo.request().payload());
      answer.mutable_response()->set_filler(*filler_);
    }
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  const std::string* const filler_;
  EchoStreamRequest request_;
  EchoStreamResponse response_;
};

class EchoServer final : public EchoService::CallbackService {
 public:
  EchoServer() {
    const size_t echoed = PayloadFor(TypicalPayRequest().ByteSizeLong());
    EchoResponse bare;
    bare.mutable_payload()->assign(echoed, 'x');
    filler_.assign(PayloadFor(TypicalPayResponse().ByteSizeLong() - bare.ByteSizeLong()), 'y');
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoResponse* response) override {
    response->set_payload(request->payload());
    response->set_filler(filler_);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerBidiReactor<EchoStreamRequest, EchoStreamResponse>* EchoStream(grpc::CallbackServerContext*) override {
    return new bench::EchoStream(&filler_);
  }

 private:
  std::string filler_;
};

// Serves until SIGTERM or SIGINT. They are blocked before gRPC starts its threads, so that only sigwait gets them.
int Serve(const std::string& address) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoServer service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    fmt::print(stderr, "echo_server: can't listen on {}; expected a free host:port, or port 0 for any\n", address);
    return 1;
  }
  fmt::print("listening on {}:{}\n", address.substr(0, address.rfind(':')), port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace waystation::bench

int main(int argc, char** argv) {
  CLI::App app{"Bare gRPC echo with messages of the size of a payment's. Ends on SIGTERM."};
  std::string address = "127.0.0.1:0";
  app.add_option("--address", address, "host:port to listen on; port 0 takes a free one and prints it")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return waystation::bench::Serve(address);
}
