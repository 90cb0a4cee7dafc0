#include "switch/rpc/admin_service.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "storage/key.h"
#include "switch/core/limits.h"
#include "switch/rpc/convert.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

constexpr std::string_view kListPurpose = "list stations";

using Admin = v1::AdminService;
using Base = Admin::WithRawCallbackMethod_RegisterStation<
    Admin::WithRawCallbackMethod_ListStations<Admin::WithRawCallbackMethod_SetStationStatus<
        Admin::WithRawCallbackMethod_GrantCredit<Admin::WithRawCallbackMethod_RecordCounterPurchase<
            Admin::WithRawCallbackMethod_ListBillers<Admin::WithRawCallbackMethod_GetBiller<
                Admin::WithRawCallbackMethod_SetBillerStatus<Admin::WithRawCallbackMethod_GetBusinessDay<
                    Admin::WithRawCallbackMethod_CloseBusinessDay<Admin::Service>>>>>>>>>>;

class AdminService final : public Base {
 public:
  explicit AdminService(const Backend& backend) : backend_(backend) {}

  // Each call: parse, check the shapes, have the ledger decide, answer.
  grpc::ServerUnaryReactor* RegisterStation(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                            grpc::ByteBuffer* response) override {
    return Change<v1::RegisterStationRequest>(Method::kRegisterStation, context, bytes, response, &CheckRegistration,
                                              &AnswerAccount);
  }
  grpc::ServerUnaryReactor* SetStationStatus(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                             grpc::ByteBuffer* response) override {
    return Change<v1::SetStationStatusRequest>(Method::kSetStationStatus, context, bytes, response, &CheckStationStatus,
                                               &AnswerAccount);
  }
  grpc::ServerUnaryReactor* GrantCredit(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                        grpc::ByteBuffer* response) override {
    return Change<v1::GrantCreditRequest>(Method::kGrantCredit, context, bytes, response, &CheckCredit, &AnswerAccount);
  }
  grpc::ServerUnaryReactor* RecordCounterPurchase(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                                  grpc::ByteBuffer* response) override {
    const auto check = [this](const v1::RecordCounterPurchaseRequest& purchase) {
      return CheckPurchase(purchase, backend_.admission->CheckNewWork());
    };
    return Change<v1::RecordCounterPurchaseRequest>(Method::kRecordCounterPurchase, context, bytes, response, check,
                                                    &AnswerPurchase);
  }
  grpc::ServerUnaryReactor* CloseBusinessDay(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                             grpc::ByteBuffer* response) override {
    return Change<v1::CloseBusinessDayRequest>(Method::kCloseBusinessDay, context, bytes, response, &CheckDayCut,
                                               &AnswerDay);
  }

