#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/block.h"
#include "storage/commit_log.h"
#include "storage/index.h"
#include "storage/rows.h"
#include "storage/sequencer_tally.h"
#include "switch/core/clock.h"
#include "switch/core/command.h"
#include "switch/core/ledger.h"

namespace waystation::storage {

class ReplyPort;

// A command on its way through the sequencer. Owned by whoever submits it, who keeps it alive until it is delivered.
struct Ticket {
  core::Command command;
  ReplyPort* port = nullptr;            // where the reply goes
  absl::AnyInvocable<void()> on_reply;  // run by the port once `reply` is there
  core::Reply reply;
};

// Where replies go: a delivery for each block, in the order of submission, and others for reads.
class ReplyPort {
 public:
  virtual ~ReplyPort() = default;
  // Called on the sequencer's thread; must not block, and must run each ticket's on_reply on a thread of its own.
  virtual void Deliver(std::vector<Ticket*> tickets) = 0;
  // The same of tickets that TrySubmit took and that only read: they may be run before what was delivered earlier.
  virtual void DeliverReads(std::vector<Ticket*> tickets) { Deliver(std::move(tickets)); }
};

// Hears of payments as they change, once that is durable.
class PaymentObserver {
 public:
  virtual ~PaymentObserver() = default;
  // Both on the sequencer's thread; must not block. `payment` is as it stands right after the leg.
  virtual bool Wants(core::StationId station) = 0;
  virtual void OnChanged(const core::Payment& payment) = 0;
};

// The one writer. Takes commands from any thread, has the ledger decide them one after the other, gathers the legs of a
// batch into a block, and hands it to the commit log with the derived rows that are due. A reply leaves only when all
// that it is based on is durable; so do reads.
//
// Threads: Submit from any; the ledger belongs to the sequencer's own thread from Start to Stop. Instead of Start,
// whose thread waits for what comes, an owner may call RunReady himself, again and again, from one thread: the
// simulation does.
//
// A command whose request or payment can't be looked up is refused, since it could be taken a second time: with
// kDataLoss where its rows are damaged, with kUnavailable where the disk did not give them this time. The others go on.
//
// Failure: when a commit is anything but durable, `on_fatal` is called on the sequencer's thread and nothing is decided
// or answered after it. on_fatal is expected to end the process.
//
// What TrySubmit takes and only reads goes before the commands that wait, kMaxReadsAtATime between two blocks, so that
// a lookup does not stand behind a peak of payments: it is answered once the last leg that its answer rests on is
// durable, at once where it is already. It sees what was answered before it was submitted, and not necessarily what was
// submitted before it.
//
// Limits: TrySubmit refuses beyond kMaxSequencerQueue waiting commands, and as many reads; Submit never does, its
// callers are bounded themselves. At most kMaxReadsHeld reads wait for blocks to become durable, with what they saw;
// the others wait to be taken. A block holds at most kMaxCommandsPerBlock commands; at most kMaxBlocksInFlight blocks
// wait for the log.
class Sequencer {
 public:
  struct Options {
    std::chrono::milliseconds snapshot_interval;
    std::function<void(const std::string& cause)> on_fatal;
    // The leg that the last snapshot is of; null: the position that the sequencer starts from.
    std::optional<uint64_t> snapshot_sequence = std::nullopt;
    // Hears how far the journal is durable, after each commit, on the sequencer's thread; must not block. May be null.
    std::function<void(const ChainPosition& end)> on_durable = nullptr;
  };

  // All outlive the sequencer; `observer` may be null. `position` is where the journal and the ledger stand.
  Sequencer(const ChainPosition& position, core::Ledger* ledger, CommitLog* log, const Index* index,
            const core::Clock* clock, PaymentObserver* observer, Options options);
  // Lets go of commands that were never answered: the coroutines that wait for them end with their worker.
  ~Sequencer();

  void Start();

  // Decides what was submitted, writes a last snapshot, and ends the thread. Nothing is submitted from then on.
  void Stop();

