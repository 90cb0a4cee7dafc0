#include "switch/rpc/pay_stream.h"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "boost/smart_ptr/intrusive_ptr.hpp"
#include "boost/smart_ptr/intrusive_ref_counter.hpp"
#include "fmt/format.h"
#include "google/protobuf/arena.h"
#include "switch/core/limits.h"
#include "switch/rpc/convert.h"
#include "switch/rpc/pay_order.h"
#include "switch/rpc/status.h"
#include "switch/rpc/trace.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::rpc {

namespace {

// Two parties touch a stream: gRPC (what is read and written, the caller gone) and the workers (answers). The mutex
// guards what they share.
//
// Answers gather until the worker is through with what it is about, mostly the replies of one block, and while a
// message is being written: the busier the switch, the more share a message.
//
// Shared by gRPC, until OnDone, and the answers that are to come.
class PayStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                        public boost::intrusive_ref_counter<PayStream> {
 public:
  PayStream(const Backend& backend, std::atomic<size_t>* open, const grpc::CallbackServerContext& context)
      : backend_(backend), open_(open), deadline_(context.deadline()), trace_(TraceOf(context)) {
    if (open_->fetch_add(1, std::memory_order_relaxed) < core::kMaxPayStreams) return;
    backend_.calls->Of(Method::kPayStream)->Add(grpc::StatusCode::RESOURCE_EXHAUSTED);
    end_ = ToGrpc(absl::ResourceExhaustedError(fmt::format(
        "{} streams of payments are open, which is the most; close one, or pay over those", core::kMaxPayStreams)));
  }

  void Start() {
    self_ = this;
    Advance(std::unique_lock(mutex_));
  }

  void OnReadDone(bool ok) override {
    absl::Status fault = absl::OkStatus();
    if (ok) fault = Take();
    // One that is refused as a whole; otherwise each payment is counted.
    if (absl::IsInvalidArgument(fault)) backend_.calls->Of(Method::kPayStream)->Add(fault.raw_code());
    std::unique_lock lock(mutex_);
    reading_ = false;
    // The caller has closed its side, or has gone.
    if (!ok && !end_.has_value()) end_ = grpc::Status::OK;
    if (!fault.ok() && !end_.has_value()) end_ = ToGrpc(fault);
    Advance(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) gone_ = true;
    Advance(std::move(lock));
  }

  void OnCancel() override {
    std::unique_lock lock(mutex_);
    gone_ = true;
    Advance(std::move(lock));
  }

  void OnDone() override {
    open_->fetch_sub(1, std::memory_order_relaxed);
    const boost::intrusive_ptr<PayStream> last = std::move(self_);
  }

 private:
  using Orders = std::vector<std::pair<flow::PayOrder, flow::PaymentFlow::Answer>>;

  // Starts the payments of the message that was read. Error: the stream is to end; nothing of the message was started.
  absl::Status Take() {
    const absl::Status draining = backend_.admission->CheckServing();
    google::protobuf::Arena arena;
    auto& request = *google::protobuf::Arena::CreateMessage<v1::PayStreamRequest>(&arena);
    const absl::Status parsed = ParseRequest(in_, &request);
    in_.Clear();
    if (!parsed.ok()) return parsed;
    const int count = request.payments_size();
    if (count == 0 || count > static_cast<int>(core::kMaxPaymentsPerMessage)) {
      return absl::InvalidArgumentError(
          fmt::format("payments: {} in a message; expected 1 to {}", count, core::kMaxPaymentsPerMessage));
    }
    {
      std::lock_guard lock(mutex_);
      unanswered_ += static_cast<size_t>(count);
    }
    // Handed over together, since each hand-over may wake a worker.
    std::vector<Orders> orders(backend_.flows.size());
    for (v1::TaggedPayRequest& payment : *request.mutable_payments()) {
      const uint64_t tag = payment.tag();
      absl::StatusOr<flow::PayOrder> order =
          draining.ok() ? CheckPayOrder(backend_, *payment.mutable_request(), deadline_) : draining;
      if (!order.ok()) {
        Gather(tag, {order.status(), {}, {}});
        continue;
      }
      order->trace = trace_;
      const size_t of = backend_.FlowIndexOf(order->station);
      orders[of].emplace_back(*std::move(order),
                              [self = boost::intrusive_ptr<PayStream>(this),
                               tag](const flow::PaymentFlow::Result& result) { self->Answer(tag, result); });
    }
    for (size_t i = 0; i < orders.size(); ++i) {
      if (!orders[i].empty()) backend_.flows[i]->Pay(std::move(orders[i]));
    }
    return draining;
  }

