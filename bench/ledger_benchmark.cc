// The ledger alone: what a payment costs before anything is stored.

#include <chrono>
#include <string>

#include "bench/ledger_load.h"
#include "benchmark/benchmark.h"
#include "switch/core/check.h"
#include "switch/core/ledger.h"

namespace waystation::bench {
namespace {

// As often as a block of 192 commands becomes durable.
constexpr uint64_t kPaymentsPerForget = 96;

const core::BlockStamp kStamp{core::TimePoint(std::chrono::milliseconds(1'795'219'200'000)), OpeningDate()};

core::Reply Do(core::Ledger& ledger, const core::Command& command) {
  core::Decision decision = ledger.Decide(command, core::Prior());
  if (!decision.leg.has_value()) return std::move(decision.reply);
  const absl::Status applied = ledger.Apply(*decision.leg, kStamp);
  WS_CHECK(applied.ok(), std::string(applied.message()));
  core::Reply reply;
  ledger.MakeReply(*decision.leg, &reply);
  return reply;
}

core::PaymentState StateIn(const core::Reply& reply) {
  return std::get<core::Payment>(reply.value).state;
}

// Decide, Apply and the reply of both legs of a payment: accepted, approved.
void AcceptAndApprove(benchmark::State& state) {
  const auto stations = static_cast<size_t>(state.range(0));
  core::Ledger ledger(OpeningDate());
  for (const core::Command& command : OpeningCommands(stations)) {
    WS_CHECK(Do(ledger, command).status.ok(), "the opening commands stand");
  }
  uint64_t number = 0;
  for (auto _ : state) {
    const core::Reply held = Do(ledger, NumberedPayment(++number, stations));
    WS_CHECK(StateIn(held) == core::PaymentState::kHeld, "the station can pay");
    const core::Reply paid = Do(ledger, Approval(std::get<core::Payment>(held.value).id));
    WS_CHECK(StateIn(paid) == core::PaymentState::kSucceeded, "a held payment can be approved");
    if (number % kPaymentsPerForget == 0) ledger.ForgetAtRest(ledger.last_sequence());
  }
  WS_CHECK(ledger.SumOfBalances() == core::Money(), "the sum over all accounts is zero");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AcceptAndApprove)->ArgName("stations")->Arg(1)->Arg(1'000)->Arg(100'000);

// A repeated request is answered from memory, and adds no leg.
void RepeatedRequest(benchmark::State& state) {
  core::Ledger ledger(OpeningDate());
  for (const core::Command& command : OpeningCommands(1)) Do(ledger, command);
  const core::Command payment = NumberedPayment(1, 1);
  Do(ledger, payment);
  for (auto _ : state) {
    const core::Reply reply = Do(ledger, payment);
    WS_CHECK(reply.repeated, "the request is known");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RepeatedRequest);

}  // namespace
}  // namespace waystation::bench
