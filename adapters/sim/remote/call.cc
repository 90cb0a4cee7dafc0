#include "adapters/sim/remote/call.h"

#include <charconv>
#include <string>
#include <utility>

namespace waystation::adapters::sim {
namespace {

// Of "ipv4:127.0.0.1:40001".
uint16_t PortOf(const std::string& peer) {
  uint16_t port = 0;
  std::from_chars(peer.data() + peer.rfind(':') + 1, peer.data() + peer.size(), port);
  return port;
}

const grpc::Status& Cancelled() {
  static const grpc::Status cancelled(grpc::StatusCode::CANCELLED, "nobody waits for it any more");
  return cancelled;
}

}  // namespace

Call::Call(grpc::CallbackServerContext* context, google::protobuf::Message* response)
    : port_(PortOf(context->peer())), deadline_(context->deadline()), response_(response) {}

std::shared_ptr<Call> Call::Begin(grpc::CallbackServerContext* context, google::protobuf::Message* response) {
  std::shared_ptr<Call> call(new Call(context, response));
  call->self_ = call;
  return call;
}

bool Call::Over() {
  const std::scoped_lock lock(mutex_);
  return ended_ || std::chrono::system_clock::now() >= deadline_;
}

bool Call::Answer(const google::protobuf::Message& answer) {
  if (!TakeOver(&answer)) return false;
  Finish(grpc::Status::OK);
  return true;
}

void Call::Fail(const grpc::Status& status) {
  if (TakeOver(nullptr)) Finish(status);
}

// Finish stands outside of the lock: gRPC may run callbacks within it.
bool Call::TakeOver(const google::protobuf::Message* answer) {
  const std::scoped_lock lock(mutex_);
  const bool too_late = answer != nullptr && std::chrono::system_clock::now() >= deadline_;
  if (ended_ || too_late) return false;
  ended_ = true;
  if (answer != nullptr) response_->CopyFrom(*answer);
  return true;
}

void Call::OnCancel() {
  Fail(Cancelled());
}

void Call::OnDone() {
  const std::shared_ptr<Call> self = std::move(self_);
}

std::shared_ptr<LateStream> LateStream::Begin() {
  std::shared_ptr<LateStream> stream(new LateStream());
  stream->self_ = stream;
  return stream;
}

void LateStream::Tell(const adapter::v1::LateApproval& approval) {
  const adapter::v1::LateApproval* first = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (ended_ || waiting_.size() == kMostWaiting) return;
    waiting_.push_back(approval);
    if (waiting_.size() > 1) return;
    first = &waiting_.front();
  }
  StartWrite(first);
}

bool LateStream::Ended() {
  const std::scoped_lock lock(mutex_);
  return ended_;
}

void LateStream::OnWriteDone(bool /*ok*/) {
  const adapter::v1::LateApproval* next = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.pop_front();
    if (!ended_ && waiting_.empty()) return;
    if (!ended_) next = &waiting_.front();
  }
  if (next != nullptr) {
    StartWrite(next);
  } else {
    Finish(Cancelled());
  }
}

void LateStream::OnCancel() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    if (!waiting_.empty()) return;  // OnWriteDone finishes it
  }
  Finish(Cancelled());
}

void LateStream::OnDone() {
  const std::shared_ptr<LateStream> self = std::move(self_);
}

}  // namespace waystation::adapters::sim
