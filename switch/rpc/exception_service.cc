#include "switch/rpc/exception_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/key.h"
#include "switch/core/limits.h"
#include "switch/rpc/convert.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/exception_service.grpc.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

using Exceptions = v1::ExceptionService;
using Base = Exceptions::WithRawCallbackMethod_ListExceptions<Exceptions::WithRawCallbackMethod_ProposeResolution<
    Exceptions::WithRawCallbackMethod_ConfirmResolution<Exceptions::Service>>>;

struct ListQuery {
  core::ReadUnsettled read;
  std::vector<flow::Owner> owners;  // empty: all
  bool overdue_only = false;
};

absl::StatusOr<core::Verdict> CheckVerdict(v1::Verdict verdict) {
  if (const auto known = core::VerdictFromNumber(static_cast<uint32_t>(verdict))) return *known;
  return absl::InvalidArgumentError(fmt::format(
      "verdict: {} is no verdict; expected CHARGE_STATION, RELEASE or WRITE_OFF", static_cast<int>(verdict)));
}

absl::StatusOr<core::Command> CheckProposal(const v1::ProposeResolutionRequest& request) {
  absl::StatusOr<core::PaymentId> id = CheckPaymentId(request.payment_id());
  if (!id.ok()) return id.status();
  absl::StatusOr<core::Verdict> verdict = CheckVerdict(request.verdict());
  if (!verdict.ok()) return verdict.status();
  absl::Status status = CheckText("reason", request.reason(), core::kMaxReasonBytes, true);
  if (status.ok()) status = CheckOperator("clerk_id", request.clerk_id());
  if (!status.ok()) return status;
  return core::Command(core::ProposeResolution{*id, *verdict, request.reason(), request.clerk_id()});
}

absl::StatusOr<core::Command> CheckConfirmation(const v1::ConfirmResolutionRequest& request) {
  absl::StatusOr<core::PaymentId> id = CheckPaymentId(request.payment_id());
  if (!id.ok()) return id.status();
  absl::StatusOr<core::Verdict> verdict = CheckVerdict(request.verdict());
  if (!verdict.ok()) return verdict.status();
  if (absl::Status status = CheckOperator("clerk_id", request.clerk_id()); !status.ok()) return status;
  if (request.proposal() == 0) {
    return absl::InvalidArgumentError(
        "proposal: is missing; expected resolution.proposal of the payment as it was looked at; where that is 0, an "
        "older switch took the proposal and did not number it: propose it anew");
  }
  return core::Command(core::ConfirmResolution{*id, request.proposal(), *verdict, request.clerk_id()});
}

absl::StatusOr<std::vector<core::PaymentState>> CheckOpenStates(const google::protobuf::RepeatedField<int>& states) {
  if (states.empty()) {
    return std::vector{core::PaymentState::kUnknown, core::PaymentState::kReversing, core::PaymentState::kCancelling,
                       core::PaymentState::kReview};
  }
  std::vector<core::PaymentState> checked;
  for (int state : states) {
    const auto known = core::PaymentStateFromNumber(static_cast<uint32_t>(state));
    if (!known.has_value() || core::IsAtRest(*known)) {
      return absl::InvalidArgumentError(fmt::format(
          "states: {} is no state of an open payment; expected HELD, UNKNOWN, REVERSING, CANCELLING or REVIEW",
          known.has_value() ? std::string(core::Name(*known)) : fmt::format("{}", state)));
    }
    checked.push_back(*known);
  }
  return checked;
}

// A page token is good for the request it was made for, of whatever size its pages are: the seal's purpose has that.
std::string PageTokenPurpose(v1::ListExceptionsRequest request) {
  request.clear_page_token();
  request.clear_page_size();
  return fmt::format("list exceptions {}", request.SerializeAsString());
}

