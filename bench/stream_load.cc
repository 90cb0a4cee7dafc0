#include "bench/stream_load.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "bench/arrival_schedule.h"
#include "bench/echo.grpc.pb.h"
#include "bench/message_size.h"
#include "google/protobuf/arena.h"
#include "grpcpp/grpcpp.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

// As long as RunLoad waits for answers.
constexpr std::chrono::seconds kAnswerLimit{20};
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::seconds kReportInterval{1};
// Of an open loop: how often what has come due is sent, and for how long after the end.
constexpr std::chrono::milliseconds kGather{1};
constexpr std::chrono::seconds kBacklogLimit{4};
// About what 256 results take, once they are read.
constexpr size_t kReadBytes = 256 << 10;

// What the streams carry. An item's tag is its slot's number.
struct EchoKind {
  using Stub = EchoService::Stub;
  using Request = EchoStreamRequest;
  using Response = EchoStreamResponse;

  explicit EchoKind(const PaymentMix*, size_t /*slot*/)
      : payload(PayloadFor(TypicalPayRequest().ByteSizeLong()), 'x') {}

  static std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) {
    return EchoService::NewStub(channel);
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncEchoStream(context, queue);
  }
  void Add(uint64_t tag, Request& message) const {
    TaggedEchoRequest& item = *message.add_echoes();
    item.set_tag(tag);
    item.mutable_request()->set_payload(payload);
  }
  static const auto& Results(const Response& message) { return message.echoes(); }
  CallResult Read(const TaggedEchoResponse& result) const {
    if (result.response().payload() == payload) return {};
    return {.code = grpc::StatusCode::DATA_LOSS, .detail = "the echo is not what was sent"};
  }

  std::string payload;
};

struct PayKind {
  using Stub = v1::PaymentService::Stub;
  using Request = v1::PayStreamRequest;
  using Response = v1::PayStreamResponse;

  PayKind(const PaymentMix* mix, size_t slot) : maker(*mix, slot) {}

  static std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) {
    return v1::PaymentService::NewStub(channel);
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncPayStream(context, queue);
  }
  void Add(uint64_t tag, Request& message) {
    v1::TaggedPayRequest& item = *message.add_payments();
    item.set_tag(tag);
    maker.MakeNext(*item.mutable_request());
  }
  static const auto& Results(const Response& message) { return message.results(); }
  static CallResult Read(const v1::TaggedPayResult& result) {
    if (result.has_refusal()) {
      return {.code = static_cast<grpc::StatusCode>(result.refusal().code()), .detail = result.refusal().message()};
    }
    return ResultOf(result.payment());
  }

  PaymentMaker maker;
};

// One thread and what it alone writes.
struct alignas(64) Driver {
  grpc::CompletionQueue queue;
  LatencyHistogram latency;
  LatencyHistogram send_lag;        // open loop
  LatencyHistogram never_sent_for;  // open loop: how long they had waited
  ResultCounts results;
  uint64_t completed = 0;
  std::atomic<uint64_t> ended{0};  // read by the reporting thread
};

// When items are sent, and which count.
struct Window {
  TimePoint start;
  TimePoint measure_from;
  TimePoint end;
  std::atomic<bool> stop{false};

  bool IsOver(TimePoint now) const { return now >= end || stop.load(std::memory_order_relaxed); }
};

// A stream of one driver, on its thread.
template <typename Kind>
class Stream {
 public:
  // `rate` is this stream's.
  Stream(const std::shared_ptr<grpc::Channel>& channel, Kind kind, double rate, size_t in_flight,
         const StreamShape& shape, Driver* driver, const Window* window)
      : stub_(Kind::NewStub(channel)),
        kind_(std::move(kind)),
        a_message_(shape.a_message),
        full_messages_(shape.full_messages),
        driver_(driver),
        window_(window),
        since_(in_flight),
        free_(in_flight) {
    for (size_t slot = 0; slot < in_flight; ++slot) free_[slot] = slot;
    if (rate > 0) schedule_.emplace(window->start, rate);
  }

  void Open() {
    stream_ = Kind::Prepare(*stub_, &context_, &driver_->queue);
    stream_->StartCall(Tag(Step::kOpened));
  }

  // What the queue gave; false once the stream has ended.
  static bool OnEvent(void* tag, bool ok) {
    Event& event = *static_cast<Event*>(tag);
    return event.stream->On(event.step, ok);
  }

  void Cancel() { context_.TryCancel(); }

