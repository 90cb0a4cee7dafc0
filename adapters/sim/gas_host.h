#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/sim/host.h"

namespace waystation::adapters::sim {

// The gas company: XML in GBK over HTTP, as adapters/gas/README.md has it. Settings: partner. A request whose time is
// more than a minute ago, or a minute ahead, has no effect. Nothing signs its messages: the fault bad_mac does nothing.
absl::StatusOr<std::unique_ptr<Host>> MakeGasHost(const HostParts& parts);

}  // namespace waystation::adapters::sim
