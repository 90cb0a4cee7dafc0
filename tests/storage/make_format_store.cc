// make_format_store: a small store of the journal format that this program writes, as text on standard output. It is
// for tests/storage/formats/: one file for each format that was released, made by the program of that release and never
// changed again.

#include <cstdio>
#include <set>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/store_text.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

constexpr int kBatchesBefore = 24;
constexpr int kBatchesAfter = 8;

// A store as a crash leaves it: a snapshot, and a tail of the journal behind it.
std::unique_ptr<MemoryCommitLog> Make(uint64_t seed) {
  ManualClock clock;
  MemoryCommitLog store;
  Workload workload(seed);
  RunningLedger first(&store, &clock);
  first.Start();
  workload.Run(first, clock, kBatchesBefore);
  first.Stop();
  RunningLedger second(&store, &clock);
  second.Start();
  workload.Run(second, clock, kBatchesAfter);
  std::unique_ptr<MemoryCommitLog> crashed = CopyOf(store);
  second.Stop();
  return crashed;
}

// How many kinds of fact, states of payments, and rows of later dates there are.
size_t Variety(const MemoryCommitLog& store) {
  std::set<size_t> facts;
  std::set<core::PaymentState> states;
  for (const OpenedBlock& block : BlocksOf(store)) {
    for (const core::Leg& leg : block.legs) {
      facts.insert(leg.fact.index());
      if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) states.insert(moved->state);
    }
  }
  bool later = false;
  for (const std::string& key : KeysOf(store, Table::kPayments)) later = later || key.starts_with('l');
  return facts.size() + states.size() + (later ? 1 : 0);
}

void Print() {
  uint64_t best = 0;
  size_t variety = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    if (const size_t found = Variety(*Make(seed)); found > variety) {
      variety = found;
      best = seed;
    }
  }
  fmt::print("# A store of journal format {}, as a crash left it: seed {} of make_format_store.\n{}",
             kJournalFormatVersion, best, StoreAsText(*Make(best)));
}

}  // namespace
}  // namespace waystation::storage

int main() {
  waystation::storage::Print();
}
