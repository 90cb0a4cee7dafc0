#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "waystation/adapter/v1/biller_adapter.grpc.pb.h"

namespace waystation::adapters {

// The other side of the remote adapter, in this process, answering what a test says. Any thread.
class AdapterProcess final : public adapter::v1::BillerAdapter::Service {
 public:
  using Context = grpc::ServerContext;

  AdapterProcess();
  ~AdapterProcess() override;

  // --- set before Start ---
  adapter::v1::CapabilityCard described;
  bool serves_health = true;
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  std::function<grpc::Status(Context*, const adapter::v1::PaymentRequest&, adapter::v1::PayResponse*)> pay;
  std::function<grpc::Status(Context*, adapter::v1::QueryResponse*)> query;

  void Start();
  // Cuts all connections. Start may be called again: the port is the same.
  void Stop();
  void SetServing(bool serving);
  // 127.0.0.1:port
  const std::string& address() const { return address_; }

  // Tells it, again and again until it is acknowledged.
  void TellLate(const adapter::v1::LateApproval& approval);

  int described_times() const { return Get(described_times_); }
  int payments() const { return Get(payments_); }
  int told() const { return Get(told_); }
  int acknowledged() const { return Get(acknowledged_); }

 private:
  grpc::Status Describe(Context*, const adapter::v1::DescribeRequest*, adapter::v1::CapabilityCard* card) override;
  grpc::Status Pay(Context* context, const adapter::v1::PaymentRequest* request,
                   adapter::v1::PayResponse* response) override;
  grpc::Status Query(Context* context, const adapter::v1::PaymentRequest*,
                     adapter::v1::QueryResponse* response) override;
  grpc::Status WatchLateApprovals(Context* context, const adapter::v1::WatchLateApprovalsRequest*,
                                  grpc::ServerWriter<adapter::v1::LateApproval>* writer) override;
  grpc::Status AcknowledgeLateApproval(Context*, const adapter::v1::AcknowledgeLateApprovalRequest* request,
                                       adapter::v1::AcknowledgeLateApprovalResponse*) override;
  int Get(const int& count) const {
    const std::scoped_lock lock(mutex_);
    return count;
  }

  mutable std::mutex mutex_;
  int described_times_ = 0;
  int payments_ = 0;
  int told_ = 0;
  int acknowledged_ = 0;
  std::vector<adapter::v1::LateApproval> late_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace waystation::adapters
