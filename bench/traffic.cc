#include "bench/traffic.h"

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "bench/echo.grpc.pb.h"
#include "bench/message_size.h"
#include "fmt/format.h"
#include "google/protobuf/arena.h"
#include "grpcpp/grpcpp.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::bench {

namespace {

constexpr std::chrono::seconds kConnectLimit{10};

struct Echo {
  using Stub = EchoService::Stub;
  using Request = EchoRequest;
  using Response = EchoResponse;

  Echo() : payload(PayloadFor(TypicalPayRequest().ByteSizeLong()), 'x') {}

  static std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) {
    return EchoService::NewStub(channel);
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncEcho(context, request, queue);
  }
  void Fill(Request& request) const { request.set_payload(payload); }
  CallResult Read(const Response& response) const {
    if (response.payload() == payload) return {};
    return {.code = grpc::StatusCode::DATA_LOSS, .detail = "the echo is not what was sent"};
  }

  std::string payload;
};

struct Pay {
  using Stub = v1::PaymentService::Stub;
  using Request = v1::PayRequest;
  using Response = v1::PayResponse;

  static std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) {
    return v1::PaymentService::NewStub(channel);
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncPay(context, request, queue);
  }
  void Fill(Request& request) { maker.MakeNext(request); }
  static CallResult Read(const Response& response) { return ResultOf(response.payment()); }

  PaymentMaker maker;
};

// What the services and methods of the mix have in common.
template <typename MethodRequest, typename MethodResponse, typename Service = v1::PaymentService>
struct Mixed {
  using Stub = typename Service::Stub;
  using Request = MethodRequest;
  using Response = MethodResponse;

  static std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) {
    return Service::NewStub(channel);
  }
  void Fill(Request& request) const { maker->Fill(request); }

  CallMaker* maker;
};

CallResult Declined(const v1::Decline& decline) {
  return {.state = v1::PAYMENT_STATE_DECLINED, .decline = decline.reason(), .detail = decline.text()};
}

struct MixedInquire : Mixed<v1::InquireRequest, v1::InquireResponse> {
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncInquire(context, request, queue);
  }
  static CallResult Read(const Response& response) {
    return response.has_decline() ? Declined(response.decline()) : CallResult();
  }
};

struct MixedPay : Mixed<v1::PayRequest, v1::PayResponse> {
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncPay(context, request, queue);
  }
  CallResult Read(const Response& response) const {
    if (response.payment().state() == v1::PAYMENT_STATE_SUCCEEDED) maker->NotePaid(response.payment());
    return Pay::Read(response);
  }
};

struct MixedCancel : Mixed<v1::CancelRequest, v1::CancelResponse> {
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncCancel(context, request, queue);
  }
  static CallResult Read(const Response& response) {
    if (response.has_decline()) return Declined(response.decline());
    return {.state = response.payment().state(), .detail = response.payment().unknown_cause()};
  }
};

struct MixedGetAccount : Mixed<v1::GetAccountRequest, v1::Account, v1::AccountService> {
  static auto Prepare(Stub& stub, grpc::ClientContext* context, const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncGetAccount(context, request, queue);
  }
  static CallResult Read(const Response&) { return {}; }
};

// Without a deadline: the generator cancels what stays away too long, so no call needs a timer.
template <typename Kind>
class UnaryCall final : public Call {
 public:
  UnaryCall(std::shared_ptr<typename Kind::Stub> stub, Kind kind) : stub_(std::move(stub)), kind_(std::move(kind)) {}

  void Start(grpc::CompletionQueue& queue, void* tag) override {
    kind_.Fill(request_);
    reader_.reset();
    context_.emplace();
    arena_.Reset();
    response_ = google::protobuf::Arena::CreateMessage<typename Kind::Response>(&arena_);
    reader_ = Kind::Prepare(*stub_, &*context_, request_, &queue);
    reader_->StartCall();
    reader_->Finish(response_, &status_, tag);
  }

  CallResult TakeResult() override {
    if (status_.ok()) return kind_.Read(*response_);
    return {.code = status_.error_code(), .detail = status_.error_message()};
  }

  void Cancel() override {
    if (context_.has_value()) context_->TryCancel();
  }

