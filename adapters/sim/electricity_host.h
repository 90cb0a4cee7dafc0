#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/sim/host.h"

namespace waystation::adapters::sim {

// The power company: ISO 8583 over TCP. Settings: `specification`, the data file of its dialect, and `mac_key_file`.
absl::StatusOr<std::unique_ptr<Host>> MakeElectricityHost(const HostParts& parts);

}  // namespace waystation::adapters::sim
