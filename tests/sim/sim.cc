// sim: runs the simulation, seed by seed. Exit status 0: every invariant held in every run.

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "tests/sim/doubles.h"
#include "tests/sim/outage.h"
#include "tests/sim/world.h"

namespace {

using waystation::sim::Outcome;
using waystation::sim::World;

constexpr std::string_view kUsage =
    "sim runs the switch with simulated time, disk, billers and stations, and checks what must hold.\n"
    "  sim --seeds N [--first S]   N runs, with the seeds S (1 where none is given), S+1, ...\n"
    "  sim --minutes N [--first S] as many runs as there is time for\n"
    "  sim --seed S                one run, with a line for each step\n"
    "  sim --outage N              a biller is down for N minutes at 1,000 payments a second\n"
    "  --fault NAME                with a fault planted, which it is to find: exit status 1. Names:\n"
    "                             ";

struct Options {
  uint64_t seeds = 0;
  uint64_t minutes = 0;
  uint64_t seed = 0;
  std::optional<uint64_t> first;
  uint64_t outage = 0;
  std::optional<waystation::sim::Fault> fault;
};

int Usage(std::FILE* to, int status) {
  fmt::print(to, "{}", kUsage);
  for (const auto fault : waystation::sim::kAllFaults) fmt::print(to, " {}", waystation::sim::Name(fault));
  fmt::print(to, "\n");
  return status;
}

bool ReadNumber(std::string_view text, uint64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// Options that would leave another without effect. Empty: there are none.
std::string Contradiction(const Options& options) {
  const std::pair<std::string_view, bool> kinds[] = {{"--seeds", options.seeds > 0},
                                                     {"--minutes", options.minutes > 0},
                                                     {"--seed", options.seed > 0},
                                                     {"--outage", options.outage > 0}};
  std::string_view kind;
  for (const auto& [name, given] : kinds) {
    if (!given) continue;
    if (!kind.empty()) return fmt::format("{} and {} are two kinds of run; expected one", kind, name);
    kind = name;
  }
  if (kind == "--outage" && options.fault.has_value())
    return "--fault plants nothing in an --outage; leave one of them out";
  if (kind == "--seed" && options.first.has_value()) return "--first says nothing of a run of one --seed; leave it out";
  return "";
}

// One run, traced.
int Replay(const Options& options) {
  World world(options.seed, stdout, options.fault);
  const Outcome outcome = world.Run();
  fmt::print("seed {}: {} steps, {} lives, {} payments, {} answers, trace {:016x}: {}\n", options.seed, outcome.steps,
             outcome.crashes, outcome.payments, outcome.answers, outcome.trace_hash,
             outcome.broken.empty() ? "all invariants held" : outcome.broken);
  return outcome.broken.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int RunSeeds(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  constexpr uint64_t kShown = 10;
  uint64_t runs = 0;
  uint64_t broken = 0;
  Outcome all;
  for (uint64_t seed = options.first.value_or(1);; ++seed) {
    if (options.minutes > 0 ? seconds() >= 60.0 * static_cast<double>(options.minutes) : runs >= options.seeds) break;
    World world(seed, nullptr, options.fault);
    const Outcome outcome = world.Run();
    ++runs;
    all.steps += outcome.steps;
    all.crashes += outcome.crashes;
    all.payments += outcome.payments;
    all.answers += outcome.answers;
    all.in_review += outcome.in_review;
    all.out_of_service += outcome.out_of_service;
    if (!outcome.broken.empty() && ++broken <= kShown) {
      fmt::print("BROKEN seed {}: {}\n  see each step with: sim --seed {}\n", seed, outcome.broken, seed);
      std::fflush(stdout);
    }
  }
  fmt::print(
      "{} seeds from {}: {} broken; {} payments, {} answers checked, {} crashes, {} in review, {} out of service, "
      "{} steps; "
      "{:.1f} s, {:.1f} seeds/s\n",
      runs, options.first.value_or(1), broken, all.payments, all.answers, all.crashes, all.in_review,
      all.out_of_service, all.steps, seconds(), static_cast<double>(runs) / seconds());
  return broken == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--help") return Usage(stdout, EXIT_SUCCESS);
    uint64_t* number = option == "--seeds"     ? &options.seeds
                       : option == "--minutes" ? &options.minutes
                       : option == "--seed"    ? &options.seed
                       : option == "--outage"  ? &options.outage
                       : option == "--first"   ? &options.first.emplace()
                                               : nullptr;
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--fault") {
      options.fault = waystation::sim::FaultFromName(value);
      if (!options.fault.has_value()) return Usage(stderr, EXIT_FAILURE);
    } else if (number == nullptr || !ReadNumber(value, number)) {
      return Usage(stderr, EXIT_FAILURE);
    }
  }
  if (const std::string fault = Contradiction(options); !fault.empty()) {
    fmt::print(stderr, "sim: {}\n\n", fault);
    return Usage(stderr, EXIT_FAILURE);
  }
  if (options.outage > 0) {
    return waystation::sim::RunOutage(options.outage, options.first.value_or(1)) ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  if (options.seed > 0) return Replay(options);
  if (options.seeds == 0 && options.minutes == 0) return Usage(stderr, EXIT_FAILURE);
  return RunSeeds(options);
}
