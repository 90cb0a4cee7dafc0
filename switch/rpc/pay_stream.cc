#include "switch/rpc/pay_stream.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
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

// Two parties touch a stream: gRPC (what is read and written, the caller gone) and the workers (answers). The mutex
// guards what they share.
//
// Answers gather until the worker is through with what it is about, mostly the replies of one block, and while a
// message is being written: the busier the switch, the more share a message.
//
// Shared by gRPC, until OnDone, and the answers that are to come.
class PayStreams::Stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                 public boost::intrusive_ref_counter<Stream> {
 public:
  Stream(const Backend& backend, PayStreams* streams, const grpc::CallbackServerContext& context)
      : backend_(backend), streams_(streams), deadline_(context.deadline()), trace_(TraceOf(context)) {}

  void Start() {
    self_ = this;
    absl::Status refused = absl::OkStatus();
    if (!streams_->Add(this)) {
      refused = absl::ResourceExhaustedError(fmt::format(
          "{} streams of payments are open, which is the most; close one, or pay over those", core::kMaxPayStreams));
    } else {
      // Looked at once it is among the others: either this or Drain ends it.
      refused = backend_.admission->CheckServing();
    }
    std::unique_lock lock(mutex_);
    if (!refused.ok()) {
      backend_.calls->Of(Method::kPayStream)->Add(refused.raw_code());
      end_ = ToGrpc(refused);
    }
    Advance(std::move(lock));
  }

  // Ends it with that, once all that was taken is answered.
  void End(const absl::Status& status) {
    std::unique_lock lock(mutex_);
    if (!end_.has_value()) end_ = ToGrpc(status);
    Advance(std::move(lock));
  }