  grpc::ServerUnaryReactor* GetBusinessDay(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                           grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetBusinessDay));
    v1::GetBusinessDayRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else {
      backend_.reader->PostSpawn(Run(core::ReadBusinessDay{}, call, &AnswerDay));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* ListStations(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                         grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kListStations));
    v1::ListStationsRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else if (absl::StatusOr<core::ReadStations> read = CheckStationPage(request); !read.ok()) {
      call.Fail(read.status());
    } else {
      backend_.reader->PostSpawn(AnswerStations(*read, call));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* ListBillers(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                        grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kListBillers));
    v1::ListBillersRequest request;
    if (absl::Status status = ParseRequest(*bytes, &request); !status.ok()) {
      call.Fail(status);
    } else {
      backend_.reader->PostSpawn(AnswerBillers(call));
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* GetBiller(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                      grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kGetBiller));
    v1::GetBillerRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = CheckBillerId(request.biller_id());
    if (status.ok()) {
      backend_.reader->PostSpawn(AnswerBiller(std::move(request), call));
    } else {
      call.Fail(status);
    }
    return call.reactor();
  }

  grpc::ServerUnaryReactor* SetBillerStatus(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                            grpc::ByteBuffer* response) override {
    const UnaryCall call(context, response, backend_.calls->Of(Method::kSetBillerStatus));
    v1::SetBillerStatusRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    if (status.ok()) status = backend_.admission->CheckChanges();
    if (status.ok()) status = CheckBillerStatus(request);
    if (status.ok()) {
      backend_.reader->PostSpawn(SetAndAnswer(std::move(request), call));
    } else {
      call.Fail(status);
    }
    return call.reactor();
  }

 private:
  template <typename Request, typename Check, typename Answer>
  grpc::ServerUnaryReactor* Change(Method method, grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                                   grpc::ByteBuffer* response, Check check, Answer answer) {
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
      backend_.reader->PostSpawn(Run(*std::move(command), call, answer));
    } else {
      call.Fail(command.status());
    }
    return call.reactor();
  }

  template <typename Answer>
  asio::awaitable<void> Run(core::Command command, UnaryCall call, Answer answer) {
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(command));
    if (reply.status.ok()) {
      answer(reply, call);
    } else {
      call.Fail(reply.status);
    }
  }

  // --- shapes ---
  static absl::StatusOr<core::Command> CheckRegistration(const v1::RegisterStationRequest& request) {
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    absl::Status status = CheckText("name", request.name(), core::kMaxNameBytes, true);
    if (!status.ok()) return status;
    if (static_cast<size_t>(request.signing_institutions_size()) > core::kMaxSigningInstitutions) {
      return absl::InvalidArgumentError(fmt::format("signing_institutions: has {} entries; expected at most {}",
                                                    request.signing_institutions_size(),
                                                    core::kMaxSigningInstitutions));
    }
    core::RegisterStation command{*station, request.name(), {}};
    for (const std::string& text : request.signing_institutions()) {
      absl::StatusOr<core::StationId> institution = CheckStation("signing_institutions", text);
      if (!institution.ok()) return institution.status();
      command.signing_institutions.push_back(*institution);
    }
    return core::Command(std::move(command));
  }

  static absl::StatusOr<core::Command> CheckStationStatus(const v1::SetStationStatusRequest& request) {
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    const auto wanted = core::StationStatusFromNumber(static_cast<uint32_t>(request.status()));
    if (!wanted) {
      return absl::InvalidArgumentError(
          fmt::format("status: {} is no station status; expected APPROVED, ACTIVE, SUSPENDED or CLOSED",
                      static_cast<int>(request.status())));
    }
    absl::Status status = CheckText("reason", request.reason(), core::kMaxReasonBytes, false);
    if (!status.ok()) return status;
    return core::Command(core::SetStationStatus{*station, *wanted, request.reason()});
  }

  static absl::StatusOr<core::Command> CheckCredit(const v1::GrantCreditRequest& request) {
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    absl::StatusOr<core::Money> limit = CheckAmount("credit_limit_fen", request.credit_limit_fen(), core::Money());
    if (!limit.ok()) return limit.status();
    absl::Status status = CheckText("reason", request.reason(), core::kMaxReasonBytes, false);
    if (!status.ok()) return status;
    return core::Command(core::GrantCredit{*station, *limit, request.reason()});
  }

  static absl::StatusOr<core::Command> CheckPurchase(const v1::RecordCounterPurchaseRequest& request,
                                                     absl::Status refuse_new) {
    absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
    if (!station.ok()) return station.status();
    if (absl::Status status = CheckRequestId(request.request_id()); !status.ok()) return status;
    absl::StatusOr<core::Money> amount = CheckAmount("amount_fen", request.amount_fen(), core::kLeastCounterPurchase);
    if (!amount.ok()) return amount.status();
    if (absl::Status status = CheckOperator("clerk_id", request.clerk_id()); !status.ok()) return status;
    return core::Command(core::RecordCounterPurchase{*station, request.request_id(), *amount, request.clerk_id(),
                                                     std::move(refuse_new)});
  }

  static absl::StatusOr<core::Command> CheckDayCut(const v1::CloseBusinessDayRequest& request) {
    absl::StatusOr<core::BusinessDate> closing = CheckDate("closing_date", request.closing_date());
    if (!closing.ok()) return closing.status();
    core::CloseDay command{*closing, closing->NextDay()};
    if (!request.opening_date().empty()) {
      absl::StatusOr<core::BusinessDate> opening = CheckDate("opening_date", request.opening_date());
      if (!opening.ok()) return opening.status();
      command.opening = *opening;
    }
    return core::Command(command);
  }

  static absl::Status CheckBillerStatus(const v1::SetBillerStatusRequest& request) {
    if (absl::Status status = CheckBillerId(request.biller_id()); !status.ok()) return status;
    if (request.status() != v1::BILLER_STATUS_ENABLED && request.status() != v1::BILLER_STATUS_DISABLED) {
      return absl::InvalidArgumentError(fmt::format("status: {} is no biller status; expected ENABLED or DISABLED",
                                                    static_cast<int>(request.status())));
    }
    return CheckText("reason", request.reason(), core::kMaxReasonBytes, false);
  }

  absl::StatusOr<core::ReadStations> CheckStationPage(const v1::ListStationsRequest& request) const {
    absl::StatusOr<uint32_t> page_size = CheckPageSize(request.page_size());
    if (!page_size.ok()) return page_size.status();
    core::ReadStations read{core::StationId(), *page_size};
    if (request.page_token().empty()) return read;
    absl::StatusOr<std::string> payload = backend_.seal->Open(kListPurpose, request.page_token());
    if (!payload.ok()) {
      return absl::InvalidArgumentError(fmt::format("page_token: {}", std::string(payload.status().message())));
    }
    read.after = core::StationId::FromNumber(storage::ReadNumber<uint64_t>(*payload));
    return read;
  }

  // --- answers ---
  static void AnswerAccount(const core::Reply& reply, const UnaryCall& call) {
    v1::Account response;
    ToProto(std::get<core::Account>(reply.value), reply.sequence, &response);
    call.Finish(response);
  }

  static void AnswerPurchase(const core::Reply& reply, const UnaryCall& call) {
    v1::CounterPurchase response;
    ToProto(std::get<core::Purchase>(reply.value), &response);
    call.Finish(response);
  }

  static void AnswerDay(const core::Reply& reply, const UnaryCall& call) {
    v1::BusinessDay response;
    ToProto(std::get<core::BusinessDay>(reply.value), reply.sequence, &response);
    call.Finish(response);
  }

  asio::awaitable<void> AnswerStations(core::ReadStations read, UnaryCall call) {
    const uint32_t limit = read.limit;
    core::Command command = read;
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(command));
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    v1::ListStationsResponse response;
    const auto& stations = std::get<std::vector<core::Account>>(reply.value);
    for (const core::Account& station : stations) ToProto(station, reply.sequence, response.add_stations());
    if (stations.size() == limit) {
      std::string payload;
      storage::AppendNumber(&payload, stations.back().station.number());
      response.set_next_page_token(backend_.seal->Seal(kListPurpose, payload));
    }
    call.Finish(response);
  }

  asio::awaitable<core::Reply> ReadBillers() {
    core::Command read = core::ReadBillers{};
    co_return co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(read));
  }

  // A biller of the configuration is known to the ledger since start-up.
  void ToBiller(const flow::BillerLane& lane, const std::vector<core::BillerState>& states, v1::Biller* out) const {
    auto it = std::find_if(states.begin(), states.end(),
                           [&](const core::BillerState& s) { return s.biller_id == lane.biller_id(); });
    WS_CHECK(it != states.end(), "a configured biller is not registered");
    ToProto(lane, *it, out);
  }

  asio::awaitable<void> AnswerBillers(UnaryCall call) {
    core::Reply reply = co_await ReadBillers();
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    const auto& states = std::get<std::vector<core::BillerState>>(reply.value);
    v1::ListBillersResponse response;
    for (const auto& [id, lane] : backend_.router->lanes()) ToBiller(*lane, states, response.add_billers());
    call.Finish(response);
  }

  absl::Status NoSuchBiller(const std::string& biller_id) const {
    std::string known;
    for (const auto& [id, lane] : backend_.router->lanes()) known += fmt::format("{}{}", known.empty() ? "" : ", ", id);
    return absl::NotFoundError(
        fmt::format("biller_id: \"{}\" is not a biller of this switch; expected one of: {}", biller_id, known));
  }

  asio::awaitable<void> AnswerBiller(v1::GetBillerRequest request, UnaryCall call) {
    const flow::BillerLane* lane = backend_.router->Find(request.biller_id());
    if (lane == nullptr) {
      call.Fail(NoSuchBiller(request.biller_id()));
      co_return;
    }
    core::Reply reply = co_await ReadBillers();
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    v1::Biller response;
    ToBiller(*lane, std::get<std::vector<core::BillerState>>(reply.value), &response);
    ToProto(lane->status(), response.mutable_lane());
    call.Finish(response);
  }

  asio::awaitable<void> SetAndAnswer(v1::SetBillerStatusRequest request, UnaryCall call) {
    const flow::BillerLane* lane = backend_.router->Find(request.biller_id());
    if (lane == nullptr) {
      call.Fail(NoSuchBiller(request.biller_id()));
      co_return;
    }
    core::Command set =
        core::SetBillerStatus{request.biller_id(), request.status() == v1::BILLER_STATUS_ENABLED, request.reason()};
    core::Reply reply = co_await TryCommit(*backend_.sequencer, *backend_.reader, std::move(set));
    if (reply.status.ok()) reply = co_await ReadBillers();
    if (!reply.status.ok()) {
      call.Fail(reply.status);
      co_return;
    }
    v1::Biller response;
    ToBiller(*lane, std::get<std::vector<core::BillerState>>(reply.value), &response);
    call.Finish(response);
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(const Backend& backend) {
  return std::make_unique<AdminService>(backend);
}

}  // namespace waystation::rpc
