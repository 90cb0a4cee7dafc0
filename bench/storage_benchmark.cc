// The ledger with its storage: durable payments a second, without an API above. Two legs a payment, the request id
// looked up in the index, blocks of 256 commands chained and synced by the sequencer that the switch runs on.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/ledger_load.h"
#include "bench/payment_pump.h"
#include "bench/temporary_folder.h"
#include "benchmark/benchmark.h"
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

constexpr size_t kStations = 1'000;
constexpr uint64_t kPayments = 1'000'000;

[[noreturn]] void EndForCause(const std::string& cause) {
  fmt::print(stderr, "storage_benchmark: {}\n", cause);
  std::_Exit(1);
}

void DurablePayments(benchmark::State& state) {
  auto folder = TemporaryFolder::Make(DefaultParentFolder());
  if (!folder.ok()) return state.SkipWithError(std::string(folder.status().message()).c_str());
  auto log = storage::RocksCommitLog::Open((*folder)->path() + "/ledger");
  if (!log.ok()) return state.SkipWithError(std::string(log.status().message()).c_str());
  core::Ledger ledger(OpeningDate());
  const core::SystemClock clock;
  const storage::Index index(log->get(), log->get());
  storage::HighWaterFile mark((*folder)->path() + "/high_water");
  storage::HighWaterKeeper keeper(&mark, core::kHighWaterInterval, EndForCause);
  storage::Sequencer sequencer(storage::ChainPosition(), &ledger, log->get(), &index, &clock, /*observer=*/nullptr,
                               {.snapshot_interval = core::kDefaultSnapshotInterval,
                                .on_fatal = EndForCause,
                                .snapshot_sequence = std::nullopt,
                                .on_durable = [&keeper](const storage::ChainPosition& end) { keeper.Note(end); }});
  keeper.Start();
  sequencer.Start();
  OpenStations(sequencer, kStations);
  for (auto _ : state) {
    PumpPayments(sequencer, kStations, kPayments, static_cast<size_t>(state.range(0)) * core::kMaxCommandsPerBlock);
  }
  sequencer.Stop();
  keeper.Stop();
  WS_CHECK(ledger.SumOfBalances() == core::Money(), "the sum over all accounts is zero");
  state.counters["payments/s"] = benchmark::Counter(static_cast<double>(kPayments), benchmark::Counter::kIsRate);
  uint64_t blocks = 0;
  const absl::Status read = (*log)->ReadBlocks(1, [&blocks](uint64_t, std::string_view) { return ++blocks > 0; });
  WS_CHECK(read.ok(), std::string(read.message()));
  state.counters["legs/block"] = static_cast<double>(ledger.last_sequence()) / static_cast<double>(blocks);
}
BENCHMARK(DurablePayments)
    ->ArgName("blocks_under_way")
    ->Arg(1)
    ->Arg(2)
    ->Arg(static_cast<int64_t>(core::kMaxBlocksInFlight))
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waystation::bench
