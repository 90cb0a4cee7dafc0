#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/high_water.h"
#include "storage/high_water_keeper.h"
#include "storage/index.h"
#include "storage/rocks_commit_log.h"
#include "storage/sequencer.h"
#include "storage/snapshot.h"
#include "storage/verify.h"
#include "switch/core/ledger.h"
#include "tests/storage/manual_clock.h"

namespace waystation::crash {

// One run of the ledger from start to end, as switchd puts it together: the commit log, start-up's recovery, the
// high-water mark, and the sequencer. Where switchd would end the process, this goes on to answer nothing. One thread.
class LedgerSession {
 public:
  struct Options {
    std::string folder;
    std::shared_ptr<rocksdb::FileSystem> files;  // null: the default one
    storage::HighWater* high_water = nullptr;    // null: none is kept
    size_t journal_memtable_bytes = 64 << 20;
    std::chrono::milliseconds snapshot_interval = std::chrono::milliseconds(5);
    // A planted fault: a block is said to be durable before it is written, which happens when the next one comes.
    bool answers_before_commit = false;
  };

  // Opens, recovers, and starts. Error: what switchd would end with.
  static absl::StatusOr<std::unique_ptr<LedgerSession>> Start(const Options& options, const core::Clock* clock);
  ~LedgerSession();

  // Submits them together and waits. In their order; null where no reply came before a commit failed.
  std::vector<std::optional<core::Reply>> Do(std::vector<core::Command> commands);
  // Ends the run as SIGTERM would. A second call does nothing.
  void Stop();

  // Why the process would have ended; empty as long as it goes on.
  std::string fatal() const;
  bool goes_on() const { return fatal().empty(); }

 private:
  class Port;

  LedgerSession();
  absl::Status Open(const Options& options, const core::Clock* clock);
  // Holds the journal against the mark that was found, and keeps the mark from then on.
  absl::StatusOr<storage::Recovered> RecoverTo(storage::HighWater* high_water,
                                               const std::optional<storage::HighWaterMark>& mark);

  std::unique_ptr<storage::RocksCommitLog> log_;
  std::unique_ptr<storage::CommitLog> late_;
  std::unique_ptr<storage::Index> index_;
  std::unique_ptr<core::Ledger> ledger_;
  std::unique_ptr<Port> port_;
  std::unique_ptr<storage::HighWaterKeeper> mark_keeper_;  // null: no mark is kept
  std::unique_ptr<storage::Sequencer> sequencer_;
};

// Opens the store to look at it, and checks what must hold of any store at any time: it recovers, the sum over all
// accounts is zero, journal verify finds nothing, and no request of a station was accepted twice. Not OK: which does
// not, or that it can't be opened.
absl::Status CheckStore(const LedgerSession::Options& options);

}  // namespace waystation::crash