  // Lets go of the tickets that were never answered, whose owners still live: after a failure, or where an owner that
  // runs it step by step ends before it is done.
  void Abandon();

  // Does what can be done without waiting: decides what was submitted, appends, writes a snapshot that is due, delivers
  // what became durable. False: there was nothing to do.
  bool RunReady();

  // New work, and reads: false when there are too many of them, and the ticket was not taken.
  [[nodiscard]] bool TrySubmit(Ticket* ticket);
  // What must not be refused: outcomes, and commands of people.
  void Submit(Ticket* ticket);

  // The last leg that is durable; what the commit log shows beyond it may not be yet. Any thread. Of a leg that a reply
  // tells of, it has moved on before the reply is delivered.
  uint64_t durable_sequence() const { return durable_sequence_.load(std::memory_order_acquire); }

  // What it has done since it was made. Any thread.
  const SequencerTally& tally() const { return tally_; }

 private:
  struct PendingBlock {
    ChainPosition end;
    core::SteadyTime appended_at;
    std::vector<Ticket*> tickets;
    std::vector<Ticket*> reads;          // whose answers rest on a leg of this block
    std::vector<core::Payment> changes;  // for the observer
  };
  enum class Wake { kWork, kSnapshot, kStop };

  void Enqueue(Ticket* ticket, std::vector<Ticket*>* queue, std::unique_lock<std::mutex> lock);
  void Run();
  void Do(Wake wake);
  Wake WaitForWork();
  // What is to be done now; null when there is nothing to do but wait.
  std::optional<Wake> NextWork(std::unique_lock<std::mutex>* lock);
  void Gather(std::unique_lock<std::mutex>* lock);
  void AnswerReads();
  void DecideBatch();
  // Null: not looked up yet.
  using Found = std::optional<absl::StatusOr<core::Prior>>;
  void Decide(Ticket* ticket, Found found, const core::BlockStamp& stamp, PendingBlock* pending);
  void AddIndexRows(const core::Leg& leg, PendingBlock* pending);
  // Of those taken from next_ to `end`, whose requests are not in memory: all at once, since that costs less.
  std::vector<Found> LookUpRequests(size_t end) const;
  absl::StatusOr<core::Prior> LookUp(const core::Command& command) const;
  void AppendBlock(PendingBlock pending);
  void AppendRows();
  void OnAppended(const CommitResult& result);
  void FinishDurable();
  using DeliverTo = void (ReplyPort::*)(std::vector<Ticket*>);
  static void Deliver(const std::vector<Ticket*>& tickets, DeliverTo deliver);
  void Fail(const std::string& cause);
  bool SnapshotDue(core::SteadyTime now) const;

  core::Ledger* const ledger_;
  CommitLog* const log_;
  const Index* const index_;
  const core::Clock* const clock_;
  PaymentObserver* const observer_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Ticket*> queue_;  // guarded by mutex_
  std::vector<Ticket*> reads_;  // guarded by mutex_: go before what waits
  bool waits_ = false;          // guarded by mutex_: the thread waits
  bool has_room_ = false;       // guarded by mutex_: while it does, for another block
  bool takes_reads_ = false;    // guarded by mutex_: while it does, fewer are held than may be
  bool stopping_ = false;       // guarded by mutex_
  size_t appended_ = 0;         // guarded by mutex_: results that came in and were not looked at
  std::string append_failure_;  // guarded by mutex_

  std::atomic<uint64_t> durable_sequence_;
  SequencerTally tally_;

  // The sequencer's thread only.
  ChainPosition position_;
  std::vector<Ticket*> taken_;
  size_t next_ = 0;  // in taken_
  std::vector<Ticket*> reads_taken_;
  size_t reads_held_ = 0;  // whose answers rest on what is not durable yet
  BlockBuilder builder_;
  SealedBlock sealed_;
  RowBatch rows_;
  std::deque<PendingBlock> in_flight_;
  uint64_t snapshot_sequence_;
  core::SteadyTime snapshot_at_;
  bool failed_ = false;

  std::thread thread_;
};

}  // namespace waystation::storage
