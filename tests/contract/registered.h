#pragma once

#include <string>
#include <vector>

#include "adapters/settings.h"

namespace waystation::adapters {

// How to make a registered adapter for the contract tests, and a customer for whom everything goes well.
struct RegisteredCase {
  std::string label;
  std::string adapter;
  Settings settings;
  // Settings under which no operation answers within 100 ms.
  Settings slow_settings;
  std::string customer_number;
  // One that the biller does not know.
  std::string unknown_customer_number;
};

// One or more for each name of the registry.
const std::vector<RegisteredCase>& RegisteredCases();

}  // namespace waystation::adapters
