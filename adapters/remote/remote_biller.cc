#include "adapters/remote/remote_biller.h"

#include <string_view>
#include <type_traits>
#include <utility>

#include "adapters/remote/card_text.h"
#include "adapters/remote/endpoint.h"
#include "adapters/remote/link.h"
#include "adapters/remote/messages.h"
#include "fmt/format.h"
#include "grpcpp/client_context.h"

namespace waystation::adapters::remote {

namespace v1 = adapter::v1;
namespace asio = boost::asio;

namespace {

constexpr std::string_view kPassed = "the deadline had passed before the request was sent";

// One call; shared by the coroutine that waits for it and by gRPC, which may finish it after that has given up.
template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
  grpc::Status status;
  const std::shared_ptr<Signal> finished = std::make_shared<Signal>();
};

// gRPC counts by the system's clock.
std::chrono::system_clock::time_point OnSystemClock(Deadline deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::chrono::system_clock::now() + std::chrono::ceil<std::chrono::milliseconds>(left);
}

// Why there is no answer; empty when there is one in `call`. The coroutine ends at the deadline whatever gRPC does.
template <typename Request, typename Response, typename Method>
asio::awaitable<std::string> Answer(std::shared_ptr<Call<Request, Response>> call, v1::BillerAdapter::Stub& adapter,
                                    Method method, Deadline deadline) {
  call->context.set_deadline(OnSystemClock(deadline));
  (adapter.async()->*method)(&call->context, &call->request, &call->response, [call](grpc::Status status) {
    call->status = std::move(status);
    call->finished->Raise();
  });
  const bool finished = co_await call->finished->Wait(deadline);
  if (!finished) {
    call->context.TryCancel();
    co_return "no answer by the deadline";
  }
  if (call->status.ok()) co_return "";
  if (call->status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) co_return "no answer by the deadline";
  co_return fmt::format("gRPC status {}: {}", static_cast<int>(call->status.error_code()),
                        call->status.error_message());
}

// One operation: NotSent, where the outcome has it, only for what was not started.
template <typename Outcome, typename Response, typename ProtoRequest, typename Request, typename Method>
asio::awaitable<Outcome> Operate(Link& link, const CapabilityCard& card, Request request, Method method,
                                 Deadline deadline) {
  using NotStarted = std::conditional_t<std::is_constructible_v<Outcome, NotSent>, NotSent, Unknown>;
  if (std::chrono::steady_clock::now() >= deadline) co_return NotStarted{std::string(kPassed)};
  link.Open(nullptr);
  const std::string why_down = co_await link.WhyDown(deadline);
  if (!why_down.empty()) co_return NotStarted{why_down};
  if (std::chrono::steady_clock::now() >= deadline) co_return NotStarted{std::string(kPassed)};

  const auto call = std::make_shared<Call<ProtoRequest, Response>>();
  ToProto(request, &call->request);
  const std::string no_answer = co_await Answer(call, link.adapter(), method, deadline);
  if (!no_answer.empty()) co_return Unknown{no_answer};
  co_return FromProto(call->response, card);
}

using Async = v1::BillerAdapter::StubInterface::async_interface;
template <typename Request, typename Response>
using Unary = void (Async::*)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> RemoteBiller::Create(const Settings& settings,
                                                                    const CardOverrides& overrides) {
  SettingsReader reader(settings);
  ReadEndpoint(reader);
  const std::string path = reader.Text("card_file");
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("settings.card_file: {}; have it made: adapter_conformance --target ADDRESS --write-card {}",
                    std::string(text.status().message()), path));
  }
  if (absl::StatusOr<v1::CapabilityCard> card = ParseCard(*text); !card.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("settings.card_file: {}: {}", path, std::string(card.status().message())));
  }
  Settings others = settings;
  others.erase("card_file");
  return CreateWithCard(others, *text, overrides);
}

