#include "tests/adapters/adapter_process.h"

#include <chrono>
#include <condition_variable>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace waystation::adapters {

namespace v1 = adapter::v1;

constexpr char kService[] = "waystation.adapter.v1.BillerAdapter";

AdapterProcess::AdapterProcess() {
  described.set_service("water");
  described.set_inquiry(v1::INQUIRY_RULE_NONE);
  described.set_amount_rule(v1::AMOUNT_RULE_FREE);
  described.set_cancel(v1::CANCEL_RULE_NONE);
  described.set_least_fen(100);
  described.set_most_fen(10'000);
  described.set_step_fen(1);
  described.set_customer_number_pattern("[0-9]+");
  described.set_customer_number_hint("digits");
  described.set_can_query(true);
  described.set_time_limit_ms(1'000);
  described.set_max_in_flight(100);
  pay = [](Context*, const v1::PaymentRequest&, v1::PayResponse* response) {
    response->mutable_approved()->set_biller_reference("R1");
    return grpc::Status::OK;
  };
}

AdapterProcess::~AdapterProcess() {
  Stop();
}

void AdapterProcess::Start() {
  grpc::EnableDefaultHealthCheckService(serves_health);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 500);
  builder.AddListeningPort(address_, credentials, &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  ASSERT_NE(server_, nullptr);
  ASSERT_NE(port, 0);
  address_ = fmt::format("127.0.0.1:{}", port);
  if (serves_health) server_->GetHealthCheckService()->SetServingStatus(kService, true);
}

void AdapterProcess::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

void AdapterProcess::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(kService, serving);
}

void AdapterProcess::TellLate(const v1::LateApproval& approval) {
  const std::scoped_lock lock(mutex_);
  late_.push_back(approval);
}

grpc::Status AdapterProcess::Describe(Context*, const v1::DescribeRequest*, v1::CapabilityCard* card) {
  const std::scoped_lock lock(mutex_);
  ++described_times_;
  *card = described;
  return grpc::Status::OK;
}

grpc::Status AdapterProcess::Pay(Context* context, const v1::PaymentRequest* request, v1::PayResponse* response) {
  {
    const std::scoped_lock lock(mutex_);
    ++payments_;
  }
  return pay(context, *request, response);
}

grpc::Status AdapterProcess::Query(Context* context, const v1::PaymentRequest*, v1::QueryResponse* response) {
  return query(context, response);
}

grpc::Status AdapterProcess::WatchLateApprovals(Context* context, const v1::WatchLateApprovalsRequest*,
                                                grpc::ServerWriter<v1::LateApproval>* writer) {
  std::mutex alone;
  std::condition_variable never;
  while (!context->IsCancelled()) {
    std::vector<v1::LateApproval> late;
    {
      const std::scoped_lock lock(mutex_);
      late = late_;
      told_ += static_cast<int>(late.size());
    }
    for (const v1::LateApproval& approval : late) writer->Write(approval);
    std::unique_lock lock(alone);
    never.wait_for(lock, std::chrono::milliseconds(20));
  }
  return grpc::Status::OK;
}

grpc::Status AdapterProcess::AcknowledgeLateApproval(Context*, const v1::AcknowledgeLateApprovalRequest* request,
                                                     v1::AcknowledgeLateApprovalResponse*) {
  const std::scoped_lock lock(mutex_);
  ++acknowledged_;
  std::erase_if(late_, [&](const v1::LateApproval& late) { return late.payment_id() == request->payment_id(); });
  return grpc::Status::OK;
}

}  // namespace waystation::adapters