class ExceptionService final : public Base {
 public:
  explicit ExceptionService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* ListExceptions(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                           grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kListExceptions));
    v1::ListExceptionsRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else if (absl::StatusOr<ListQuery> query = CheckQuery(request); !query.ok()) {
      call.Fail(query.status());
    } else {
      backend_.reader->PostSpawn(AnswerList(*std::move(query), std::move(request), call));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* ProposeResolution(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                              grpc::ByteBuffer* response) override {
    return Decide<v1::ProposeResolutionRequest>(Method::kProposeResolution, context, bytes, response, &CheckProposal);
  }
  grpc::ServerUnaryReactor* ConfirmResolution(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                              grpc::ByteBuffer* response) override {
    return Decide<v1::ConfirmResolutionRequest>(Method::kConfirmResolution, context, bytes, response,
                                                &CheckConfirmation);
  }

 private:
  template <typename Request, typename Check>
  grpc::ServerUnaryReactor* Decide(Method method, grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                   grpc::ByteBuffer* response, Check check) {
    const UnaryCall call(context, response, backend_.calls->Of(method));
    Request request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = backend_.admission->CheckChanges();
    if (!status.ok()) {
      call.Fail(status);
      return call.reactor();
    }
    absl::StatusOr<core::Command> command = check(request);
    if (command.ok()) {
      backend_.reader->PostSpawn(AnswerDecided(*std::move(command), call));
    } else {
      call.Fail(command.status());
    }
    return call.reactor();
  }

  // One in REVIEW is not the resolver's any more, and nobody waits for it: the ledger alone is told.
  asio::awaitable<void> AnswerDecided(core::Command command, UnaryCall call) {
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(command));
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    const core::Payment& payment = std::get<core::Payment>(reply.value);
    v1::Payment response;
    ToProto(payment, backend_.NextStepOf(payment), &response);
    call.Finish(response);
  }

  absl::StatusOr<ListQuery> CheckQuery(const v1::ListExceptionsRequest& request) const {
    absl::StatusOr<std::vector<core::PaymentState>> states = CheckOpenStates(request.states());
    if (!states.ok()) return states.status();
    absl::StatusOr<std::vector<flow::Owner>> owners = CheckOwners(request.owners());
    if (!owners.ok()) return owners.status();
    if (!request.biller_id().empty()) {
      if (absl::Status status = CheckBillerId(request.biller_id()); !status.ok()) return status;
    }
    absl::StatusOr<uint32_t> page_size = CheckPageSize(request.page_size());
    if (!page_size.ok()) return page_size.status();
    ListQuery query{core::ReadUnsettled{*std::move(states), request.biller_id(), {}, *page_size}, *std::move(owners),
                    request.overdue_only()};
    if (request.page_token().empty()) return query;
    absl::StatusOr<std::string> payload = backend_.seal->Open(PageTokenPurpose(request), request.page_token());
    if (!payload.ok()) {
      return absl::InvalidArgumentError(
          "page_token: was not made for this list; expected next_page_token of the page before, and the other fields "
          "unchanged");
    }
    query.read.after.station = core::StationId::FromNumber(storage::ReadNumber<uint64_t>(*payload));
    query.read.after.id =
        core::PaymentId::FromNumber(storage::ReadNumber<uint64_t>(std::string_view(*payload).substr(sizeof(uint64_t))));
    return query;
  }

  asio::awaitable<void> AnswerList(ListQuery query, v1::ListExceptionsRequest request, UnaryCall call) {
    core::Command read = std::move(query.read);
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(read));
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    const auto& page = std::get<core::UnsettledPage>(reply.value);
    const core::TimePoint now = backend_.clock->Now();
    v1::ListExceptionsResponse response;
    for (const core::Payment& payment : page.payments) {
      const flow::NextStep next = backend_.NextStepOf(payment, now);
      const bool wanted = query.owners.empty() || std::ranges::find(query.owners, next.owner) != query.owners.end();
      if (!wanted || (query.overdue_only && !flow::IsOverdue(next, now))) continue;
      ToProto(payment, next, response.add_payments());
    }
    if (page.next.has_value()) {
      std::string payload;
      storage::AppendNumber(&payload, page.next->station.number());
      storage::AppendNumber(&payload, page.next->id.number());
      response.set_next_page_token(backend_.seal->Seal(PageTokenPurpose(std::move(request)), payload));
    }
    call.Finish(response);
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeExceptionService(const Backend& backend) {
  return std::make_unique<ExceptionService>(backend);
}

}  // namespace waystation::rpc
