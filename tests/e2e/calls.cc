#include "tests/e2e/calls.h"

#include <csignal>
#include <future>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace waystation::e2e {

std::string StationNumber(int n) {
  return fmt::format("{:012}", 440'106'000'000 + n);
}

std::string CustomerNumber(std::string_view biller, int n, int ending) {
  if (biller == "mobile") return fmt::format("138{:06}{:02}", n, ending);
  if (biller == "electricity") return fmt::format("{:08}{:02}", n, ending);
  return fmt::format("{:06}{:02}", n, ending);
}

v1::PayRequest PayRequestFor(const std::string& station, const std::string& request_id, const std::string& biller,
                             const std::string& customer_number, int64_t amount_fen) {
  v1::PayRequest request;
  request.set_station_id(station);
  request.set_operator_id(kOperator);
  request.set_request_id(request_id);
  request.set_biller_id(biller);
  request.set_customer_number(customer_number);
  request.set_amount_fen(amount_fen);
  return request;
}

Answer<v1::PayResponse> Pay(const Api& api, const v1::PayRequest& request) {
  return Call(api.payments.get(), &v1::PaymentService::Stub::Pay, request);
}

Answer<v1::CancelResponse> Cancel(const Api& api, const std::string& station, const std::string& payment_id) {
  v1::CancelRequest request;
  request.set_station_id(station);
  request.set_operator_id(kOperator);
  request.set_payment_id(payment_id);
  return Call(api.payments.get(), &v1::PaymentService::Stub::Cancel, request);
}

Answer<v1::InquireResponse> Inquire(const Api& api, const std::string& station, const std::string& biller,
                                    const std::string& customer_number) {
  v1::InquireRequest request;
  request.set_station_id(station);
  request.set_operator_id(kOperator);
  request.set_biller_id(biller);
  request.set_customer_number(customer_number);
  return Call(api.payments.get(), &v1::PaymentService::Stub::Inquire, request);
}

Answer<v1::Payment> GetPayment(const Api& api, const std::string& payment_id) {
  v1::GetPaymentRequest request;
  request.set_payment_id(payment_id);
  return Call(api.payments.get(), &v1::PaymentService::Stub::GetPayment, request);
}

Answer<v1::Payment> GetPaymentByRequest(const Api& api, const std::string& station, const std::string& request_id) {
  v1::GetPaymentRequest request;
  request.set_station_id(station);
  request.set_request_id(request_id);
  return Call(api.payments.get(), &v1::PaymentService::Stub::GetPayment, request);
}

Answer<v1::Account> GetAccount(const Api& api, const std::string& station) {
  v1::GetAccountRequest request;
  request.set_station_id(station);
  return Call(api.accounts.get(), &v1::AccountService::Stub::GetAccount, request);
}

Answer<v1::BusinessDay> GetDay(const Api& api) {
  return Call(api.admin.get(), &v1::AdminService::Stub::GetBusinessDay, v1::GetBusinessDayRequest());
}

Answer<v1::BusinessDay> CloseDay(const Api& api, const std::string& date) {
  v1::CloseBusinessDayRequest request;
  request.set_closing_date(date);
  return Call(api.admin.get(), &v1::AdminService::Stub::CloseBusinessDay, request);
}

Answer<v1::Account> SetStationStatus(const Api& api, const std::string& station, v1::StationStatus status) {
  v1::SetStationStatusRequest request;
  request.set_station_id(station);
  request.set_status(status);
  return Call(api.admin.get(), &v1::AdminService::Stub::SetStationStatus, request);
}

Answer<v1::Biller> GetBiller(const Api& api, const std::string& biller) {
  v1::GetBillerRequest request;
  request.set_biller_id(biller);
  return Call(api.admin.get(), &v1::AdminService::Stub::GetBiller, request);
}

Answer<v1::Biller> SetBillerStatus(const Api& api, const std::string& biller, v1::BillerStatus status) {
  v1::SetBillerStatusRequest request;
  request.set_biller_id(biller);
  request.set_status(status);
  return Call(api.admin.get(), &v1::AdminService::Stub::SetBillerStatus, request);
}

Answer<v1::CounterPurchase> Purchase(const Api& api, const std::string& station, const std::string& request_id,
                                     int64_t amount_fen) {
  v1::RecordCounterPurchaseRequest request;
  request.set_station_id(station);
  request.set_request_id(request_id);
  request.set_amount_fen(amount_fen);
  request.set_clerk_id(kOperator);
  return Call(api.admin.get(), &v1::AdminService::Stub::RecordCounterPurchase, request);
}

Answer<std::string> SendRaw(const Api& api, const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(api.channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> answered;
  stub.UnaryCall(&context, "/" + method, grpc::StubOptions(), &request, &response,
                 [&](grpc::Status status) { answered.set_value(std::move(status)); });
  Answer<std::string> answer;
  answer.status = answered.get_future().get();
  std::vector<grpc::Slice> slices;
  if (answer.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices)
      answer.value.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  return answer;
}

grpc::Status OpenStation(const Api& api, const std::string& station, int64_t amount_fen) {
  v1::RegisterStationRequest request;
  request.set_station_id(station);
  request.set_name("Corner shop " + station);
  grpc::Status status = Call(api.admin.get(), &v1::AdminService::Stub::RegisterStation, request).status;
  for (const v1::StationStatus step : {v1::STATION_STATUS_APPROVED, v1::STATION_STATUS_ACTIVE}) {
    if (status.ok()) status = SetStationStatus(api, station, step).status;
  }
  if (status.ok() && amount_fen > 0) status = Purchase(api, station, "opening", amount_fen).status;
  return status;
}

Watch::Watch(const Api& api, const std::string& station, std::optional<uint64_t> after_sequence) {
  context_.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  v1::WatchPaymentsRequest request;
  request.set_station_id(station);
  if (after_sequence.has_value()) request.set_after_sequence(*after_sequence);
  reader_ = api.payments->WatchPayments(&context_, request);
}

Watch::~Watch() {
  context_.TryCancel();
}

std::optional<v1::PaymentEvent> Watch::Next() {
  v1::PaymentEvent event;
  if (!reader_->Read(&event)) return std::nullopt;
  return event;
}

bool Watch::WaitFor(const std::string& payment_id, v1::PaymentState state) {
  while (std::optional<v1::PaymentEvent> event = Next()) {
    if (event->payment().payment_id() == payment_id && event->payment().state() == state) return true;
  }
  return false;
}

void SwitchTest::StartSwitch(SwitchOptions options) {
  absl::StatusOr<std::unique_ptr<SwitchProcess>> made = SwitchProcess::Make(std::move(options));
  ASSERT_TRUE(made.ok()) << made.status();
  process_ = *std::move(made);
  const absl::Status started = process_->Start();
  ASSERT_TRUE(started.ok()) << started;
  api_ = process_->Connect();
}

absl::Status SwitchTest::Stop() {
  api_ = Api();
  return process_->Stop();
}

void SwitchTest::Restart(int signal) {
  if (signal == SIGTERM) {
    const absl::Status stopped = Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
  } else {
    process_->Kill();
  }
  const absl::Status started = process_->Start();
  ASSERT_TRUE(started.ok()) << started;
  api_ = process_->Connect();
}

}  // namespace waystation::e2e
