// The stored form of a leg: what it costs to write and to read one.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "bench/ledger_load.h"
#include "benchmark/benchmark.h"
#include "storage/leg_codec.h"
#include "switch/core/check.h"
#include "switch/core/ledger.h"

namespace waystation::bench {
namespace {

// The two legs of a payment, as the ledger makes them.
struct PaymentLegs {
  core::Leg accepted;
  core::Leg approved;
};

PaymentLegs MakeLegs() {
  const core::BlockStamp stamp{core::TimePoint(std::chrono::milliseconds(1'795'219'200'000)), OpeningDate()};
  core::Ledger ledger(OpeningDate());
  std::vector<core::Command> commands = OpeningCommands(1);
  commands.push_back(NumberedPayment(1, 1));
  std::vector<core::Leg> legs;
  const auto add = [&](const core::Command& command) {
    core::Decision decision = ledger.Decide(command, core::Prior());
    WS_CHECK(decision.leg.has_value() && ledger.Apply(*decision.leg, stamp).ok(), "each command adds a leg");
    legs.push_back(*std::move(decision.leg));
  };
  for (const core::Command& command : commands) add(command);
  add(Approval(core::PaymentId::FromNumber(ledger.last_sequence())));
  return {.accepted = legs[legs.size() - 2], .approved = legs.back()};
}

std::string Stored(const core::Leg& leg) {
  storage::WireWriter form;
  storage::EncodeLeg(leg, &form);
  return std::string(form.bytes());
}

void Encode(benchmark::State& state, core::Leg PaymentLegs::*which) {
  const PaymentLegs legs = MakeLegs();
  storage::WireWriter form;
  for (auto _ : state) {
    form.Clear();
    storage::EncodeLeg(legs.*which, &form);
    benchmark::DoNotOptimize(form.bytes().data());
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(form.bytes().size());
}
BENCHMARK_CAPTURE(Encode, accepted, &PaymentLegs::accepted);
BENCHMARK_CAPTURE(Encode, approved, &PaymentLegs::approved);

void Decode(benchmark::State& state, core::Leg PaymentLegs::*which) {
  const PaymentLegs legs = MakeLegs();
  const std::string bytes = Stored(legs.*which);
  storage::pb::Leg message;
  for (auto _ : state) {
    WS_CHECK(message.ParseFromString(bytes), "our own bytes can be read");
    const absl::StatusOr<core::Leg> leg = storage::DecodeLeg(message);
    WS_CHECK(leg.ok(), "our own leg can be read");
    benchmark::DoNotOptimize(leg->sequence);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(Decode, accepted, &PaymentLegs::accepted);
BENCHMARK_CAPTURE(Decode, approved, &PaymentLegs::approved);

}  // namespace
}  // namespace waystation::bench