  // Sends what is to be sent now, if a message can be.
  void Send() {
    if (!opened_ || writing_ || closed_) return;
    const TimePoint now = SteadyClock::now();
    const size_t count = CountForNext(now);
    if (count == 0) {
      if (IsDone(now) && free_.size() == since_.size()) Close(now);
      return;
    }
    out_.Clear();
    for (size_t i = 0; i < count; ++i) {
      const size_t slot = free_.back();
      free_.pop_back();
      since_[slot] = schedule_.has_value() ? schedule_->IntendedAt(sent_++) : now;
      if (schedule_.has_value() && since_[slot] >= window_->measure_from) driver_->send_lag.Record(now - since_[slot]);
      kind_.Add(slot, out_);
    }
    writing_ = true;
    stream_->Write(out_, Tag(Step::kWritten));
  }

 private:
  enum class Step { kOpened, kRead, kWritten, kClosed, kFinished };
  struct Event {
    Stream* stream;
    Step step;
  };

  void* Tag(Step step) { return &events_[static_cast<size_t>(step)]; }

  bool On(Step step, bool ok) {
    switch (step) {
      case Step::kOpened:
        opened_ = true;
        Read();
        Send();
        return true;
      case Step::kRead:
        if (!ok) {
          closed_ = true;
          stream_->Finish(&status_, Tag(Step::kFinished));
          return true;
        }
        Take();
        Read();
        Send();
        return true;
      case Step::kWritten:
        writing_ = false;
        if (ok) Send();
        return true;
      case Step::kClosed: return true;
      case Step::kFinished:
        for (size_t lost = free_.size(); lost < since_.size(); ++lost) {
          driver_->results.Add(
              {.code = status_.ok() ? grpc::StatusCode::DATA_LOSS : status_.error_code(),
               .detail = status_.ok() ? "no answer before the stream's end" : status_.error_message()});
        }
        return false;
    }
    return false;
  }

  void Read() {
    arena_.Reset();
    in_ = google::protobuf::Arena::CreateMessage<typename Kind::Response>(&arena_);
    stream_->Read(in_, Tag(Step::kRead));
  }

  void Take() {
    const TimePoint now = SteadyClock::now();
    const bool ended_within = now >= window_->measure_from && now < window_->end;
    for (const auto& item : Kind::Results(*in_)) {
      const CallResult result = kind_.Read(item);
      driver_->results.Add(result);
      free_.push_back(item.tag());
      if (result.code != grpc::StatusCode::OK) continue;
      const TimePoint since = since_[item.tag()];
      if (ended_within) ++driver_->completed;
      if (schedule_.has_value() ? since >= window_->measure_from : ended_within) driver_->latency.Record(now - since);
    }
    driver_->ended.store(
        driver_->ended.load(std::memory_order_relaxed) + static_cast<uint64_t>(Kind::Results(*in_).size()),
        std::memory_order_relaxed);
  }

  // How many items the next message has; 0: none is sent now.
  size_t CountForNext(TimePoint now) const {
    if (!schedule_.has_value()) {
      return window_->IsOver(now) || free_.size() < a_message_ ? 0 : a_message_;
    }
    if (window_->stop || now > window_->end + kBacklogLimit) return 0;
    const uint64_t due = schedule_->CountBefore(std::min(now, window_->end)) - sent_;
    const size_t count = std::min({static_cast<size_t>(due), free_.size(), a_message_});
    return full_messages_ && count < a_message_ && now < window_->end ? 0 : count;
  }
  // Whether nothing will be due any more.
  bool IsDone(TimePoint now) const {
    if (!schedule_.has_value() || window_->stop || now > window_->end + kBacklogLimit) return window_->IsOver(now);
    return now >= window_->end && sent_ == schedule_->CountBefore(window_->end);
  }

  void Close(TimePoint now) {
    closed_ = true;
    if (schedule_.has_value()) {
      const uint64_t arrivals = schedule_->CountBefore(std::min(now, window_->end));
      for (; sent_ < arrivals; ++sent_) driver_->never_sent_for.Record(now - schedule_->IntendedAt(sent_));
    }
    stream_->WritesDone(Tag(Step::kClosed));
  }

  const std::unique_ptr<typename Kind::Stub> stub_;
  Kind kind_;
  const size_t a_message_;
  const bool full_messages_;
  Driver* const driver_;
  const Window* const window_;
  Event events_[5] = {{this, Step::kOpened},
                      {this, Step::kRead},
                      {this, Step::kWritten},
                      {this, Step::kClosed},
                      {this, Step::kFinished}};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<typename Kind::Request, typename Kind::Response>> stream_;
  typename Kind::Request out_;
  // Where what is read lives: of hundreds of parts and short texts a message, none is allocated and freed by itself.
  std::vector<char> block_ = std::vector<char>(kReadBytes);
  google::protobuf::Arena arena_{block_.data(), block_.size()};
  typename Kind::Response* in_ = nullptr;
  grpc::Status status_;
  bool opened_ = false;
  bool writing_ = false;
  bool closed_ = false;
  std::optional<ArrivalSchedule> schedule_;  // null: closed loop
  uint64_t sent_ = 0;                        // of the schedule
  std::vector<TimePoint> since_;             // by slot
  std::vector<uint64_t> free_;
};