absl::StatusOr<std::unique_ptr<BillerAdapter>> RemoteBiller::CreateWithCard(const Settings& settings,
                                                                            const std::string& card_text,
                                                                            const CardOverrides& overrides) {
  SettingsReader reader(settings);
  const Endpoint endpoint = ReadEndpoint(reader);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  absl::StatusOr<v1::CapabilityCard> expected = ParseCard(card_text);
  if (!expected.ok()) return expected.status();
  absl::StatusOr<CapabilityCard> card = FromProto(*expected);
  if (!card.ok()) return card.status();
  card = WithOverrides(*std::move(card), overrides);
  if (!card.ok()) return card.status();
  auto link = std::make_shared<Link>(MakeChannel(endpoint), endpoint.address, *std::move(expected), *card);
  return std::unique_ptr<BillerAdapter>(new RemoteBiller(*std::move(card), std::move(link)));
}

absl::StatusOr<std::string> RemoteBiller::FetchCard(const Settings& settings, std::chrono::milliseconds limit) {
  SettingsReader reader(settings);
  const Endpoint endpoint = ReadEndpoint(reader);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  const auto stub = v1::BillerAdapter::NewStub(MakeChannel(endpoint));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + limit);
  v1::CapabilityCard card;
  const grpc::Status status = stub->Describe(&context, v1::DescribeRequest(), &card);
  if (!status.ok()) {
    return absl::UnavailableError(
        fmt::format("the adapter at {} did not describe itself: {}", endpoint.address, status.error_message()));
  }
  if (absl::StatusOr<CapabilityCard> valid = FromProto(card); !valid.ok()) return valid.status();
  return CardText(card);
}

RemoteBiller::RemoteBiller(CapabilityCard card, std::shared_ptr<Link> link)
    : card_(std::move(card)), link_(std::move(link)) {}

RemoteBiller::~RemoteBiller() {
  link_->Close();
}

void RemoteBiller::ReportLateApprovalsTo(LateApprovals* late) {
  link_->Open(late);
}

asio::awaitable<InquiryOutcome> RemoteBiller::Inquire(InquiryRequest request, Deadline deadline) {
  const Unary<v1::InquireRequest, v1::InquireResponse> method = &Async::Inquire;
  return Operate<InquiryOutcome, v1::InquireResponse, v1::InquireRequest>(*link_, card_, std::move(request), method,
                                                                          deadline);
}

asio::awaitable<PayOutcome> RemoteBiller::Pay(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::PayResponse> method = &Async::Pay;
  return Operate<PayOutcome, v1::PayResponse, v1::PaymentRequest>(*link_, card_, std::move(request), method, deadline);
}

asio::awaitable<QueryOutcome> RemoteBiller::Query(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::QueryResponse> method = &Async::Query;
  return Operate<QueryOutcome, v1::QueryResponse, v1::PaymentRequest>(*link_, card_, std::move(request), method,
                                                                      deadline);
}

asio::awaitable<ReverseOutcome> RemoteBiller::Reverse(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::ReverseResponse> method = &Async::Reverse;
  return Operate<ReverseOutcome, v1::ReverseResponse, v1::PaymentRequest>(*link_, card_, std::move(request), method,
                                                                          deadline);
}

asio::awaitable<CancelOutcome> RemoteBiller::Cancel(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::CancelResponse> method = &Async::Cancel;
  return Operate<CancelOutcome, v1::CancelResponse, v1::PaymentRequest>(*link_, card_, std::move(request), method,
                                                                        deadline);
}

asio::awaitable<bool> RemoteBiller::Probe(Deadline deadline) {
  if (std::chrono::steady_clock::now() >= deadline) co_return false;
  link_->Open(nullptr);
  const std::string why_down = co_await link_->WhyDown(deadline);
  if (!why_down.empty()) co_return false;
  const auto call = std::make_shared<Call<v1::ProbeRequest, v1::ProbeResponse>>();
  const Unary<v1::ProbeRequest, v1::ProbeResponse> method = &Async::Probe;
  const std::string no_answer = co_await Answer(call, link_->adapter(), method, deadline);
  co_return no_answer.empty();
}

}  // namespace waystation::adapters::remote
