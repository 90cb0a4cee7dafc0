#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/index.h"
#include "storage/memory_commit_log.h"
#include "storage/sequencer.h"
#include "storage/snapshot.h"
#include "switch/core/clock.h"
#include "switch/core/ledger.h"

namespace waystation::storage {

// Notes what is delivered, in order. Any thread.
class RecordingPort final : public ReplyPort {
 public:
  void Deliver(std::vector<Ticket*> tickets) override;

  // Returns once `ticket` was delivered; stops the process when that takes too long.
  void WaitFor(const Ticket* ticket);
  std::vector<Ticket*> delivered() const;
  // Deliveries, each of one or more tickets.
  size_t deliveries() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Ticket*> delivered_;  // guarded by mutex_
  size_t deliveries_ = 0;           // guarded by mutex_
};

// A ledger that start-up recovered from a store, with the sequencer that writes it on. One thread, but for what its
// parts allow.
class RunningLedger {
 public:
  struct Options {
    std::chrono::milliseconds snapshot_interval = std::chrono::hours(1);
    // What the sequencer appends to: the store itself where null, or something that ends up there.
    CommitLog* log = nullptr;
    PaymentObserver* observer = nullptr;
    std::function<void(const ChainPosition& end)> on_durable = nullptr;
  };

  // A store that can't be recovered stops the process. All outlive the running ledger.
  RunningLedger(MemoryCommitLog* store, const core::Clock* clock, const Options& options);
  RunningLedger(MemoryCommitLog* store, const core::Clock* clock) : RunningLedger(store, clock, Options()) {}
  ~RunningLedger();

  void Start() { sequencer_->Start(); }
  // Drains, and writes the last snapshot. A second call does nothing.
  void Stop();

  // The ticket lives as long as this.
  Ticket* Submit(core::Command command);
  // Null when it was refused.
  Ticket* TrySubmit(core::Command command);
  // Submits, and returns the reply once it may be seen.
  core::Reply Do(core::Command command);
  core::Payment Pay(core::AcceptPayment command);

  // The cause that on_fatal was called with; waits for it.
  std::string WaitForFatal();

  Sequencer& sequencer() { return *sequencer_; }
  RecordingPort& port() { return port_; }
  const Index& index() const { return index_; }
  // Not to be looked at while the sequencer is at work.
  const core::Ledger& ledger() const { return ledger_; }
  core::Ledger& ledger() { return ledger_; }
  const Recovered& recovered() const { return recovered_; }

 private:
  void OnFatal(const std::string& cause);

  RecordingPort port_;
  core::Ledger ledger_;
  Index index_;
  Recovered recovered_;
  std::deque<Ticket> tickets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string fatal_;  // guarded by mutex_
  std::unique_ptr<Sequencer> sequencer_;
};

// --- a shop: one station, active, with 1,000 yuan, and one biller ---
core::StationId ShopStation();
core::BusinessDate ShopDate();
inline constexpr char kShopBiller[] = "mobile";
std::vector<core::Command> ShopOpening();
// 50 yuan to the shop's biller.
core::AcceptPayment ShopPayment(const std::string& request_id);
core::RecordOutcome ShopOutcome(core::PaymentId id, core::PaymentEvent event);
void OpenShop(RunningLedger& running);

// Appends, and returns the result once it is there.
CommitResult AppendAndWait(CommitLog& log, const SealedBlock* block, const RowBatch& rows);

// Everything of `from` that is durable, as a crash would leave it.
std::unique_ptr<MemoryCommitLog> CopyOf(const MemoryCommitLog& from);
void DropTable(MemoryCommitLog& store, Table table);
std::vector<std::string> KeysOf(const RowReader& rows, Table table);
std::vector<OpenedBlock> BlocksOf(const CommitLog& log);

}  // namespace waystation::storage
