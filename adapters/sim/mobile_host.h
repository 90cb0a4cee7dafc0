#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/sim/host.h"

namespace waystation::adapters::sim {

// The mobile carrier: signed JSON over HTTPS, as adapters/mobile/README.md has it. Settings: certificate_file and
// private_key_file (PEM), partner, key_file. A request that was signed more than a minute ago, or a minute ahead, has
// no effect.
absl::StatusOr<std::unique_ptr<Host>> MakeMobileHost(const HostParts& parts);

}  // namespace waystation::adapters::sim
