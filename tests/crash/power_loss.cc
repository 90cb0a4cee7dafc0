// power_loss: cuts the power of a ledger at random points, in the model of tests/crash/lossy_file_system.h. Exit status
// 0: every answer that was given is still true.

#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"
#include "tests/crash/options.h"
#include "tests/crash/power_loss_proof.h"

int main(int argc, char** argv) {
  using waystation::crash::Planted;
  uint64_t rounds = 500;
  uint64_t seed = 1;
  if (!waystation::crash::ReadOptions(argc, argv, "power_loss [--rounds N] [--seed S]",
                                      {{"--rounds", &rounds}, {"--seed", &seed}})) {
    return 2;
  }
  const auto report = waystation::crash::ProvePowerLoss(rounds, seed, Planted::kNothing);
  for (const std::string& fault : report.faults) fmt::print(stderr, "FAULT {}\n", fault);
  fmt::print(
      "power_loss --rounds {} --seed {}: {} power cuts in {} stores, {} of them while opening; {} changes to the disk, "
      "{} payments, {} day cuts; {} answers, {} requests without an answer; {} faults\n",
      rounds, seed, report.cuts, report.stores, report.cuts_while_opening, report.changes, report.payments,
      report.day_cuts, report.answers, report.unanswered, report.faults.size());
  return report.faults.empty() && report.cuts == rounds ? EXIT_SUCCESS : EXIT_FAILURE;
}
