#include "switch/rpc/payment_service.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "storage/key.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"
#include "switch/rpc/convert.h"
#include "switch/rpc/pay_order.h"
#include "switch/rpc/pay_stream.h"
#include "switch/rpc/payment_lookup.h"
#include "switch/rpc/refused_stream.h"
#include "switch/rpc/trace.h"
#include "switch/rpc/unary_call.h"
#include "switch/rpc/watch_stream.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

constexpr std::string_view kListPurpose = "list payments";

// The raw form, so that a request that does not parse is answered with the field that is wrong.
using Base = v1::PaymentService::WithRawCallbackMethod_Inquire<v1::PaymentService::WithRawCallbackMethod_Pay<
    v1::PaymentService::WithRawCallbackMethod_Cancel<v1::PaymentService::WithRawCallbackMethod_GetPayment<
        v1::PaymentService::WithRawCallbackMethod_ListPayments<v1::PaymentService::WithRawCallbackMethod_WatchPayments<
            v1::PaymentService::WithRawCallbackMethod_PayStream<v1::PaymentService::Service>>>>>>>;

using WaitUntil = flow::WaitBoard::TimePoint;

class PaymentService final : public Base {
 public:
  explicit PaymentService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* Inquire(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kInquire));
    if (absl::Status status = StartInquire(*request, *context, call); !status.ok()) call.Fail(status);
    return call.reactor();
  }

  grpc::ServerUnaryReactor* Pay(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kPay));
    if (absl::Status status = StartPay(*request, *context, call); !status.ok()) call.Fail(status);
    return call.reactor();
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* PayStream(
      grpc::CallbackServerContext* context) override {
    return backend_.pay_streams->Open(backend_, *context);
  }

  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kCancel));
    if (absl::Status status = StartCancel(*request, *context, call); !status.ok()) call.Fail(status);
    return call.reactor();
  }

  grpc::ServerUnaryReactor* GetPayment(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetPayment));
    if (absl::Status status = StartGet(*request, call); !status.ok()) call.Fail(status);
    return call.reactor();
  }

  grpc::ServerUnaryReactor* ListPayments(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kListPayments));
    if (absl::Status status = StartList(*request, call); !status.ok()) call.Fail(status);
    return call.reactor();
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchPayments(grpc::CallbackServerContext*,
                                                            const grpc::ByteBuffer* bytes) override {
    v1::WatchPaymentsRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = backend_.admission->CheckServing();
    if (!status.ok()) return RefuseWatch(status);
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return RefuseWatch(station.status());
    std::optional<uint64_t> after;
    if (request.has_after_sequence()) after = request.after_sequence();
    backend_.calls->Of(Method::kWatchPayments)->Add(grpc::StatusCode::OK);
    return StartWatchStream(backend_, *station, after);
  }

 private:
  grpc::ServerWriteReactor<grpc::ByteBuffer>* RefuseWatch(const absl::Status& status) const {
    backend_.calls->Of(Method::kWatchPayments)->Add(status.raw_code());
    return new RefusedStream(ToGrpc(status));
  }

  absl::Status StartInquire(const grpc::ByteBuffer& bytes, const grpc::ServerContextBase& context,
                            const UnaryCall& call) {
    v1::InquireRequest request;
    if (absl::Status status = ParseRequest(bytes, &request); !status.ok()) return status;
    if (absl::Status status = backend_.admission->CheckChanges(); !status.ok()) return status;
    if (absl::StatusOr<WaitUntil> wait = CheckWait(false, 0, call.deadline()); !wait.ok()) return wait.status();
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    if (absl::Status status = CheckOperator("operator_id", request.operator_id()); !status.ok()) return status;
    if (absl::Status status = CheckBillerId(request.biller_id()); !status.ok()) return status;
    if (absl::Status status = CheckCustomerNumber(request.customer_number()); !status.ok()) return status;
    if (absl::Status status = backend_.patterns->Check(request.biller_id(), request.customer_number()); !status.ok()) {
      return status;
    }
    backend_.FlowOf(*station).Inquire(
        {*station, request.biller_id(), request.customer_number(), TraceOf(context)},
        [this, call, station = *station, biller_id = request.biller_id(),
         customer_number = request.customer_number()](flow::PaymentFlow::InquiryResult result) {
          if (!result.status.ok()) return call.Fail(result.status);
          v1::InquireResponse response;
          if (result.decline.has_value()) {
            ToProto(*result.decline, response.mutable_decline());
          } else {
            FillAnswer(station, biller_id, customer_number, result.found, response.mutable_answer());
          }
          call.Finish(response);
        });
    return absl::OkStatus();
  }

  void FillAnswer(core::StationId station, const std::string& biller_id, const std::string& customer_number,
                  const adapters::InquiryFound& found, v1::InquiryAnswer* answer) const {
    const adapters::CapabilityCard& card = backend_.router->Find(biller_id)->card();
    const std::string name = core::CutToUtf8(found.customer_name, core::kMaxNameBytes);
    const core::TimePoint expires_at = backend_.clock->Now() + core::kInquiryTokenValidity;
    core::Money least = card.least;
    core::Money most = card.most;
    switch (card.amount_rule) {
      case adapters::AmountRule::kFree: break;
      case adapters::AmountRule::kAtLeastOwed: least = std::max(least, found.owed); break;
      case adapters::AmountRule::kExact: least = most = found.owed; break;
    }
    answer->set_customer_name(name);
    answer->set_owed_fen(found.owed.fen());
    answer->set_least_fen(least.fen());
    answer->set_most_fen(most.fen());
    answer->set_inquiry_token(
        SealInquiry(*backend_.seal, {station, biller_id, customer_number, found.owed, name, expires_at}));
    answer->set_expires_at_ms(expires_at.time_since_epoch().count());
  }

  absl::Status StartPay(const grpc::ByteBuffer& bytes, const grpc::ServerContextBase& context, const UnaryCall& call) {
    StackMessage<v1::PayRequest> request;
    if (absl::Status status = ParseRequest(bytes, &*request); !status.ok()) return status;
    if (absl::Status status = backend_.admission->CheckServing(); !status.ok()) return status;
    absl::StatusOr<flow::PayOrder> order = CheckPayOrder(backend_, *request, call.deadline());
    if (!order.ok()) return order.status();
    order->trace = TraceOf(context);
    const core::StationId station = order->station;
    backend_.FlowOf(station).Pay(*std::move(order), [this, call](flow::PaymentFlow::Result result) {
      if (!result.status.ok()) return call.Fail(result.status);
      StackMessage<v1::PayResponse> response;
      ToProto(result.payment, backend_.NextStepOf(result.payment), response->mutable_payment());
      call.Finish(*response);
    });
    return absl::OkStatus();
  }

  absl::Status StartCancel(const grpc::ByteBuffer& bytes, const grpc::ServerContextBase& context,
                           const UnaryCall& call) {
    v1::CancelRequest request;
    if (absl::Status status = ParseRequest(bytes, &request); !status.ok()) return status;
    if (absl::Status status = backend_.admission->CheckServing(); !status.ok()) return status;
    absl::StatusOr<WaitUntil> answer_by = CheckWait(request.has_wait_ms(), request.wait_ms(), call.deadline());
    if (!answer_by.ok() && !absl::IsInvalidArgument(answer_by.status())) return answer_by.status();
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    if (absl::Status status = CheckOperator("operator_id", request.operator_id()); !status.ok()) return status;
    absl::StatusOr<core::PaymentId> id = CheckPaymentId(request.payment_id());
    if (!id.ok()) return id.status();
    if (!answer_by.ok()) return answer_by.status();
    // Which biller it is, and so what its card says of cancels, stands in the payment.
    flow::CancelOrder order{
        *station, request.operator_id(), *id, "", *answer_by, backend_.admission->CheckNewWork(), TraceOf(context)};
    backend_.reader->PostSpawn(FindAndCancel(std::move(order), call));
    return absl::OkStatus();
  }

  asio::awaitable<void> FindAndCancel(flow::CancelOrder order, UnaryCall call) {
    absl::StatusOr<core::Payment> payment = co_await FindPayment(backend_, order.payment_id);
    if (!payment.ok() && !absl::IsNotFound(payment.status())) {
      call.Fail(payment.status());
      co_return;
    }
    // One that is not there, or not this station's, is refused by the ledger in its order of precedence.
    if (payment.ok()) order.biller_id = payment->biller_id;
    backend_.FlowOf(order.station).Cancel(std::move(order), [this, call](flow::PaymentFlow::Result result) {
      if (!result.status.ok()) return call.Fail(result.status);
      v1::CancelResponse response;
      ToProto(result.payment, backend_.NextStepOf(result.payment), response.mutable_payment());
      // Refused by the biller: the payment stands, and says why.
      if (!result.decline.has_value() && result.payment.state == core::PaymentState::kSucceeded) {
        result.decline = result.payment.decline;
      }
      if (result.decline.has_value()) ToProto(*result.decline, response.mutable_decline());
      call.Finish(response);
    });
  }

  absl::Status StartGet(const grpc::ByteBuffer& bytes, const UnaryCall& call) {
    v1::GetPaymentRequest request;
    if (absl::Status status = ParseRequest(bytes, &request); !status.ok()) return status;
    const bool by_id = !request.payment_id().empty();
    if (by_id != (request.station_id().empty() && request.request_id().empty())) {
      return absl::InvalidArgumentError("payment_id: expected either payment_id alone, or station_id and request_id");
    }
    if (by_id) {
      absl::StatusOr<core::PaymentId> id = CheckPaymentId(request.payment_id());
      if (!id.ok()) return id.status();
      backend_.reader->PostSpawn(AnswerWith(FindPayment(backend_, *id), call));
      return absl::OkStatus();
    }
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    if (absl::Status status = CheckRequestId(request.request_id()); !status.ok()) return status;
    backend_.reader->PostSpawn(AnswerWith(FindPayment(backend_, *station, request.request_id()), call));
    return absl::OkStatus();
  }

  asio::awaitable<void> AnswerWith(asio::awaitable<absl::StatusOr<core::Payment>> find, UnaryCall call) {
    absl::StatusOr<core::Payment> payment = co_await std::move(find);
    if (!payment.ok()) {
      call.Fail(payment.status());
      co_return;
    }
    v1::Payment response;
    ToProto(*payment, backend_.NextStepOf(*payment), &response);
    call.Finish(response);
  }

  absl::Status StartList(const grpc::ByteBuffer& bytes, const UnaryCall& call) {
    v1::ListPaymentsRequest request;
    if (absl::Status status = ParseRequest(bytes, &request); !status.ok()) return status;
    absl::StatusOr<ListQuery> query = CheckListQuery(request);
    if (!query.ok()) return query.status();
    backend_.reader->PostSpawn(AnswerList(*std::move(query), request, call));
    return absl::OkStatus();
  }

  absl::StatusOr<ListQuery> CheckListQuery(const v1::ListPaymentsRequest& request) const {
    ListQuery query;
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    query.station = *station;
    if (!request.from_date().empty() || !request.to_date().empty()) {
      absl::StatusOr<core::BusinessDate> from = CheckDate("from_date", request.from_date());
      if (!from.ok()) return from.status();
      absl::StatusOr<core::BusinessDate> to = CheckDate("to_date", request.to_date());
      if (!to.ok()) return to.status();
      query.from = *from;
      query.to = *to;
      if (*to < *from || to->days() - from->days() >= std::chrono::days(core::kMaxListDays)) {
        return absl::InvalidArgumentError(fmt::format(
            "to_date: {} does not go with {}; expected the same date or a later one, at most {} days in all",
            to->ToString(), from->ToString(), core::kMaxListDays));
      }
    }
    for (int state : request.states()) {
      const auto known = core::PaymentStateFromNumber(static_cast<uint32_t>(state));
      if (!known) return absl::InvalidArgumentError(fmt::format("states: {} is no payment state", state));
      query.states.push_back(*known);
    }
    absl::StatusOr<std::vector<flow::Owner>> owners = CheckOwners(request.owners());
    if (!owners.ok()) return owners.status();
    query.owners = *std::move(owners);
    absl::StatusOr<std::vector<flow::NextAction>> actions = CheckNextActions(request.next_actions());
    if (!actions.ok()) return actions.status();
    query.next_actions = *std::move(actions);
    query.overdue_only = request.overdue_only();
    absl::StatusOr<uint32_t> page_size = CheckPageSize(request.page_size());
    if (!page_size.ok()) return page_size.status();
    query.page_size = *page_size;
    if (request.page_token().empty()) return query;
    absl::StatusOr<storage::Index::Place> before = OpenPageToken(request);
    if (!before.ok()) return before.status();
    query.before = *before;
    return query;
  }

  // A page token carries the place where the page ended, and all other fields of the request.
  static std::string Unpaged(v1::ListPaymentsRequest request) {
    request.clear_page_token();
    request.clear_page_size();
    return request.SerializeAsString();
  }

  std::string SealPageToken(const v1::ListPaymentsRequest& request, const storage::Index::Place& place) const {
    std::string payload;
    storage::AppendNumber(&payload, place.date.number());
    storage::AppendNumber(&payload, place.id.number());
    // Bound to the request by the seal's purpose, so that the token stays short.
    return backend_.seal->Seal(fmt::format("{} {}", kListPurpose, Unpaged(request)), payload);
  }

  absl::StatusOr<storage::Index::Place> OpenPageToken(const v1::ListPaymentsRequest& request) const {
    const std::string purpose = fmt::format("{} {}", kListPurpose, Unpaged(request));
    absl::StatusOr<std::string> payload = backend_.seal->Open(purpose, request.page_token());
    if (!payload.ok()) {
      return absl::InvalidArgumentError(
          "page_token: was not made for this list; expected next_page_token of the page before, and the other fields "
          "unchanged");
    }
    const auto date = core::BusinessDate::FromNumber(storage::ReadNumber<uint32_t>(*payload));
    if (!date.ok()) return date.status();
    const uint64_t id = storage::ReadNumber<uint64_t>(std::string_view(*payload).substr(sizeof(uint32_t)));
    return storage::Index::Place{*date, core::PaymentId::FromNumber(id)};
  }

  asio::awaitable<void> AnswerList(ListQuery query, v1::ListPaymentsRequest request, UnaryCall call) {
    absl::StatusOr<ListPage> page = co_await rpc::ListPayments(backend_, std::move(query));
    if (!page.ok()) {
      call.Fail(page.status());
      co_return;
    }
    v1::ListPaymentsResponse response;
    for (const core::Payment& payment : page->payments) {
      ToProto(payment, backend_.NextStepOf(payment), response.add_payments());
    }
    if (page->next.has_value()) response.set_next_page_token(SealPageToken(request, *page->next));
    call.Finish(response);
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePaymentService(const Backend& backend) {
  return std::make_unique<PaymentService>(backend);
}

}  // namespace waystation::rpc
