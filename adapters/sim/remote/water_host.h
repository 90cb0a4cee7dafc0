#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/sim/host.h"

namespace waystation::adapters::sim {

// The water company: waystation.adapter.v1.BillerAdapter over gRPC in plain text, with grpc.health.v1.Health. Setting:
// card_file, the capability card that it describes itself with (adapters/remote/README.md); sim/remote/water.card is
// what it keeps to. An approval that nobody waited for any more is told as a late one until it is acknowledged, or the
// process ends.
//
// gRPC has threads of its own; what they take in is posted to the io_context, where all is decided.
absl::StatusOr<std::unique_ptr<Host>> MakeWaterHost(const HostParts& parts);

}  // namespace waystation::adapters::sim
