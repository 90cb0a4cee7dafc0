// The ledger with its storage: durable payments a second, without an API above. Two legs a payment, the request id
// looked up in the index, blocks of 256 commands chained and synced by the sequencer that the switch runs on.

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/ledger_load.h"
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

// Waits for the answers to a list of commands.
class AnswerWait final : public storage::ReplyPort {
 public:
  void Deliver(std::vector<storage::Ticket*> tickets) override {
    for (const storage::Ticket* ticket : tickets) WS_CHECK(ticket->reply.status.ok(), "the opening commands stand");
    const std::lock_guard lock(mutex_);
    answered_ += tickets.size();
    changed_.notify_one();
  }

  void WaitFor(size_t answers) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return answered_ >= answers; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t answered_ = 0;
};

// Keeps so many payments under way, and turns each answer into the next command at once, on the sequencer's own thread:
// blocks are full but for the first and the last ones (legs/block shows it), and nothing but the storage is measured.
class PaymentPump final : public storage::ReplyPort {
 public:
  PaymentPump(storage::Sequencer* sequencer, size_t under_way) : sequencer_(sequencer), tickets_(under_way) {}

  // Before the sequencer has this pump's first ticket, or after the last one came back.
  void SubmitFirst() {
    for (storage::Ticket& ticket : tickets_) {
      ticket.port = this;
      ticket.command = NumberedPayment(++started_, kStations);
    }
    for (storage::Ticket& ticket : tickets_) sequencer_->Submit(&ticket);
  }

  void Deliver(std::vector<storage::Ticket*> tickets) override {
    for (storage::Ticket* ticket : tickets) {
      WS_CHECK(ticket->reply.status.ok(), std::string(ticket->reply.status.message()));
      const core::Payment& payment = std::get<core::Payment>(ticket->reply.value);
      if (payment.state == core::PaymentState::kHeld) {
        ticket->command = Approval(payment.id);
      } else {
        WS_CHECK(payment.state == core::PaymentState::kSucceeded, "each payment is approved");
        ++finished_;
        if (started_ == kPayments) continue;
        ticket->command = NumberedPayment(++started_, kStations);
      }
      sequencer_->Submit(ticket);
    }
    if (finished_ < kPayments) return;
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_one();
  }

  void WaitForAll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

 private:
  storage::Sequencer* const sequencer_;
  std::vector<storage::Ticket> tickets_;
  uint64_t started_ = 0;
  uint64_t finished_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

void Open(storage::Sequencer& sequencer) {
  AnswerWait answers;
  std::vector<core::Command> commands = OpeningCommands(kStations);
  std::vector<storage::Ticket> tickets(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    tickets[i].command = std::move(commands[i]);
    tickets[i].port = &answers;
    sequencer.Submit(&tickets[i]);
  }
  answers.WaitFor(tickets.size());
}

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
  Open(sequencer);
  PaymentPump pump(&sequencer, static_cast<size_t>(state.range(0)) * core::kMaxCommandsPerBlock);
  for (auto _ : state) {
    pump.SubmitFirst();
    pump.WaitForAll();
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
