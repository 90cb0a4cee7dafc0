#include "switch/rpc/operations_service.h"

#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/rpc/statistics.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/operations_service.grpc.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

using Base =
    v1::OperationsService::WithRawCallbackMethod_GetStatus<v1::OperationsService::WithRawCallbackMethod_GetStatistics<
        v1::OperationsService::WithRawCallbackMethod_CreateBackup<
            v1::OperationsService::WithRawCallbackMethod_ConfirmOldSwitchDead<
                v1::OperationsService::WithRawCallbackMethod_SetLogLevel<v1::OperationsService::Service>>>>>;

class OperationsService final : public Base {
 public:
  OperationsService(const Backend& backend, Operations* operations) : backend_(backend), operations_(operations) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                      grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetStatus));
    v1::GetStatusRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else {
      backend_.reader->PostSpawn(AnswerStatus(call));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* GetStatistics(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                          grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetStatistics));
    v1::GetStatisticsRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else {
      call.Finish(ReadStatistics(backend_));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* SetLogLevel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                        grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kSetLogLevel));
    v1::SetLogLevelRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok() && (request.level() == v1::LOG_LEVEL_UNSPECIFIED || !v1::LogLevel_IsValid(request.level()))) {
      status = absl::InvalidArgumentError(
          fmt::format("level: {} is no level of the log; expected one of DEBUG, INFO, WARN, ERROR",
                      static_cast<int>(request.level())));
    }
    if (status.ok()) {
      call.Finish(operations_->SetLogLevel(request.level(), context->peer()));
    } else {
      call.Fail(status);
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* CreateBackup(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                         grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kCreateBackup));
    v1::CreateBackupRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = backend_.admission->CheckServing();
    if (!status.ok()) {
      call.Fail(status);
    } else {
      backend_.reader->PostSpawn(RunBackup(call));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* ConfirmOldSwitchDead(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                                 grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kConfirmOldSwitchDead));
    v1::ConfirmOldSwitchDeadRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = backend_.admission->CheckServing();
    if (status.ok()) status = CheckOperator("confirmed_by", request.confirmed_by());
    if (status.ok()) status = CheckText("reason", request.reason(), core::kMaxReasonBytes, true);
    if (!status.ok()) {
      call.Fail(status);
    } else {
      backend_.reader->PostSpawn(Confirm(std::move(request), call));
    }
    return call.reactor();
  }

 private:
  asio::awaitable<core::Reply> ReadDay() {
    core::Command read = core::ReadBusinessDay{};
    co_return co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(read));
  }

  asio::awaitable<void> AnswerStatus(UnaryCall call) {
    const core::Reply reply = co_await ReadDay();
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    v1::SwitchStatus response = operations_->Status();
    response.set_last_sequence(reply.sequence);
    call.Finish(response);
  }

  asio::awaitable<void> RunBackup(UnaryCall call) {
    // What the reply of a read is based on is durable, and so is every answer given before.
    const core::Reply reply = co_await ReadDay();
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    operations_->CreateBackup(reply.sequence, [call](absl::StatusOr<v1::Backup> made) { call.Answer(made); });
  }

  asio::awaitable<void> Confirm(v1::ConfirmOldSwitchDeadRequest request, UnaryCall call) {
    const absl::StatusOr<uint64_t> sequence = operations_->ResumeAt();
    absl::Status status = sequence.status();
    if (status.ok()) {
      core::Command resume = core::ResumeJournal{*sequence, request.confirmed_by(), request.reason()};
      status = (co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(resume))).status;
    }
    if (status.ok()) status = operations_->Resumed();
    if (status.ok()) co_return co_await AnswerStatus(call);
    call.Fail(status);
  }

  const Backend& backend_;
  Operations* const operations_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOperationsService(const Backend& backend, Operations* operations) {
  return std::make_unique<OperationsService>(backend, operations);
}

}  // namespace waystation::rpc
