// A fixed run of payments through flow, ledger and storage in one thread, to count its instructions: unlike times, they
// repeat. Run by count_instructions.py under callgrind, which collects within PayAll.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/registry.h"
#include "bench/ledger_load.h"
#include "bench/temporary_folder.h"
#include "fmt/format.h"
#include "storage/index.h"
#include "storage/rocks_commit_log.h"
#include "storage/sequencer.h"
#include "switch/core/check.h"
#include "switch/core/clock.h"
#include "switch/core/ledger.h"
#include "switch/core/limits.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"

namespace waystation::bench {
namespace {

constexpr size_t kStations = 1'000;
constexpr uint64_t kPayments = 10'000;
// Few enough that the commit log writes each block on the caller's thread.
constexpr uint64_t kTogether = 100;
static_assert(kTogether < core::kLegsToOverlap);
// None of both comes about during the run.
constexpr std::chrono::hours kNoSnapshot{24};
constexpr std::chrono::minutes kAnswerWait{10};

void RunAll(flow::Worker& worker, storage::Sequencer& sequencer) {
  while (worker.RunReady() || sequencer.RunReady()) {
  }
}

// Replies to the opening commands.
class Opened final : public storage::ReplyPort {
 public:
  void Deliver(std::vector<storage::Ticket*> tickets) override {
    for (const storage::Ticket* ticket : tickets) WS_CHECK(ticket->reply.status.ok(), "the opening commands stand");
  }
};

flow::PayOrder NumberedOrder(uint64_t number, core::SteadyTime answer_by) {
  core::AcceptPayment command = NumberedPayment(number, kStations);
  // The sandbox approves these.
  command.customer_number.replace(9, 2, "00");
  return {.station = command.station,
          .operator_id = std::move(command.operator_id),
          .request_id = std::move(command.request_id),
          .biller_id = std::move(command.biller_id),
          .customer_number = std::move(command.customer_number),
          .amount = command.amount,
          .inquiry = {},
          .answer_by = answer_by};
}

// What is counted. Named to callgrind, so it stays a function of its own.
__attribute__((noinline)) uint64_t PayAll(flow::PaymentFlow& flow, flow::Worker& worker,
                                          storage::Sequencer& sequencer) {
  uint64_t succeeded = 0;
  const core::SteadyTime answer_by = worker.clock().Steady() + kAnswerWait;
  for (uint64_t number = 0; number < kPayments;) {
    for (uint64_t i = 0; i < kTogether; ++i) {
      flow.Pay(NumberedOrder(++number, answer_by), [&succeeded](const flow::PaymentFlow::Result& result) {
        WS_CHECK(result.status.ok(), std::string(result.status.message()));
        if (result.payment.state == core::PaymentState::kSucceeded) ++succeeded;
      });
    }
    RunAll(worker, sequencer);
  }
  return succeeded;
}

int Main() {
  auto folder = TemporaryFolder::Make(DefaultParentFolder());
  WS_CHECK(folder.ok(), std::string(folder.status().message()));
  auto log = storage::RocksCommitLog::Open((*folder)->path() + "/ledger");
  WS_CHECK(log.ok(), std::string(log.status().message()));
  core::Ledger ledger(OpeningDate());
  const core::SystemClock clock;
  const storage::Index index(log->get(), log->get());
  storage::Sequencer sequencer(
      storage::ChainPosition(), &ledger, log->get(), &index, &clock, /*observer=*/nullptr,
      {.snapshot_interval = kNoSnapshot, .on_fatal = [](const std::string& cause) { WS_CHECK(false, cause); }});
  std::vector<core::Command> commands = OpeningCommands(kStations);
  std::vector<storage::Ticket> tickets(commands.size());
  Opened opened;
  for (size_t i = 0; i < commands.size(); ++i) {
    tickets[i].command = std::move(commands[i]);
    tickets[i].port = &opened;
    sequencer.Submit(&tickets[i]);
    sequencer.RunReady();
  }

  auto adapter = adapters::Create("sandbox", {{"profile", "mobile"}}, {});
  WS_CHECK(adapter.ok(), std::string(adapter.status().message()));
  flow::Router router;
  const std::string biller_id = NumberedPayment(1, kStations).biller_id;
  router.Add(std::make_unique<flow::BillerLane>(biller_id, biller_id, *std::move(adapter), &clock));
  flow::Worker worker(&clock);
  flow::PaymentFlow flow(&worker, &sequencer, &router, {});
  const uint64_t succeeded = PayAll(flow, worker, sequencer);
  sequencer.Stop();
  WS_CHECK(ledger.SumOfBalances() == core::Money(), "the sum over all accounts is zero");
  fmt::print("{} payments, {} succeeded, {} legs\n", kPayments, succeeded, ledger.last_sequence());
  return succeeded == kPayments ? 0 : 1;
}

}  // namespace
}  // namespace waystation::bench

int main() {
  return waystation::bench::Main();
}