  void OnReadDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
      // A message that crosses the end is not taken; its caller sees that it has no results.
      taking_ = ok && !finished_;
      if (ok && !taking_) return;
    }
    absl::Status fault = absl::OkStatus();
    if (ok) fault = Take();
    // One that is refused as a whole; otherwise each payment is counted.
    if (absl::IsInvalidArgument(fault)) backend_.calls->Of(Method::kPayStream)->Add(fault.raw_code());
    std::unique_lock lock(mutex_);
    taking_ = false;
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
    streams_->Remove(this);
    const boost::intrusive_ptr<Stream> last = std::move(self_);
  }

 private:
  // Of one flow.
  struct Orders {
    std::vector<uint64_t> tags;
    std::vector<std::pair<flow::PayOrder, flow::PaymentFlow::Answer>> orders;
  };

  // Starts the payments of the message that was read. Error: the stream is to end; nothing of the message was started.
  absl::Status Take() {
    const absl::Status draining = backend_.admission->CheckServing();
    const absl::Status too_many = flow::PaymentFlow::TooMany();
    // Looking closer at what can't be taken would take from those that can.
    const bool full = std::none_of(backend_.flows.begin(), backend_.flows.end(),
                                   [](const flow::PaymentFlow* flow) { return flow->TakesOrders(); });
    const absl::Status refusal = full && draining.ok() ? too_many : draining;
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
    // Refused at once, and told together.
    auto& refused = *google::protobuf::Arena::CreateMessage<v1::PayStreamResponse>(&arena);
    // Handed over together, since each hand-over may wake a worker.
    std::vector<Orders> orders(backend_.flows.size());
    for (v1::TaggedPayRequest& payment : *request.mutable_payments()) {
      const uint64_t tag = payment.tag();
      absl::StatusOr<flow::PayOrder> order =
          refusal.ok() ? CheckPayOrder(backend_, *payment.mutable_request(), deadline_) : refusal;
      if (!order.ok()) {
        Refuse(tag, order.status(), &refused);
        continue;
      }
      order->trace = trace_;
      Orders& of_flow = orders[backend_.FlowIndexOf(order->station)];
      of_flow.tags.push_back(tag);
      of_flow.orders.emplace_back(
          *std::move(order), [self = boost::intrusive_ptr<Stream>(this), tag](const flow::PaymentFlow::Result& result) {
            self->Answer(tag, result);
          });
    }
    for (size_t i = 0; i < orders.size(); ++i) {
      Orders& of_flow = orders[i];
      const size_t taken = of_flow.orders.empty() ? 0 : backend_.flows[i]->Pay(absl::MakeSpan(of_flow.orders));
      for (size_t j = taken; j < of_flow.tags.size(); ++j) Refuse(of_flow.tags[j], too_many, &refused);
    }
    if (refused.results_size() > 0) Gather(refused);
    return draining;
  }

  static void Refuse(uint64_t tag, const absl::Status& status, v1::PayStreamResponse* response) {
    v1::TaggedPayResult& answer = *response->add_results();
    answer.set_tag(tag);
    answer.mutable_refusal()->set_code(static_cast<int>(status.code()));
    answer.mutable_refusal()->set_message(std::string(status.message()));
  }

  // Adds answers to those that wait to be sent.
  void Gather(const v1::PayStreamResponse& response) {
    for (const v1::TaggedPayResult& result : response.results()) {
      backend_.calls->Of(Method::kPayStream)->Add(result.refusal().code());
    }
    const auto count = static_cast<size_t>(response.results_size());
    const std::lock_guard lock(mutex_);
    unanswered_ -= count;
    if (gone_) return;
    if (answers_.empty() || answers_.back().count + count > core::kMaxPaymentsPerMessage) answers_.emplace_back();
    // Messages one after the other are one message with the results of all.
    response.AppendToString(&answers_.back().bytes);
    answers_.back().count += count;
    unsent_ += count;
  }

  // On the worker.
  void Answer(uint64_t tag, const flow::PaymentFlow::Result& result) {
    StackMessage<v1::PayStreamResponse> message;
    if (result.status.ok()) {
      v1::TaggedPayResult& answer = *message->add_results();
      answer.set_tag(tag);
      ToProto(result.payment, backend_.NextStepOf(result.payment), answer.mutable_payment());
    } else {
      Refuse(tag, result.status, &*message);
    }
    Gather(*message);
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(flush_posted_, true)) return;
    }
    flow::PaymentFlow& flow = result.status.ok() ? backend_.FlowOf(result.payment.station) : *backend_.flows.front();
    flow.Post([self = boost::intrusive_ptr<Stream>(this)] {
      std::unique_lock lock(self->mutex_);
      self->flush_posted_ = false;
      self->Advance(std::move(lock));
    });
  }

  // Decides under the lock what comes next and does it without, since gRPC may call back from within. One read and one
  // write at a time, and no write once it is finished. A read that a callback of gRPC's begins may come after another
  // one's Finish: gRPC keeps the call for that callback, and the read fails.
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
    const bool read = !reading_ && !taking_ && !gone_ && !end_.has_value() && room;
    if (read) reading_ = true;
    const bool all_told = end_.has_value() && unanswered_ == 0 && answers_.empty();
    // A read may be under way yet: it ends with the stream.
    if (!taking_ && !writing_ && (gone_ || all_told)) finished_ = true;
    std::optional<grpc::Status> finish;
    if (finished_) finish = gone_ ? grpc::Status::CANCELLED : *end_;
    lock.unlock();
    if (write.has_value()) {
      const grpc::Slice slice(write->bytes);
      out_ = grpc::ByteBuffer(&slice, 1);
    }
    // The read first: until the write has ended nobody finishes the stream, which would end gRPC's part of it under us.
    if (read) StartRead(&in_);
    if (write.has_value()) StartWrite(&out_);
    if (finish.has_value()) Finish(*finish);
  }

  // A PayStreamResponse, serialized: so an answer that waits takes a fifth of the room.
  struct Message {
    std::string bytes;
    size_t count = 0;
  };

  const Backend& backend_;
  PayStreams* const streams_;
  const std::chrono::system_clock::time_point deadline_;
  const core::TraceContext trace_;     // of all its payments
  boost::intrusive_ptr<Stream> self_;  // until OnDone
  grpc::ByteBuffer in_;                // of the read at hand
  grpc::ByteBuffer out_;               // of the write at hand

  std::mutex mutex_;  // guards what follows
  bool reading_ = false;
  bool taking_ = false;  // what was read
  bool writing_ = false;
  bool flush_posted_ = false;
  bool finished_ = false;
  bool gone_ = false;                // the caller hears nothing any more
  std::optional<grpc::Status> end_;  // nothing more is read; told once all is answered
  size_t unanswered_ = 0;
  size_t unsent_ = 0;  // in answers_
  std::deque<Message> answers_;
};

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* PayStreams::Open(
    const Backend& backend, const grpc::CallbackServerContext& context) {
  auto* stream = new Stream(backend, this, context);
  stream->Start();
  return stream;
}

void PayStreams::Drain() {
  std::vector<boost::intrusive_ptr<Stream>> streams;
  {
    const std::lock_guard lock(mutex_);
    for (Stream* stream : streams_) streams.emplace_back(stream);
  }
  const absl::Status status =
      absl::UnavailableError("the switch is shutting down; what has no result is to be sent again later");
  for (const boost::intrusive_ptr<Stream>& stream : streams) stream->End(status);
}

bool PayStreams::Add(Stream* stream) {
  const std::lock_guard lock(mutex_);
  if (streams_.size() >= core::kMaxPayStreams) return false;
  streams_.insert(stream);
  return true;
}

void PayStreams::Remove(Stream* stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

}  // namespace waystation::rpc
