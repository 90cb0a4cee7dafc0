#include "adapters/remote/link.h"

#include <chrono>
#include <utility>

#include "adapters/remote/card_text.h"
#include "adapters/remote/messages.h"
#include "fmt/format.h"
#include "switch/core/ids.h"

namespace waystation::adapters::remote {

namespace v1 = adapter::v1;
namespace asio = boost::asio;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

constexpr std::string_view kService = "waystation.adapter.v1.BillerAdapter";
// Between the end of a stream and the next attempt.
constexpr std::chrono::milliseconds kTendAfter{200};
constexpr std::chrono::milliseconds kDescribeLimit{5'000};
constexpr std::chrono::milliseconds kAcknowledgeLimit{2'000};

std::chrono::system_clock::time_point FromNow(std::chrono::milliseconds time) {
  return std::chrono::system_clock::now() + time;
}

}  // namespace

// Each deletes itself when it has ended.
class Link::HealthWatch final : public grpc::ClientReadReactor<HealthCheckResponse> {
 public:
  explicit HealthWatch(std::shared_ptr<Link> link) : link_(std::move(link)) {
    request_.set_service(std::string(kService));
  }
  grpc::ClientContext* context() { return &context_; }
  void Start(uint64_t call) {
    call_ = call;
    link_->health_->async()->Watch(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    link_->OnHealth(response_.status());
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Link> link = link_;
    const grpc::Status ended = status;
    link->Forget(call_);
    delete this;
    link->OnHealthEnded(ended);
  }

  const std::shared_ptr<Link> link_;
  uint64_t call_ = 0;
  grpc::ClientContext context_;
  HealthCheckRequest request_;
  HealthCheckResponse response_;
};

class Link::LateWatch final : public grpc::ClientReadReactor<v1::LateApproval> {
 public:
  explicit LateWatch(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  grpc::ClientContext* context() { return &context_; }
  void Start(uint64_t call) {
    call_ = call;
    link_->adapter_->async()->WatchLateApprovals(&context_, &request_, this);
    StartRead(&approval_);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    link_->OnLateApproval(approval_);
    StartRead(&approval_);
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Link> link = link_;
    const grpc::Status ended = status;
    link->Forget(call_);
    delete this;
    link->OnLateEnded(ended);
  }

  const std::shared_ptr<Link> link_;
  uint64_t call_ = 0;
  grpc::ClientContext context_;
  v1::WatchLateApprovalsRequest request_;
  v1::LateApproval approval_;
};

Link::Link(std::shared_ptr<grpc::Channel> channel, std::string address, v1::CapabilityCard expected,
           CapabilityCard card)
    : address_(std::move(address)),
      expected_(std::move(expected)),
      card_(std::move(card)),
      channel_(std::move(channel)),
      adapter_(v1::BillerAdapter::NewStub(channel_)),
      health_(grpc::health::v1::Health::NewStub(channel_)) {}

void Link::Open(LateApprovals* late) {
  {
    const std::scoped_lock lock(mutex_);
    if (open_) return;
    open_ = true;
    late_ = late;
  }
  Tend();
}

void Link::Close() {
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    for (const auto& [call, context] : running_) CancelLocked(call);
    if (alarm_set_) alarm_->Cancel();
    ended_.wait(lock, [this] { return running_.empty(); });
  }
  // Nothing runs any more, and nothing begins.
  adapter_.reset();
  health_.reset();
  channel_.reset();
}

uint64_t Link::Begin(grpc::ClientContext* context) {
  const std::scoped_lock lock(mutex_);
  return BeginLocked(context);
}

uint64_t Link::BeginLocked(grpc::ClientContext* context) {
  if (closing_) return 0;
  running_.emplace(++last_call_, context);
  return last_call_;
}

void Link::Forget(uint64_t call) {
  const std::scoped_lock lock(mutex_);
  running_[call] = nullptr;
}

void Link::End(uint64_t call) {
  const std::scoped_lock lock(mutex_);
  running_.erase(call);
  if (running_.empty()) ended_.notify_all();
}

void Link::Cancel(uint64_t call) {
  const std::scoped_lock lock(mutex_);
  CancelLocked(call);
}

void Link::CancelLocked(uint64_t call) {
  const auto found = running_.find(call);
  if (found != running_.end() && found->second != nullptr) found->second->TryCancel();
}

asio::awaitable<std::string> Link::WhyDown(Deadline deadline) {
  const auto signal = std::make_shared<Signal>();
  {
    const std::scoped_lock lock(mutex_);
    if (state_ == State::kUp) co_return "";
    if (state_ == State::kDown) co_return why_down_;
    waiting_.push_back(signal);
  }
  const bool settled = co_await signal->Wait(deadline);
  const std::scoped_lock lock(mutex_);
  if (!settled) {
    std::erase(waiting_, signal);
    co_return fmt::format("no connection with the adapter at {} by the deadline", address_);
  }
  co_return state_ == State::kUp ? "" : why_down_;
}

void Link::Tend() {
  HealthWatch* health_watch = nullptr;
  LateWatch* late_watch = nullptr;
  uint64_t health_call = 0;
  uint64_t late_call = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (health_watch_ == 0 && !closing_) {
      health_watch = new HealthWatch(shared_from_this());
      health_call = health_watch_ = BeginLocked(health_watch->context());
    }
    const bool has_late_approvals = without_late_approvals_ != session_;
    if (late_ != nullptr && late_watch_ == 0 && state_ == State::kUp && has_late_approvals && !closing_) {
      late_watch = new LateWatch(shared_from_this());
      late_call = late_watch_ = BeginLocked(late_watch->context());
    }
  }
  if (health_watch != nullptr) health_watch->Start(health_call);
  if (late_watch != nullptr) late_watch->Start(late_call);
}

void Link::TendLater() {
  const std::scoped_lock lock(mutex_);
  if (alarm_set_ || closing_) return;
  alarm_set_ = true;
  const uint64_t call = BeginLocked(nullptr);
  alarm_ = std::make_unique<grpc::Alarm>();
  // Weak, since the alarm keeps the function and the link the alarm; it is there, since Close waits for this.
  alarm_->Set(FromNow(kTendAfter), [weak = weak_from_this(), call](bool /*ok*/) {
    const std::shared_ptr<Link> self = weak.lock();
    if (self == nullptr) return;
    {
      const std::scoped_lock again(self->mutex_);
      self->alarm_set_ = false;
    }
    self->Tend();
    self->End(call);
  });
}

void Link::OnHealth(HealthCheckResponse::ServingStatus status) {
  uint64_t session = 0;
  {
    const std::scoped_lock lock(mutex_);
    session = ++session_;
    if (status != HealthCheckResponse::SERVING) {
      Settle(State::kDown, fmt::format("the adapter at {} says that it is {}", address_,
                                       HealthCheckResponse::ServingStatus_Name(status)));
      return;
    }
    state_ = State::kConnecting;
  }
  Describe(session);
}

void Link::Describe(uint64_t session) {
  struct Wire {
    grpc::ClientContext context;
    v1::DescribeRequest request;
    v1::CapabilityCard described;
  };
  auto wire = std::make_unique<Wire>();
  const uint64_t call = Begin(&wire->context);
  if (call == 0) return;
  wire->context.set_deadline(FromNow(kDescribeLimit));
  Wire* const out = wire.release();  // until gRPC has done with it
  adapter_->async()->Describe(&out->context, &out->request, &out->described,
                              [self = shared_from_this(), out, call, session](const grpc::Status& status) {
                                self->OnDescribed(session, status, out->described);
                                self->Forget(call);
                                delete out;
                                self->Tend();
                                self->End(call);
                              });
}

void Link::OnDescribed(uint64_t session, const grpc::Status& status, const v1::CapabilityCard& described) {
  const std::scoped_lock lock(mutex_);
  if (session != session_) return;
  if (!status.ok()) {
    Settle(State::kDown,
           fmt::format("the adapter at {} did not describe itself: {}", address_, status.error_message()));
    // It is opened again, and Describe asked again.
    CancelLocked(health_watch_);
    return;
  }
  const std::string difference = DifferenceOf(described, expected_);
  if (difference.empty()) {
    Settle(State::kUp, "");
  } else {
    Settle(State::kDown, fmt::format("the adapter at {} has another card: {}", address_, difference));
  }
}

void Link::OnHealthEnded(const grpc::Status& status) {
  uint64_t call = 0;
  {
    const std::scoped_lock lock(mutex_);
    std::swap(call, health_watch_);
    ++session_;
    if (state_ == State::kUp) {
      state_ = State::kConnecting;
    } else if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
      Settle(State::kDown, fmt::format("the adapter at {} does not serve grpc.health.v1.Health", address_));
    } else if (status.error_code() != grpc::StatusCode::CANCELLED) {
      Settle(State::kDown, fmt::format("no connection with the adapter at {}: {}", address_, status.error_message()));
    }
  }
  TendLater();
  End(call);
}

void Link::OnLateApproval(const v1::LateApproval& approval) {
  const absl::StatusOr<core::PaymentId> payment = core::PaymentId::Parse(approval.payment_id());
  const absl::StatusOr<core::StationId> station = core::StationId::Parse(approval.station_id());
  // Not acknowledged, so the adapter keeps it.
  if (!payment.ok() || !station.ok() || !IsReadable(approval.approved(), card_)) return;
  late_->OnLateApproval(*station, *payment, FromProto(approval.approved()),
                        [weak = weak_from_this(), payment_id = approval.payment_id()](bool recorded) {
                          const std::shared_ptr<Link> self = weak.lock();
                          if (recorded && self != nullptr) self->Acknowledge(payment_id);
                        });
}

void Link::Acknowledge(const std::string& payment_id) {
  struct Wire {
    grpc::ClientContext context;
    v1::AcknowledgeLateApprovalRequest request;
    v1::AcknowledgeLateApprovalResponse response;
  };
  auto wire = std::make_unique<Wire>();
  const uint64_t call = Begin(&wire->context);
  if (call == 0) return;
  wire->context.set_deadline(FromNow(kAcknowledgeLimit));
  wire->request.set_payment_id(payment_id);
  Wire* const out = wire.release();
  // Should it fail, the adapter sends the approval again.
  adapter_->async()->AcknowledgeLateApproval(&out->context, &out->request, &out->response,
                                             [self = shared_from_this(), out, call](const grpc::Status& /*status*/) {
                                               self->Forget(call);
                                               delete out;
                                               self->End(call);
                                             });
}

void Link::OnLateEnded(const grpc::Status& status) {
  uint64_t call = 0;
  {
    const std::scoped_lock lock(mutex_);
    std::swap(call, late_watch_);
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) without_late_approvals_ = session_;
  }
  TendLater();
  End(call);
}

void Link::Settle(State state, std::string why_down) {
  state_ = state;
  why_down_ = std::move(why_down);
  for (const std::shared_ptr<Signal>& signal : waiting_) signal->Raise();
  waiting_.clear();
}

}  // namespace waystation::adapters::remote
