#include "bench/durable_ledger.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "bench/ledger_load.h"
#include "bench/payment_pump.h"
#include "bench/temporary_folder.h"
#include "fmt/format.h"
#include "storage/high_water.h"
#include "storage/high_water_keeper.h"
#include "storage/index.h"
#include "storage/rocks_commit_log.h"
#include "storage/sequencer.h"
#include "switch/core/check.h"
#include "switch/core/clock.h"
#include "switch/core/ledger.h"
#include "switch/core/limits.h"

namespace waystation::bench {

namespace {

[[noreturn]] void EndForCause(const std::string& cause) {
  fmt::print(stderr, "the ledger that is measured: {}\n", cause);
  std::_Exit(1);
}

}  // namespace

struct DurableLedger::Parts {
  Parts(std::unique_ptr<TemporaryFolder> in, std::unique_ptr<storage::RocksCommitLog> opened, size_t station_count)
      : folder(std::move(in)),
        log(std::move(opened)),
        stations(station_count),
        mark(folder->path() + "/high_water"),
        keeper(&mark, core::kHighWaterInterval, EndForCause),
        sequencer(storage::ChainPosition(), &ledger, log.get(), &index, &clock, /*observer=*/nullptr,
                  {.snapshot_interval = core::kDefaultSnapshotInterval,
                   .on_fatal = EndForCause,
                   .snapshot_sequence = std::nullopt,
                   .on_durable = [this](const storage::ChainPosition& end) { keeper.Note(end); }}) {
    keeper.Start();
    sequencer.Start();
    OpenStations(sequencer, stations);
  }
  ~Parts() { Stop(); }

  void Stop() {
    if (std::exchange(stopped, true)) return;
    sequencer.Stop();
    keeper.Stop();
  }

  const std::unique_ptr<TemporaryFolder> folder;
  const std::unique_ptr<storage::RocksCommitLog> log;
  const size_t stations;
  uint64_t paid = 0;
  bool stopped = false;
  core::Ledger ledger{OpeningDate()};
  const core::SystemClock clock;
  const storage::Index index{log.get(), log.get()};
  storage::HighWaterFile mark;
  storage::HighWaterKeeper keeper;
  storage::Sequencer sequencer;
};

DurableLedger::DurableLedger(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
DurableLedger::~DurableLedger() = default;

absl::StatusOr<std::unique_ptr<DurableLedger>> DurableLedger::Open(const std::string& work_folder, size_t stations) {
  auto folder = TemporaryFolder::Make(work_folder);
  if (!folder.ok()) return folder.status();
  auto log = storage::RocksCommitLog::Open((*folder)->path() + "/ledger");
  if (!log.ok()) return log.status();
  return std::unique_ptr<DurableLedger>(
      new DurableLedger(std::make_unique<Parts>(*std::move(folder), *std::move(log), stations)));
}

void DurableLedger::Pay(uint64_t payments, size_t under_way) {
  PumpPayments(parts_->sequencer, parts_->stations, parts_->paid + 1, payments, under_way);
  parts_->paid += payments;
}

double DurableLedger::Close() {
  parts_->Stop();
  WS_CHECK(parts_->ledger.SumOfBalances() == core::Money(), "the sum over all accounts is zero");
  uint64_t blocks = 0;
  const absl::Status read = parts_->log->ReadBlocks(1, [&blocks](uint64_t, std::string_view) { return ++blocks > 0; });
  WS_CHECK(read.ok(), std::string(read.message()));
  return static_cast<double>(parts_->ledger.last_sequence()) / static_cast<double>(blocks);
}

uint64_t DurableLedger::DiskBytes() const {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(parts_->folder->path())) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace waystation::bench
