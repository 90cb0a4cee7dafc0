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
  void Start() {
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
    link_->OnHealthEnded(status);
    delete this;
  }

  const std::shared_ptr<Link> link_;
  grpc::ClientContext context_;
  HealthCheckRequest request_;
  HealthCheckResponse response_;
};

class Link::LateWatch final : public grpc::ClientReadReactor<v1::LateApproval> {
 public:
  explicit LateWatch(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  grpc::ClientContext* context() { return &context_; }
  void Start() {
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
    link_->OnLateEnded(status);
    delete this;
  }

  const std::shared_ptr<Link> link_;
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
  std::unique_lock lock(mutex_);
  closing_ = true;
  if (health_watch_ != nullptr) health_watch_->TryCancel();
  if (late_watch_ != nullptr) late_watch_->TryCancel();
  if (alarm_set_) alarm_->Cancel();
  ended_.wait(lock, [this] { return running_ == 0; });
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
  {
    const std::scoped_lock lock(mutex_);
    if (health_watch_ == nullptr && Begin()) {
      health_watch = new HealthWatch(shared_from_this());
      health_watch_ = health_watch->context();
    }
    const bool has_late_approvals = without_late_approvals_ != session_;
    if (late_ != nullptr && late_watch_ == nullptr && state_ == State::kUp && has_late_approvals && Begin()) {
      late_watch = new LateWatch(shared_from_this());
      late_watch_ = late_watch->context();
    }
  }
  if (health_watch != nullptr) health_watch->Start();
  if (late_watch != nullptr) late_watch->Start();
}

void Link::TendLater() {
  const std::scoped_lock lock(mutex_);
  if (alarm_set_ || !Begin()) return;
  alarm_set_ = true;
  alarm_ = std::make_unique<grpc::Alarm>();
  // Weak, since the alarm keeps the function and the link the alarm; it is there, since Close waits for this.
  alarm_->Set(FromNow(kTendAfter), [weak = weak_from_this()](bool /*ok*/) {
    const std::shared_ptr<Link> self = weak.lock();
    if (self == nullptr) return;
    {
      const std::scoped_lock again(self->mutex_);
      self->alarm_set_ = false;
    }
    self->Tend();
    const std::scoped_lock again(self->mutex_);
    self->End();
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
    if (!Begin()) return;
    state_ = State::kConnecting;
  }
  Describe(session);
}

void Link::Describe(uint64_t session) {
  struct Call {
    grpc::ClientContext context;
    v1::DescribeRequest request;
    v1::CapabilityCard described;
  };
  const auto call = std::make_shared<Call>();
  call->context.set_deadline(FromNow(kDescribeLimit));
  adapter_->async()->Describe(&call->context, &call->request, &call->described,
                              [self = shared_from_this(), call, session](const grpc::Status& status) {
                                self->OnDescribed(session, status, call->described);
                                self->Tend();
                                const std::scoped_lock lock(self->mutex_);
                                self->End();
                              });
}

void Link::OnDescribed(uint64_t session, const grpc::Status& status, const v1::CapabilityCard& described) {
  const std::scoped_lock lock(mutex_);
  if (session != session_) return;
  if (!status.ok()) {
    Settle(State::kDown,
           fmt::format("the adapter at {} did not describe itself: {}", address_, status.error_message()));
    // It is opened again, and Describe asked again.
    if (health_watch_ != nullptr) health_watch_->TryCancel();
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
  {
    const std::scoped_lock lock(mutex_);
    health_watch_ = nullptr;
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
  const std::scoped_lock lock(mutex_);
  End();
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
  {
    const std::scoped_lock lock(mutex_);
    if (!Begin()) return;
  }
  struct Call {
    grpc::ClientContext context;
    v1::AcknowledgeLateApprovalRequest request;
    v1::AcknowledgeLateApprovalResponse response;
  };
  const auto call = std::make_shared<Call>();
  call->context.set_deadline(FromNow(kAcknowledgeLimit));
  call->request.set_payment_id(payment_id);
  // Should it fail, the adapter sends the approval again.
  adapter_->async()->AcknowledgeLateApproval(&call->context, &call->request, &call->response,
                                             [self = shared_from_this(), call](const grpc::Status& /*status*/) {
                                               const std::scoped_lock lock(self->mutex_);
                                               self->End();
                                             });
}

void Link::OnLateEnded(const grpc::Status& status) {
  {
    const std::scoped_lock lock(mutex_);
    late_watch_ = nullptr;
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) without_late_approvals_ = session_;
  }
  TendLater();
  const std::scoped_lock lock(mutex_);
  End();
}

void Link::Settle(State state, std::string why_down) {
  state_ = state;
  why_down_ = std::move(why_down);
  for (const std::shared_ptr<Signal>& signal : waiting_) signal->Raise();
  waiting_.clear();
}

bool Link::Begin() {
  if (closing_) return false;
  ++running_;
  return true;
}

void Link::End() {
  if (--running_ == 0) ended_.notify_all();
}

}  // namespace waystation::adapters::remote
