#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/biller_adapter.h"
#include "adapters/remote/signal.h"
#include "boost/asio/awaitable.hpp"
#include "grpc_health/v1/health.grpc.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/channel.h"
#include "waystation/adapter/v1/biller_adapter.grpc.pb.h"

namespace waystation::adapters::remote {

// The connection with an adapter process, and whether anything may be sent over it.
//
// It is up while the adapter's health is SERVING (watched by a stream, so that a lost connection is seen at once) and
// the card that it described itself with, after that stream was opened, is the expected one. Calls are started only
// while it is up: gRPC 1.51 has no status that proves that a call never left, so "not sent" is known by not having
// started it.
//
// Threads: any. The streams and the alarm run on gRPC's own threads; the link has none. Shared, since those and the
// acknowledgements of late approvals hold it; Close ends them. The channel must not be destroyed on one of gRPC's
// threads, which would wait for itself: so each call is counted from its start until its context, which holds the
// channel, is gone, and Close, which waits for them all, lets the channel go.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(std::shared_ptr<grpc::Channel> channel, std::string address, adapter::v1::CapabilityCard expected,
       CapabilityCard card);

  // Begins to connect, and goes on for ever; late approvals go to `late`, null for nobody. What is called again does
  // nothing.
  void Open(LateApprovals* late);
  // Ends everything and waits for it: nothing reaches `late` any more. Called once, by the owner.
  void Close();

  // Empty when the link is up, otherwise why it is not. Waits while the adapter is being connected to, no longer than
  // `deadline`.
  boost::asio::awaitable<std::string> WhyDown(Deadline deadline);

  // For calls that were begun.
  adapter::v1::BillerAdapter::Stub& adapter() { return *adapter_; }
  // Counts a call that is about to be started, by a number; 0: none may be, the link is closing. Close cancels it.
  uint64_t Begin(grpc::ClientContext* context);
  // gRPC has done with the call, and its context is about to go: Cancel and Close touch that no more.
  void Forget(uint64_t call);
  // It is gone.
  void End(uint64_t call);
  // Nothing where it has ended.
  void Cancel(uint64_t call);

 private:
  class HealthWatch;
  class LateWatch;
  enum class State { kConnecting, kUp, kDown };

  // Starts what should run and does not. Called without the lock, as all that starts a call is.
  void Tend();
  void TendLater();
  void Describe(uint64_t session);
  void OnHealth(grpc::health::v1::HealthCheckResponse::ServingStatus status);
  void OnHealthEnded(const grpc::Status& status);
  void OnDescribed(uint64_t session, const grpc::Status& status, const adapter::v1::CapabilityCard& described);
  void OnLateApproval(const adapter::v1::LateApproval& approval);
  void OnLateEnded(const grpc::Status& status);
  void Acknowledge(const std::string& payment_id);

  // With the lock held.
  void Settle(State state, std::string why_down);
  uint64_t BeginLocked(grpc::ClientContext* context);
  void CancelLocked(uint64_t call);

  const std::string address_;
  const adapter::v1::CapabilityCard expected_;
  const CapabilityCard card_;
  // Null once it is closed.
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<adapter::v1::BillerAdapter::Stub> adapter_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool open_ = false;
  bool closing_ = false;
  uint64_t last_call_ = 0;
  std::map<uint64_t, grpc::ClientContext*> running_;  // null: the alarm, and what is forgotten
  State state_ = State::kConnecting;
  std::string why_down_;
  std::vector<std::shared_ptr<Signal>> waiting_;  // for state_ to be something else than kConnecting
  // Each time that the adapter turned SERVING, or stopped to be.
  uint64_t session_ = 0;
  uint64_t without_late_approvals_ = 0;  // the session whose adapter has none
  LateApprovals* late_ = nullptr;
  // One for each time: an alarm that is set again while it rings overwrites the function that is running.
  std::unique_ptr<grpc::Alarm> alarm_;
  bool alarm_set_ = false;
  // The number of the call; 0 while it does not run.
  uint64_t health_watch_ = 0;
  uint64_t late_watch_ = 0;
};

}  // namespace waystation::adapters::remote
