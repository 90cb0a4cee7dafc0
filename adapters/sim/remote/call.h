#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "waystation/adapter/v1/biller_adapter.pb.h"

// What goes on between gRPC's threads and the host's one.
namespace waystation::adapters::sim {

// A call that waits for its answer; one that gets none ends with the client's deadline. Threads: any. Shared by gRPC,
// until that has done with it, and by what the host still means to do about it.
class Call final : public grpc::ServerUnaryReactor {
 public:
  // `response` is gRPC's.
  static std::shared_ptr<Call> Begin(grpc::CallbackServerContext* context, google::protobuf::Message* response);

  // The port of the client, as gRPC sees it; 0 where it has none.
  uint16_t port() const { return port_; }
  // Ended, or past its deadline.
  bool Over();
  // False: it was over, and nobody hears of it.
  bool Answer(const google::protobuf::Message& answer);
  void Fail(const grpc::Status& status);

 private:
  Call(grpc::CallbackServerContext* context, google::protobuf::Message* response);
  // True for the first who asks: it is up to them to finish.
  bool TakeOver(const google::protobuf::Message* answer);
  void OnCancel() override;
  void OnDone() override;

  const uint16_t port_;
  const std::chrono::system_clock::time_point deadline_;
  google::protobuf::Message* const response_;
  std::mutex mutex_;
  bool ended_ = false;
  std::shared_ptr<Call> self_;  // while gRPC has it
};

// A stream of late approvals. Threads and owners as a call's.
class LateStream final : public grpc::ServerWriteReactor<adapter::v1::LateApproval> {
 public:
  static std::shared_ptr<LateStream> Begin();

  // Nothing where kMostWaiting of them are on their way: an approval is told again.
  void Tell(const adapter::v1::LateApproval& approval);
  bool Ended();

 private:
  static constexpr size_t kMostWaiting = 1'000;

  LateStream() = default;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  std::mutex mutex_;
  bool ended_ = false;
  std::deque<adapter::v1::LateApproval> waiting_;  // the first is being written
  std::shared_ptr<LateStream> self_;               // while gRPC has it
};

}  // namespace waystation::adapters::sim
