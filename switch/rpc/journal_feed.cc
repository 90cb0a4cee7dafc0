#include "switch/rpc/journal_feed.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "google/protobuf/arena.h"
#include "storage/journal_reader.h"
#include "switch/core/limits.h"
#include "switch/rpc/status.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/journal_service.pb.h"

namespace waystation::rpc {

// gRPC's callbacks only post to the worker, so that all that a stream has is the worker's, and nothing is locked. The
// stream holds itself until gRPC is done with it.
class JournalFeed::Stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                                  public std::enable_shared_from_this<Stream> {
 public:
  Stream(JournalFeed* feed, uint64_t from, bool until_end)
      : feed_(feed), from_(from), until_end_(until_end), reader_(feed->log_, std::max<uint64_t>(from, 1)) {}

  void Start() {
    self_ = shared_from_this();
    feed_->worker_->Post([self = self_] { self->feed_->Add(self); });
  }

  // --- gRPC ---
  void OnWriteDone(bool ok) override {
    feed_->worker_->Post([self = shared_from_this(), ok] {
      self->writing_ = false;
      self->out_.Clear();
      ok ? self->Advance() : self->End(grpc::Status::CANCELLED);
    });
  }
  void OnCancel() override {
    feed_->worker_->Post([self = shared_from_this()] { self->End(grpc::Status::CANCELLED); });
  }
  void OnDone() override {
    feed_->worker_->Post([self = std::move(self_)] { self->feed_->Remove(self.get()); });
  }

  // --- the worker ---
  // Begins, when the journal reaches up to where the caller is.
  void Begin() {
    until_ = feed_->sequencer_->durable_sequence();
    if (reader_.next() <= until_ + 1) return Advance();
    End({grpc::StatusCode::OUT_OF_RANGE,
         fmt::format("from_sequence: {} is past the journal's end; expected at most {}: the sequence is of another "
                     "ledger, or this one was restored from a backup",
                     from_, until_ + 1)});
  }

  // The first reason is the one that is told.
  void End(grpc::Status status) {
    if (!end_.has_value()) end_ = std::move(status);
    Advance();
  }

  // Does what comes next, if anything does: one write at a time, and none after Finish.
  void Advance() {
    if (writing_ || finished_) return;
    if (!end_.has_value()) Read();
    if (end_.has_value()) {
      finished_ = true;
      Finish(*end_);
    } else if (writing_) {
      StartWrite(&out_);
    }
  }

 private:
  // Makes the next message, or the end; neither when there is nothing new.
  void Read() {
    const uint64_t end = feed_->sequencer_->durable_sequence();
    const uint64_t to = until_end_ ? until_ : end;
    if (greeted_ && reader_.next() > to) {
      if (until_end_) end_ = grpc::Status::OK;
      return;
    }
    google::protobuf::Arena arena;
    auto* message = google::protobuf::Arena::CreateMessage<v1::StreamJournalResponse>(&arena);
    const absl::Status status = reader_.Read(to, core::kFeedMessageBytes, message->mutable_blocks());
    if (!status.ok()) {
      end_ = ToGrpc(status);
      return;
    }
    message->set_end_sequence(end);
    out_ = Serialize(*message);
    greeted_ = true;
    writing_ = true;
  }

  JournalFeed* const feed_;
  const uint64_t from_;
  const bool until_end_;
  uint64_t until_ = 0;  // the end when the call came

  storage::JournalReader reader_;
  bool greeted_ = false;  // the first message is out
  bool writing_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> end_;
  grpc::ByteBuffer out_;
  std::shared_ptr<Stream> self_;
};

JournalFeed::JournalFeed(const storage::Sequencer* sequencer, const storage::CommitLog* log, flow::Worker* worker)
    : sequencer_(sequencer), log_(log), worker_(worker), alarm_(worker, [this] { OnAlarm(); }) {}

JournalFeed::~JournalFeed() = default;

grpc::ServerWriteReactor<grpc::ByteBuffer>* JournalFeed::Open(uint64_t from_sequence, bool until_end) {
  auto stream = std::make_shared<Stream>(this, from_sequence, until_end);
  stream->Start();
  return stream.get();
}

void JournalFeed::Drain() {
  worker_->Post([this] {
    draining_ = true;
    for (const auto& stream : streams_) {
      stream->End({grpc::StatusCode::UNAVAILABLE,
                   "the switch is shutting down; resume later, from the last sequence received plus one"});
    }
  });
}

void JournalFeed::Add(std::shared_ptr<Stream> stream) {
  if (draining_) {
    return stream->End({grpc::StatusCode::UNAVAILABLE, "the switch is shutting down; ask again later"});
  }
  if (streams_.size() >= core::kMaxFollowers) {
    return stream->End(
        {grpc::StatusCode::RESOURCE_EXHAUSTED,
         fmt::format("the journal has {} followers, as many as it takes; end one, or try again later from the same "
                     "sequence",
                     streams_.size())});
  }
  streams_.push_back(stream);
  stream->Begin();
  if (!alarm_.at().has_value()) alarm_.Set(worker_->clock().Steady() + core::kFeedInterval);
}

void JournalFeed::Remove(const Stream* stream) {
  std::erase_if(streams_, [stream](const auto& s) { return s.get() == stream; });
}

void JournalFeed::OnAlarm() {
  if (streams_.empty()) return;
  for (const auto& stream : streams_) stream->Advance();
  alarm_.Set(worker_->clock().Steady() + core::kFeedInterval);
}

}  // namespace waystation::rpc
