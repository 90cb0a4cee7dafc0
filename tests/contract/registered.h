#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adapters/conformance/suite.h"

namespace waystation::adapters {

// A registered adapter, and something for it to talk to.
struct RegisteredCase {
  std::string label;
  std::string adapter;  // its name in the registry
  // Starts what the adapter talks to, says how to reach it, and which customer shows what. Called for each
  // check.
  std::function<conformance::Target()> target;
};

// One or more for each name of the registry.
const std::vector<RegisteredCase>& RegisteredCases();

// A target of the registry: the adapter with these settings, and the scenario as text.
conformance::Target RegisteredTarget(const std::string& adapter, const Settings& settings, const std::string& scenario);

}  // namespace waystation::adapters
