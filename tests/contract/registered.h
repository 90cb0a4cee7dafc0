#pragma once

#include <functional>
#include <iosfwd>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/card.h"
#include "adapters/conformance/suite.h"

namespace waystation::adapters {

// A registered adapter, and something for it to talk to.
struct RegisteredCase {
  std::string label;
  std::string adapter;  // its name in the registry
  // Starts what the adapter talks to, says how to reach it, and which customer shows what. Called for each
  // check.
  std::function<conformance::Target()> target;
  // The checks that say nothing of it, and no others: one that is lost would go unnoticed.
  std::set<std::string, std::less<>> not_applicable = {};
};

std::ostream& operator<<(std::ostream& out, const RegisteredCase& registered);

// One or more for each name of the registry: those whose biller is started here, and a case for each scenario that an
// adapter has in its own folder (adapters/*/*.scenario).
const std::vector<RegisteredCase>& RegisteredCases();

// A target of the registry: the adapter with these settings, and the scenario as text.
conformance::Target RegisteredTarget(const std::string& adapter, const Settings& settings, const std::string& scenario,
                                     const CardOverrides& overrides = {});

}  // namespace waystation::adapters
