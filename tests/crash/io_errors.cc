// io_errors: lets each of the first operations on a ledger's disk fail in turn. Exit status 0: there was never a wrong
// answer, and whatever stopped said why.

#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"
#include "tests/crash/io_error_proof.h"
#include "tests/crash/options.h"

int main(int argc, char** argv) {
  uint64_t operations = 300;
  uint64_t seed = 1;
  if (!waystation::crash::ReadOptions(argc, argv, "io_errors [--operations N] [--seed S]",
                                      {{"--operations", &operations}, {"--seed", &seed}})) {
    return 2;
  }
  const auto report = waystation::crash::ProveIoErrors(operations, seed, false);
  for (const std::string& fault : report.faults) fmt::print(stderr, "FAULT {}\n", fault);
  fmt::print(
      "io_errors --operations {} --seed {}: {} runs with an error each: {} refused to start, {} stopped, {} went on; "
      "{} payments, {} answers; {} faults\n",
      operations, seed, report.runs, report.refused, report.stopped, report.went_on, report.payments, report.answers,
      report.faults.size());
  return report.faults.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
