// The ledger with its storage: durable payments a second, without an API above. Two legs a payment, the request id
// looked up in the index, blocks of 192 commands chained and synced by the sequencer that the switch runs on.

#include <string>

#include "bench/durable_ledger.h"
#include "bench/temporary_folder.h"
#include "benchmark/benchmark.h"
#include "switch/core/limits.h"

namespace waystation::bench {
namespace {

constexpr size_t kStations = 1'000;
constexpr uint64_t kPayments = 1'000'000;

void DurablePayments(benchmark::State& state) {
  auto ledger = DurableLedger::Open(DefaultParentFolder(), kStations);
  if (!ledger.ok()) return state.SkipWithError(std::string(ledger.status().message()).c_str());
  for (auto _ : state) (*ledger)->Pay(kPayments, static_cast<size_t>(state.range(0)) * core::kMaxCommandsPerBlock);
  state.counters["payments/s"] = benchmark::Counter(static_cast<double>(kPayments), benchmark::Counter::kIsRate);
  state.counters["legs/block"] = (*ledger)->Close();
}
BENCHMARK(DurablePayments)
    ->ArgName("blocks_under_way")
    ->Arg(1)
    ->Arg(static_cast<int64_t>(core::kMaxBlocksInFlight))
    ->Arg(2 * static_cast<int64_t>(core::kMaxBlocksInFlight))
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waystation::bench
