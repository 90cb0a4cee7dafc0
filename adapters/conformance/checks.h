#pragma once

#include <string_view>
#include <vector>

#include "adapters/conformance/bench.h"

namespace waystation::adapters::conformance {

struct Check {
  std::string_view name;
  void (*run)(Bench& bench);
};

// The answers of a biller that is there.
const std::vector<Check>& AnswerChecks();
// What must not be told wrong when something is lost, late or sent again.
const std::vector<Check>& FaultChecks();

}  // namespace waystation::adapters::conformance