 private:
  // Shared by the calls of one channel.
  std::shared_ptr<typename Kind::Stub> stub_;
  Kind kind_;
  typename Kind::Request request_;
  // Where the parts of an answer lie, whichever server gave it: the generator's allocations are taken from the cores
  // that it shares with the server.
  alignas(8) std::array<char, 4'096> block_;
  google::protobuf::Arena arena_{block_.data(), block_.size()};
  typename Kind::Response* response_ = nullptr;
  grpc::Status status_;
  std::optional<grpc::ClientContext> context_;
  // Lives in the call that the context keeps, so it goes before the context.
  std::unique_ptr<grpc::ClientAsyncResponseReader<typename Kind::Response>> reader_;
};

// Whatever its maker names next.
class MixedCall final : public Call {
 public:
  MixedCall(std::shared_ptr<v1::PaymentService::Stub> payments, std::shared_ptr<v1::AccountService::Stub> accounts,
            CallMaker* maker)
      : maker_(maker),
        inquire_(payments, {{maker}}),
        pay_(payments, {{maker}}),
        cancel_(payments, {{maker}}),
        get_account_(std::move(accounts), {{maker}}) {}

  void Start(grpc::CompletionQueue& queue, void* tag) override {
    kind_ = maker_->Next();
    calls_[static_cast<size_t>(kind_)]->Start(queue, tag);
  }

  CallResult TakeResult() override {
    CallResult result = calls_[static_cast<size_t>(kind_)]->TakeResult();
    result.kind = static_cast<size_t>(kind_);
    return result;
  }

  void Cancel() override { calls_[static_cast<size_t>(kind_)]->Cancel(); }

 private:
  CallMaker* const maker_;
  UnaryCall<MixedInquire> inquire_;
  UnaryCall<MixedPay> pay_;
  UnaryCall<MixedCancel> cancel_;
  UnaryCall<MixedGetAccount> get_account_;
  const std::array<Call*, kCallKinds> calls_ = {&inquire_, &pay_, &cancel_, &get_account_};
  CallKind kind_ = CallKind::kPay;
};

template <typename Kind, typename MakeKind>
std::vector<std::unique_ptr<Call>> MakeCalls(const Channels& channels, size_t in_flight, MakeKind make_kind) {
  std::vector<std::shared_ptr<typename Kind::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(Kind::NewStub(channel));
  std::vector<std::unique_ptr<Call>> calls;
  for (size_t slot = 0; slot < in_flight; ++slot) {
    calls.push_back(std::make_unique<UnaryCall<Kind>>(stubs[slot % stubs.size()], make_kind(slot)));
  }
  return calls;
}

}  // namespace

absl::StatusOr<Channels> Connect(const std::string& address, size_t count) {
  Channels channels;
  for (size_t i = 0; i < count; ++i) {
    grpc::ChannelArguments arguments;
    // Channels of equal arguments would share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channels.push_back(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  const auto give_up = std::chrono::system_clock::now() + kConnectLimit;
  for (const auto& channel : channels) {
    if (!channel->WaitForConnected(give_up)) {
      return absl::UnavailableError(
          fmt::format("--address {}: nothing answered within {} s; expected the host:port of a server that runs",
                      address, kConnectLimit.count()));
    }
  }
  return channels;
}

std::vector<std::unique_ptr<Call>> EchoCalls(const Channels& channels, size_t in_flight) {
  return MakeCalls<Echo>(channels, in_flight, [](size_t) { return Echo(); });
}

std::vector<std::unique_ptr<Call>> PayCalls(const Channels& channels, size_t in_flight, const PaymentMix& mix) {
  return MakeCalls<Pay>(channels, in_flight, [&mix](size_t slot) { return Pay{PaymentMaker(mix, slot)}; });
}

std::vector<std::unique_ptr<Call>> MixedCalls(const Channels& channels,
                                              const std::vector<std::unique_ptr<CallMaker>>& makers) {
  std::vector<std::shared_ptr<v1::PaymentService::Stub>> payments;
  std::vector<std::shared_ptr<v1::AccountService::Stub>> accounts;
  for (const auto& channel : channels) {
    payments.push_back(v1::PaymentService::NewStub(channel));
    accounts.push_back(v1::AccountService::NewStub(channel));
  }
  std::vector<std::unique_ptr<Call>> calls;
  for (size_t slot = 0; slot < makers.size(); ++slot) {
    const size_t channel = slot % channels.size();
    calls.push_back(std::make_unique<MixedCall>(payments[channel], accounts[channel], makers[slot].get()));
  }
  return calls;
}

}  // namespace waystation::bench
