#pragma once

#include "adapters/conformance/suite.h"

namespace waystation::adapters {

// billersim's power company, over ISO 8583 with a MAC, and the faults that a customer number's ending shows.
conformance::Target PowerCompanyTarget();

}  // namespace waystation::adapters
