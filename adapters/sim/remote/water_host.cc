#include "adapters/sim/remote/water_host.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "adapters/remote/card_text.h"
#include "adapters/remote/endpoint.h"
#include "adapters/sim/remote/call.h"
#include "adapters/sim/remote/relay.h"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "fmt/format.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "waystation/adapter/v1/biller_adapter.grpc.pb.h"

namespace waystation::adapters::sim {
namespace {

namespace v1 = adapter::v1;
namespace asio = boost::asio;
using std::chrono::microseconds;

constexpr char kService[] = "waystation.adapter.v1.BillerAdapter";
// An approval that is not acknowledged is told again.
constexpr std::chrono::seconds kTellAgain{1};
// Clients ping a connection that they would know the end of; without this a gRPC server closes it on them.
constexpr int kLeastPingIntervalMs = 500;

template <typename Request>
std::string PaymentIdOf(const Request& request) {
  if constexpr (std::is_same_v<Request, v1::PaymentRequest>) return request.payment_id();
  return "";
}
template <typename Request>
std::string CustomerOf(const Request& request) {
  if constexpr (!std::is_same_v<Request, v1::ProbeRequest>) return request.customer_number();
  return "";
}

void Fill(const BillerAnswer& said, v1::Approved* out) {
  out->set_biller_reference(said.biller_reference);
  out->set_voucher(said.voucher);
  out->set_customer_name(said.customer_name);
}

void Fill(std::string_view code, v1::Declined* out) {
  out->set_biller_code(std::string(code));
  out->set_text(code == kTakenBackAlready ? "taken back at the biller" : "declined by the biller");
}

class WaterHost final : public Host, private v1::BillerAdapter::CallbackService {
 public:
  WaterHost(const HostParts& parts, v1::CapabilityCard card)
      : biller_(parts.name, BillerRules::Water(), parts.books, parts.clock),
        faults_(parts.faults),
        io_(parts.io),
        card_(std::move(card)),
        relay_(parts.io, parts.listen, &parts.faults->random()),
        tell_again_(*parts.io) {}
  ~WaterHost() override;

  absl::Status Open() override;
  void Refuse() override { relay_.listener().Refuse(); }
  void CutAll() override { relay_.listener().CutAll(); }
  std::string address() const override { return relay_.listener().address(); }
  std::string Statement(core::BusinessDate date) const override;

 private:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  // --- on gRPC's threads ---
  Reactor* Describe(Context* context, const v1::DescribeRequest* request, v1::CapabilityCard* card) override;
  Reactor* Inquire(Context* context, const v1::InquireRequest* request, v1::InquireResponse* response) override {
    return Take("inquire", context, request, response, &WaterHost::DecideInquire);
  }
  Reactor* Pay(Context* context, const v1::PaymentRequest* request, v1::PayResponse* response) override {
    return Take("pay", context, request, response, &WaterHost::DecidePay);
  }
  Reactor* Query(Context* context, const v1::PaymentRequest* request, v1::QueryResponse* response) override {
    return Take("query", context, request, response, &WaterHost::DecideQuery);
  }
  Reactor* Reverse(Context* context, const v1::PaymentRequest* request, v1::ReverseResponse* response) override {
    return Take("reverse", context, request, response, &WaterHost::DecideReverse);
  }
  Reactor* Cancel(Context* context, const v1::PaymentRequest* request, v1::CancelResponse* response) override {
    return Take("cancel", context, request, response, &WaterHost::DecideCancel);
  }
  Reactor* Probe(Context* context, const v1::ProbeRequest* request, v1::ProbeResponse* response) override {
    return Take("probe", context, request, response, &WaterHost::DecideProbe);
  }
  grpc::ServerWriteReactor<v1::LateApproval>* WatchLateApprovals(Context* context,
                                                                 const v1::WatchLateApprovalsRequest*) override;
  Reactor* AcknowledgeLateApproval(Context* context, const v1::AcknowledgeLateApprovalRequest* request,
                                   v1::AcknowledgeLateApprovalResponse* response) override;
  template <typename Request, typename Response>
  Reactor* Take(std::string_view operation, Context* context, const Request* request, Response* response,
                Response (WaterHost::*decide)(const Request&, bool refuse));

