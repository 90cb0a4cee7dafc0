#include "switch/rpc/account_service.h"

#include <utility>

#include "switch/rpc/convert.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/account_service.grpc.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

class AccountService final : public v1::AccountService::WithRawCallbackMethod_GetAccount<v1::AccountService::Service> {
 public:
  explicit AccountService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* GetAccount(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                       grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetAccount));
    v1::GetAccountRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
      return call.reactor();
    }
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) {
      call.Fail(station.status());
      return call.reactor();
    }
    backend_.reader->PostSpawn(Run(*station, call));
    return call.reactor();
  }

 private:
  asio::awaitable<void> Run(core::StationId station, UnaryCall call) {
    core::Command read = core::ReadAccount{station};
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(read));
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    v1::Account response;
    ToProto(std::get<core::Account>(reply.value), reply.sequence, &response);
    call.Finish(response);
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAccountService(const Backend& backend) {
  return std::make_unique<AccountService>(backend);
}

}  // namespace waystation::rpc
