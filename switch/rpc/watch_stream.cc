#include "switch/rpc/watch_stream.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/rpc/convert.h"
#include "switch/rpc/status.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

// Three parties touch a stream: gRPC (writes done, caller gone), the sequencer (new changes), and a coroutine on the
// reader (history). The mutex guards what they share; each holds a reference of its own.
class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                          public Watcher,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(const Backend& backend, core::StationId station, std::optional<uint64_t> after)
      : backend_(backend), station_(station), after_(after) {}

  void Start() {
    self_ = shared_from_this();
    // Watching begins before the history is read, so that nothing falls between the two.
    if (!backend_.watchers->Add(station_, self_)) {
      return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                              "too many watchers; try again later, from the same sequence"));
    }
    backend_.reader->PostSpawn(RunHistory(self_));
  }

  // --- the sequencer ---
  void OnChanged(const core::Payment& payment) override {
    std::unique_lock lock(mutex_);
    if (end_.has_value()) return;
    if (live_.size() >= core::kMaxWatchBacklog) {
      live_.clear();
      end_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                          "the reader is too slow; watch again from the last sequence received");
    } else {
      live_.push_back(payment);
    }
    Advance(std::move(lock));
  }

  void OnDrain() override {
    End(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                     "the switch is shutting down; watch again later, from the last sequence received"));
  }

  // --- gRPC ---
  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok && !end_.has_value()) end_ = grpc::Status::CANCELLED;
    Advance(std::move(lock));
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    backend_.watchers->Remove(station_, this);
    std::shared_ptr<WatchStream> last = std::move(self_);
  }

 private:
  using Self = std::shared_ptr<WatchStream>;

  void End(grpc::Status status) {
    std::unique_lock lock(mutex_);
    if (!end_.has_value()) end_ = std::move(status);
    Advance(std::move(lock));
  }

  // Decides under the lock what comes next and does it without, since gRPC may call back from within. One write at a
  // time, and none after Finish.
  void Advance(std::unique_lock<std::mutex> lock) {
    if (writing_ || finished_) return;
    if (end_.has_value()) {
      finished_ = true;
      lock.unlock();
      Finish(*end_);
    } else if (TakeNext()) {
      writing_ = true;
      lock.unlock();
      StartWrite(&out_);
    } else if (want_day_) {
      want_day_ = false;
      Self self = self_;
      lock.unlock();
      backend_.reader->PostSpawn(RunDay(std::move(self)));
    }
  }

  // First what is left of the history's day, then, once the history is through, the live changes.
  bool TakeNext() {
    while (!history_.empty() || (caught_up_ && !live_.empty())) {
      std::deque<core::Payment>& source = history_.empty() ? live_ : history_;
      const core::Payment payment = std::move(source.front());
      source.pop_front();
      if (payment.last_sequence() <= sent_) continue;
      sent_ = payment.last_sequence();
      v1::PaymentEvent event;
      event.set_sequence(sent_);
      // As of the change, so that the same event is the same whenever it is read.
      ToProto(payment, backend_.NextStepOf(payment, payment.changed_at()), event.mutable_payment());
      out_ = Serialize(event);
      return true;
    }
    return false;
  }

  // --- the reader: one coroutine of a stream at a time; it reads without the lock ---
  static asio::awaitable<void> RunHistory(Self self) {
    core::Command read = core::ReadOpenPayments{self->station_};
    core::Reply reply = co_await TryCommit(*self->backend_.sequencer, *self->backend_.reader, std::move(read));
    if (!reply.status.ok()) {
      self->End(ToGrpc(reply.status));
      co_return;
    }
    const uint64_t after = self->after_.value_or(reply.sequence);
    if (after > reply.sequence) {
      self->End(grpc::Status(
          grpc::StatusCode::OUT_OF_RANGE,
          fmt::format("after_sequence: {} is past the journal's end; expected at most {}", after, reply.sequence)));
      co_return;
    }
    // From which day on there may be something to send.
    absl::StatusOr<std::optional<core::BusinessDate>> date = std::nullopt;
    if (after > 0 && after < reply.sequence) {
      const absl::StatusOr<bool> known = self->backend_.index->HasLeg(after);
      if (!known.ok()) {
        self->End(ToGrpc(known.status()));
        co_return;
      }
      if (!*known) {
        self->End(grpc::Status(
            grpc::StatusCode::OUT_OF_RANGE,
            fmt::format("after_sequence: {} is of this ledger's life before it was restored; expected one that is in "
                        "its journal: what was seen of that life may not have happened, compare with ListPayments",
                        after)));
        co_return;
      }
    }
    if (after < reply.sequence) date = self->backend_.index->DateOf(after + 1);
    if (!date.ok()) {
      self->End(ToGrpc(date.status()));
      co_return;
    }
    self->until_ = reply.sequence;
    self->open_ = std::get<std::vector<core::Payment>>(std::move(reply.value));
    self->day_ = *date;
    std::unique_lock lock(self->mutex_);
    self->sent_ = after;
    self->caught_up_ = !date->has_value();
    self->want_day_ = date->has_value();
    self->Advance(std::move(lock));
  }

  // Reads the next day that has changes; called when the one before is written out.
  static asio::awaitable<void> RunDay(Self self) {
    absl::StatusOr<std::deque<core::Payment>> day = self->ReadDay();
    if (!day.ok()) {
      self->End(ToGrpc(day.status()));
      co_return;
    }
    std::unique_lock lock(self->mutex_);
    self->history_ = *std::move(day);
    self->caught_up_ = !self->day_.has_value();
    self->want_day_ = !self->caught_up_;
    self->Advance(std::move(lock));
  }

  // The changes of the first day from day_ on that has any, in order; moves day_ past it, or to null when there is
  // none.
  absl::StatusOr<std::deque<core::Payment>> ReadDay() {
    absl::StatusOr<std::optional<core::BusinessDate>> next = backend_.index->NextDate(station_, *day_);
    if (!next.ok()) return next.status();
    std::optional<core::BusinessDate> date = *next;
    for (const core::Payment& payment : open_) {
      for (const core::StateChange& change : payment.history) {
        if (change.business_date >= *day_ && (!date || change.business_date < *date)) date = change.business_date;
      }
    }
    std::deque<core::Payment> ordered;
    day_.reset();
    if (!date.has_value()) return ordered;
    std::map<uint64_t, core::Payment> changes;
    std::set<core::PaymentId> seen;
    auto add = [&](const core::Payment& payment) {
      if (!seen.insert(payment.id).second) return true;
      for (size_t i = 0; i < payment.history.size(); ++i) {
        const core::StateChange& change = payment.history[i];
        if (change.business_date == *date && change.sequence <= until_) {
          changes.emplace(change.sequence, AsOf(payment, i));
        }
      }
      return true;
    };
    // What the ledger had in memory stands above the index, which may hold an older form of it.
    for (const core::Payment& payment : open_) add(payment);
    if (absl::Status status = backend_.index->ForEachChanged(station_, *date, add); !status.ok()) return status;
    for (auto& [sequence, payment] : changes) ordered.push_back(std::move(payment));
    day_ = date->NextDay();
    return ordered;
  }

  const Backend& backend_;
  const core::StationId station_;
  const std::optional<uint64_t> after_;

  // The reader's.
  uint64_t until_ = 0;  // the history ends here
  std::optional<core::BusinessDate> day_;
  std::vector<core::Payment> open_;

  Self self_;  // until OnDone
  grpc::ByteBuffer out_;

  std::mutex mutex_;  // guards what follows
  std::optional<grpc::Status> end_;
  bool finished_ = false;
  bool writing_ = false;
  bool caught_up_ = false;
  bool want_day_ = false;
  uint64_t sent_ = 0;  // nothing at or below it is sent
  std::deque<core::Payment> history_;
  std::deque<core::Payment> live_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartWatchStream(const Backend& backend, core::StationId station,
                                                             std::optional<uint64_t> after_sequence) {
  auto stream = std::make_shared<WatchStream>(backend, station, after_sequence);
  stream->Start();
  return stream.get();
}

}  // namespace waystation::rpc
