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

// What a call is made of; gRPC's until it has done with it.
template <typename Request, typename Response>
struct Wire {
  grpc::ClientContext context;
  Request request;
  Response response;
};

// What came of it; shared by the coroutine that waits for it and by gRPC, which may finish after that has given up.
template <typename Response>
struct Result {
  grpc::Status status;
  Response response;
  const std::shared_ptr<Signal> finished = std::make_shared<Signal>();
};

// gRPC counts by the system's clock.
std::chrono::system_clock::time_point OnSystemClock(Deadline deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::chrono::system_clock::now() + std::chrono::ceil<std::chrono::milliseconds>(left);
}

using Async = v1::BillerAdapter::StubInterface::async_interface;
template <typename Request, typename Response>
using Unary = void (Async::*)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// Why a call was not started, or why it has no answer; with both empty, `response` is the answer.
template <typename Response>
struct Answered {
  std::string not_started;
  std::string no_answer;
  Response response;
};

// One call over the link, once that is up. The coroutine ends at the deadline whatever gRPC does.
template <typename Request, typename Response>
asio::awaitable<Answered<Response>> Ask(std::shared_ptr<Link> link, std::unique_ptr<Wire<Request, Response>> wire,
                                        Unary<Request, Response> method, Deadline deadline) {
  Answered<Response> answered;
  if (std::chrono::steady_clock::now() >= deadline) {
    answered.not_started = kPassed;
    co_return answered;
  }
  link->Open(nullptr);
  answered.not_started = co_await link->WhyDown(deadline);
  if (answered.not_started.empty() && std::chrono::steady_clock::now() >= deadline) answered.not_started = kPassed;
  if (!answered.not_started.empty()) co_return answered;
  const uint64_t call = link->Begin(&wire->context);
  if (call == 0) {
    answered.not_started = "the switch is ending";
    co_return answered;
  }

  const auto result = std::make_shared<Result<Response>>();
  wire->context.set_deadline(OnSystemClock(deadline));
  Wire<Request, Response>* const out = wire.release();
  (link->adapter().async()->*method)(&out->context, &out->request, &out->response,
                                     [link, result, out, call](grpc::Status status) {
                                       result->status = std::move(status);
                                       result->response = std::move(out->response);
                                       link->Forget(call);
                                       delete out;
                                       link->End(call);
                                       result->finished->Raise();
                                     });
  const bool finished = co_await result->finished->Wait(deadline);
  if (!finished) link->Cancel(call);
  if (!finished || result->status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    answered.no_answer = "no answer by the deadline";
  } else if (!result->status.ok()) {
    answered.no_answer = fmt::format("gRPC status {}: {}", static_cast<int>(result->status.error_code()),
                                     result->status.error_message());
  } else {
    answered.response = std::move(result->response);
  }
  co_return answered;
}

// One operation: NotSent, where the outcome has it, only for what was not started.
template <typename Outcome, typename ProtoRequest, typename Response, typename Request>
asio::awaitable<Outcome> Operate(std::shared_ptr<Link> link, const CapabilityCard& card, Request request,
                                 Unary<ProtoRequest, Response> method, Deadline deadline) {
  using NotStarted = std::conditional_t<std::is_constructible_v<Outcome, NotSent>, NotSent, Unknown>;
  auto wire = std::make_unique<Wire<ProtoRequest, Response>>();
  ToProto(request, &wire->request);
  if (request.trace.has_value()) wire->context.AddMetadata("traceparent", request.trace.ToTraceparent());
  const Answered<Response> answered = co_await Ask(std::move(link), std::move(wire), method, deadline);
  if (!answered.not_started.empty()) co_return NotStarted{answered.not_started};
  if (!answered.no_answer.empty()) co_return Unknown{answered.no_answer};
  co_return FromProto(answered.response, card);
}

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
  return Operate<InquiryOutcome>(link_, card_, std::move(request), method, deadline);
}

asio::awaitable<PayOutcome> RemoteBiller::Pay(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::PayResponse> method = &Async::Pay;
  return Operate<PayOutcome>(link_, card_, std::move(request), method, deadline);
}

asio::awaitable<QueryOutcome> RemoteBiller::Query(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::QueryResponse> method = &Async::Query;
  return Operate<QueryOutcome>(link_, card_, std::move(request), method, deadline);
}

asio::awaitable<ReverseOutcome> RemoteBiller::Reverse(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::ReverseResponse> method = &Async::Reverse;
  return Operate<ReverseOutcome>(link_, card_, std::move(request), method, deadline);
}

asio::awaitable<CancelOutcome> RemoteBiller::Cancel(PaymentRequest request, Deadline deadline) {
  const Unary<v1::PaymentRequest, v1::CancelResponse> method = &Async::Cancel;
  return Operate<CancelOutcome>(link_, card_, std::move(request), method, deadline);
}

asio::awaitable<bool> RemoteBiller::Probe(Deadline deadline) {
  const Unary<v1::ProbeRequest, v1::ProbeResponse> method = &Async::Probe;
  auto wire = std::make_unique<Wire<v1::ProbeRequest, v1::ProbeResponse>>();
  const Answered<v1::ProbeResponse> answered = co_await Ask(link_, std::move(wire), method, deadline);
  co_return answered.not_started.empty() && answered.no_answer.empty();
}

}  // namespace waystation::adapters::remote