  // --- on the io_context ---
  template <typename Request, typename Response>
  void Serve(std::string_view operation, const std::shared_ptr<Call>& call, const Request& request,
             Response (WaterHost::*decide)(const Request&, bool refuse));
  v1::InquireResponse DecideInquire(const v1::InquireRequest& request, bool refuse);
  v1::PayResponse DecidePay(const v1::PaymentRequest& request, bool refuse);
  v1::QueryResponse DecideQuery(const v1::PaymentRequest& request, bool refuse);
  v1::ReverseResponse DecideReverse(const v1::PaymentRequest& request, bool refuse);
  v1::CancelResponse DecideCancel(const v1::PaymentRequest& request, bool refuse);
  v1::ProbeResponse DecideProbe(const v1::ProbeRequest&, bool /*refuse*/) {
    biller_.Probe();
    return {};
  }
  void After(microseconds wait, std::function<void()> then);
  void KeepLate(const v1::PaymentRequest& request, const v1::PayResponse& answer);
  void TellAgainLater();

  Biller biller_;
  Faults* const faults_;
  asio::io_context* const io_;
  const v1::CapabilityCard card_;
  Relay relay_;
  std::map<std::string, v1::LateApproval> late_;  // not acknowledged, by payment
  std::vector<std::shared_ptr<LateStream>> streams_;
  asio::steady_timer tell_again_;
  std::unique_ptr<grpc::Server> server_;
};

WaterHost::~WaterHost() {
  if (server_ == nullptr) return;
  // What waits for an answer is cancelled, and ends by that.
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

absl::Status WaterHost::Open() {
  if (server_ == nullptr) {
    // Behind the relay, for this process alone.
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kLeastPingIntervalMs);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError("no port of 127.0.0.1 is free; expected one for gRPC to listen on");
    }
    server_->GetHealthCheckService()->SetServingStatus(kService, true);
    relay_.PassOnTo({asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)});
  }
  return relay_.listener().Open();
}