  // Adds an answer to those that wait to be sent.
  void Gather(uint64_t tag, const flow::PaymentFlow::Result& result) {
    backend_.calls->Of(Method::kPayStream)->Add(result.status.raw_code());
    StackMessage<v1::PayStreamResponse> message;
    v1::TaggedPayResult& answer = *message->add_results();
    answer.set_tag(tag);
    if (result.status.ok()) {
      ToProto(result.payment, backend_.NextStepOf(result.payment), answer.mutable_payment());
    } else {
      answer.mutable_refusal()->set_code(static_cast<int>(result.status.code()));
      answer.mutable_refusal()->set_message(std::string(result.status.message()));
    }
    const std::lock_guard lock(mutex_);
    --unanswered_;
    if (gone_) return;
    if (answers_.empty() || answers_.back().count == core::kMaxPaymentsPerMessage) answers_.emplace_back();
    // Messages one after the other are one message with the results of all.
    message->AppendToString(&answers_.back().bytes);
    ++answers_.back().count;
    ++unsent_;
  }

  void Answer(uint64_t tag, const flow::PaymentFlow::Result& result) {
    Gather(tag, result);
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(flush_posted_, true)) return;
    }
    flow::PaymentFlow& flow = result.status.ok() ? backend_.FlowOf(result.payment.station) : *backend_.flows.front();
    flow.Post([self = boost::intrusive_ptr<PayStream>(this)] {
      std::unique_lock lock(self->mutex_);
      self->flush_posted_ = false;
      self->Advance(std::move(lock));
    });
  }

  // Decides under the lock what comes next and does it without, since gRPC may call back from within. One read and one
  // write at a time, and neither once it is finished.
  void Advance(std::unique_lock<std::mutex> lock) {
    if (finished_) return;
    // Nobody reads them, and the stream lives on until its last payment is answered.
    if (gone_) answers_.clear();
    std::optional<Message> write;
    if (!writing_ && !gone_ && !answers_.empty()) {
      write = std::move(answers_.front());
      answers_.pop_front();
      unsent_ -= write->count;
      writing_ = true;
    }
    const bool room = unanswered_ + unsent_ < core::kMaxPayStreamBacklog;
    const bool read = !reading_ && !gone_ && !end_.has_value() && room;
    if (read) reading_ = true;
    const bool all_told = end_.has_value() && unanswered_ == 0 && answers_.empty();
    if (!reading_ && !writing_ && (gone_ || all_told)) finished_ = true;
    std::optional<grpc::Status> finish;
    if (finished_) finish = gone_ ? grpc::Status::CANCELLED : *end_;
    lock.unlock();
    if (write.has_value()) {
      const grpc::Slice slice(write->bytes);
      out_ = grpc::ByteBuffer(&slice, 1);
      StartWrite(&out_);
    }
    if (read) StartRead(&in_);
    if (finish.has_value()) Finish(*finish);
  }

  // A PayStreamResponse, serialized: so an answer that waits takes a fifth of the room.
  struct Message {
    std::string bytes;
    size_t count = 0;
  };

  const Backend& backend_;
  std::atomic<size_t>* const open_;
  const std::chrono::system_clock::time_point deadline_;
  const core::TraceContext trace_;        // of all its payments
  boost::intrusive_ptr<PayStream> self_;  // until OnDone
  grpc::ByteBuffer in_;                   // of the read at hand
  grpc::ByteBuffer out_;                  // of the write at hand

  std::mutex mutex_;  // guards what follows
  bool reading_ = false;
  bool writing_ = false;
  bool flush_posted_ = false;
  bool finished_ = false;
  bool gone_ = false;                // the caller hears nothing any more
  std::optional<grpc::Status> end_;  // nothing more is read; told once all is answered
  size_t unanswered_ = 0;
  size_t unsent_ = 0;  // in answers_
  std::deque<Message> answers_;
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartPayStream(
    const Backend& backend, std::atomic<size_t>* open, const grpc::CallbackServerContext& context) {
  auto* stream = new PayStream(backend, open, context);
  stream->Start();
  return stream;
}

}  // namespace waystation::rpc
