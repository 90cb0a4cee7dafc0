#include "adapters/conformance/suite.h"

#include "adapters/conformance/bench.h"
#include "adapters/conformance/checks.h"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::adapters::conformance {
namespace {

std::vector<Check> AllChecks() {
  std::vector<Check> all = AnswerChecks();
  all.insert(all.end(), FaultChecks().begin(), FaultChecks().end());
  return all;
}

Result Run(const Target& target, const Check& check) {
  Bench bench(target);
  if (bench.ready()) check.run(bench);
  return bench.Take(check.name);
}

std::string_view Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed: return "passed";
    case Verdict::kFailed: return "FAILED";
    case Verdict::kNotApplicable: break;
  }
  return "not applicable";
}

}  // namespace

std::vector<std::string_view> CheckNames() {
  std::vector<std::string_view> names;
  for (const Check& check : AllChecks()) names.push_back(check.name);
  return names;
}

Result RunCheck(const Target& target, std::string_view name) {
  for (const Check& check : AllChecks()) {
    if (check.name == name) return Run(target, check);
  }
  WS_CHECK(false, "a check of CheckNames()");
  return {};
}

std::vector<Result> RunAll(const Target& target) {
  std::vector<Result> results;
  for (const Check& check : AllChecks()) results.push_back(Run(target, check));
  return results;
}

std::string Table(const std::vector<Result>& results) {
  std::string table;
  int counts[3] = {};
  for (const Result& result : results) {
    ++counts[static_cast<int>(result.verdict)];
    table += fmt::format("{:<50}{}{}{}\n", result.check, Word(result.verdict), result.detail.empty() ? "" : ": ",
                         result.detail);
  }
  return table + fmt::format("{} passed, {} failed, {} not applicable\n", counts[0], counts[1], counts[2]);
}

}  // namespace waystation::adapters::conformance