WaterHost::Reactor* WaterHost::Describe(Context* context, const v1::DescribeRequest* /*request*/,
                                        v1::CapabilityCard* card) {
  *card = card_;
  Reactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<v1::LateApproval>* WaterHost::WatchLateApprovals(Context* /*context*/,
                                                                          const v1::WatchLateApprovalsRequest*) {
  const std::shared_ptr<LateStream> stream = LateStream::Begin();
  asio::post(*io_, [this, stream] {
    std::erase_if(streams_, [](const std::shared_ptr<LateStream>& other) { return other->Ended(); });
    streams_.push_back(stream);
    for (const auto& [payment, approval] : late_) stream->Tell(approval);
  });
  return stream.get();
}

WaterHost::Reactor* WaterHost::AcknowledgeLateApproval(Context* context,
                                                       const v1::AcknowledgeLateApprovalRequest* request,
                                                       v1::AcknowledgeLateApprovalResponse* response) {
  const std::shared_ptr<Call> call = Call::Begin(context, response);
  asio::post(*io_, [this, call, payment = request->payment_id()] {
    late_.erase(payment);
    call->Answer(v1::AcknowledgeLateApprovalResponse());
  });
  return call.get();
}

template <typename Request, typename Response>
WaterHost::Reactor* WaterHost::Take(std::string_view operation, Context* context, const Request* request,
                                    Response* response, Response (WaterHost::*decide)(const Request&, bool refuse)) {
  const std::shared_ptr<Call> call = Call::Begin(context, response);
  asio::post(*io_, [this, operation, call, asked = *request, decide] { Serve(operation, call, asked, decide); });
  return call.get();
}

template <typename Request, typename Response>
void WaterHost::Serve(std::string_view operation, const std::shared_ptr<Call>& call, const Request& request,
                      Response (WaterHost::*decide)(const Request&, bool refuse)) {
  const Fault fault = faults_->Next(operation, CustomerOf(request));
  const microseconds latency = faults_->NextLatency();
  const auto cut = [this, port = call->port()] { relay_.Cut(port); };
  const bool refuse = fault.kind == FaultKind::kDecline;
  // What comes when its deadline has passed has no effect any more.
  if (call->Over() || (!HasEffect(fault.kind) && !refuse)) {
    biller_.NoteUnheard(operation, PaymentIdOf(request));
    if (fault.kind == FaultKind::kCutUnheard) After(latency, cut);
    return;
  }
  if (refuse && !std::is_same_v<Response, v1::PayResponse>) biller_.NoteUnheard(operation, PaymentIdOf(request));
  if (refuse && std::is_same_v<Request, v1::ProbeRequest>) {
    return call->Fail({grpc::StatusCode::FAILED_PRECONDITION, "declined by script"});
  }
  const Response answer = (this->*decide)(request, refuse);
  if (fault.kind == FaultKind::kSilent) return;
  if (fault.kind == FaultKind::kCutBefore) return After(latency, cut);
  const bool delayed = fault.kind == FaultKind::kLate || fault.kind == FaultKind::kOutOfOrder;
  After(latency + (delayed ? fault.delay : std::chrono::milliseconds(0)), [this, call, request, answer, fault] {
    if (call->Answer(answer)) {
      // Its bytes are passed on by this thread, and so not before.
      relay_.Harm(call->port(), answer.SerializeAsString(), fault);
    } else if constexpr (std::is_same_v<Response, v1::PayResponse>) {
      KeepLate(request, answer);
    }
  });
}

v1::InquireResponse WaterHost::DecideInquire(const v1::InquireRequest& request, bool refuse) {
  BillerAnswer said;
  said.code = kRefused;
  if (!refuse) said = biller_.Inquire(request.customer_number());
  v1::InquireResponse response;
  if (said.code == kDone) {
    response.mutable_found()->set_customer_name(said.customer_name);
    response.mutable_found()->set_owed_fen(said.owed.fen());
  } else {
    Fill(said.code, response.mutable_declined());
  }
  return response;
}

v1::PayResponse WaterHost::DecidePay(const v1::PaymentRequest& request, bool refuse) {
  const BillerAnswer said =
      biller_.Pay(request.payment_id(), request.customer_number(), core::Money::Fen(request.amount_fen()), refuse);
  v1::PayResponse response;
  if (said.code == kDone) {
    Fill(said, response.mutable_approved());
  } else {
    Fill(said.code, response.mutable_declined());
  }
  return response;
}

v1::QueryResponse WaterHost::DecideQuery(const v1::PaymentRequest& request, bool refuse) {
  v1::QueryResponse response;
  if (refuse) {
    // `declined` would say it of the payment.
    response.mutable_unknown()->set_cause("the query is declined by script");
    return response;
  }
  const BillerAnswer said = biller_.Query(request.payment_id());
  if (said.code == kNoSuchPayment) {
    response.mutable_never_received();
  } else if (said.original_code == kDone) {
    Fill(said, response.mutable_approved());
  } else {
    Fill(said.original_code, response.mutable_declined());
  }
  return response;
}

v1::ReverseResponse WaterHost::DecideReverse(const v1::PaymentRequest& request, bool refuse) {
  const std::string code(refuse ? std::string(kRefused) : biller_.Reverse(request.payment_id()).code);
  v1::ReverseResponse response;
  if (code == kDone) {
    response.mutable_taken_back();
  } else {
    Fill(code, response.mutable_declined());
  }
  return response;
}

v1::CancelResponse WaterHost::DecideCancel(const v1::PaymentRequest& request, bool refuse) {
  const std::string code(refuse ? std::string(kRefused) : biller_.Cancel(request.payment_id()).code);
  v1::CancelResponse response;
  if (code == kDone) {
    response.mutable_taken_back();
  } else {
    Fill(code, response.mutable_declined());
  }
  return response;
}

void WaterHost::After(microseconds wait, std::function<void()> then) {
  if (wait.count() == 0) return then();
  auto timer = std::make_shared<asio::steady_timer>(*io_, wait);
  timer->async_wait([timer, then = std::move(then)](const boost::system::error_code& error) {
    if (!error) then();
  });
}

void WaterHost::KeepLate(const v1::PaymentRequest& request, const v1::PayResponse& answer) {
  if (!answer.has_approved()) return;
  v1::LateApproval approval;
  approval.set_payment_id(request.payment_id());
  approval.set_station_id(request.station_id());
  *approval.mutable_approved() = answer.approved();
  for (const std::shared_ptr<LateStream>& stream : streams_) stream->Tell(approval);
  const bool first = late_.empty();
  late_[request.payment_id()] = std::move(approval);
  if (first) TellAgainLater();
}

void WaterHost::TellAgainLater() {
  tell_again_.expires_after(kTellAgain);
  tell_again_.async_wait([this](const boost::system::error_code& error) {
    if (error || late_.empty()) return;
    for (const std::shared_ptr<LateStream>& stream : streams_) {
      for (const auto& [payment, approval] : late_) stream->Tell(approval);
    }
    TellAgainLater();
  });
}

std::string WaterHost::Statement(core::BusinessDate date) const {
  return CsvStatement(biller_, date, "payment_id,reference,customer_number,amount_fen,at_ms");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> MakeWaterHost(const HostParts& parts) {
  SettingsReader reader(parts.settings);
  const std::string path = reader.Text("card_file");
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  const absl::StatusOr<std::string> text = remote::ReadTextFile(path);
  if (!text.ok()) {
    return absl::InvalidArgumentError(fmt::format("settings.card_file: {}", std::string(text.status().message())));
  }
  absl::StatusOr<v1::CapabilityCard> card = remote::ParseCard(*text);
  if (!card.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("settings.card_file: {}: {}", path, std::string(card.status().message())));
  }
  return std::make_unique<WaterHost>(parts, *std::move(card));
}

}  // namespace waystation::adapters::sim
