#pragma once

#include "adapters/conformance/suite.h"

namespace waystation::adapters {

// billersim's carrier and gas company, behind mobile_json and gas_xml.
conformance::Target CarrierTarget();
conformance::Target GasCompanyTarget();

}  // namespace waystation::adapters