template <typename Kind>
void Drive(Driver& driver, std::vector<std::unique_ptr<Stream<Kind>>>& streams, bool open_loop) {
  for (auto& stream : streams) stream->Open();
  size_t open = streams.size();
  void* tag = nullptr;
  bool ok = false;
  auto next_send = std::chrono::system_clock::now();
  while (open > 0) {
    const auto status = open_loop ? driver.queue.AsyncNext(&tag, &ok, next_send)
                                  : driver.queue.AsyncNext(&tag, &ok, std::chrono::system_clock::time_point::max());
    if (status == grpc::CompletionQueue::SHUTDOWN) break;
    if (status == grpc::CompletionQueue::TIMEOUT) {
      for (auto& stream : streams) stream->Send();
      next_send = std::chrono::system_clock::now() + kGather;
      continue;
    }
    if (!Stream<Kind>::OnEvent(tag, ok)) --open;
  }
  driver.queue.Shutdown();
  while (driver.queue.Next(&tag, &ok)) {
  }
}

template <typename Kind>
LoadResult Run(const StreamShape& shape, const Channels& channels, const PaymentMix* mix,
               absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  const TimePoint start = SteadyClock::now();
  Window window;
  window.start = start;
  window.measure_from = start + shape.warm_up;
  window.end = window.measure_from + shape.measured;
  const size_t threads = std::clamp<size_t>(shape.threads, 1, channels.size());
  const size_t each = std::max<size_t>(2, shape.in_flight / channels.size() / shape.a_message) * shape.a_message;
  std::vector<std::unique_ptr<Driver>> drivers;
  std::vector<std::vector<std::unique_ptr<Stream<Kind>>>> streams(threads);
  for (size_t i = 0; i < threads; ++i) drivers.push_back(std::make_unique<Driver>());
  for (size_t i = 0; i < channels.size(); ++i) {
    streams[i % threads].push_back(std::make_unique<Stream<Kind>>(channels[i], Kind(mix, i),
                                                                  shape.rate / static_cast<double>(channels.size()),
                                                                  each, shape, drivers[i % threads].get(), &window));
  }
  std::mutex mutex;
  std::condition_variable ended;
  size_t running = threads;
  TimePoint stopped_at = window.end;
  {
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        Drive(*drivers[i], streams[i], shape.rate > 0);
        const std::lock_guard lock(mutex);
        --running;
        ended.notify_one();
      });
    }
    const auto so_far = [&drivers] {
      uint64_t count = 0;
      for (const auto& driver : drivers) count += driver->ended.load(std::memory_order_relaxed);
      return count;
    };
    TimePoint reported_at = start;
    uint64_t reported = 0;
    bool cancelled = false;
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kTick, [&] { return running == 0; })) {
      const TimePoint now = SteadyClock::now();
      if (!window.stop && interrupted()) {
        window.stop = true;
        stopped_at = std::min(now, window.end);
      }
      if (!cancelled && now > stopped_at + kAnswerLimit) {
        cancelled = true;
        for (auto& of_driver : streams) {
          for (auto& stream : of_driver) stream->Cancel();
        }
      }
      if (now - reported_at >= kReportInterval) {
        const uint64_t count = so_far();
        const double seconds = std::chrono::duration<double>(now - reported_at).count();
        report({.elapsed_seconds = std::chrono::duration<double>(now - start).count(),
                .per_second = static_cast<double>(count - reported) / seconds});
        reported = count;
        reported_at = now;
      }
    }
  }
  LoadResult result;
  result.seconds = std::max(0.0, std::chrono::duration<double>(stopped_at - window.measure_from).count());
  for (const auto& driver : drivers) {
    result.completed += driver->completed;
    result.latency.Merge(driver->latency);
    result.results.Merge(driver->results);
    result.send_lag.Merge(driver->send_lag);
    result.never_sent += driver->never_sent_for.count();
    result.latency.Merge(driver->never_sent_for);
  }
  return result;
}

}  // namespace

LoadResult RunEchoStreams(const StreamShape& shape, const Channels& channels,
                          absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  return Run<EchoKind>(shape, channels, nullptr, report, interrupted);
}

LoadResult RunPayStreams(const StreamShape& shape, const Channels& channels, const PaymentMix& mix,
                         absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted) {
  return Run<PayKind>(shape, channels, &mix, report, interrupted);
}

}  // namespace waystation::bench
