#include <vector>

#include "adapters/sim/electricity_host.h"
#include "adapters/sim/gas_host.h"
#include "adapters/sim/host.h"
#include "adapters/sim/mobile_host.h"
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
#include "adapters/sim/remote/water_host.h"
#endif
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters::sim {
namespace {

struct Protocol {
  std::string_view name;
  absl::StatusOr<std::unique_ptr<Host>> (*make)(const HostParts&);
};

// In alphabetical order.
const std::vector<Protocol>& Protocols() {
  static const std::vector<Protocol> protocols = {
      {"gas_xml", MakeGasHost},
      {"iso8583", MakeElectricityHost},
      {"mobile_json", MakeMobileHost},
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS  // not in the builds without gRPC
      {"remote", MakeWaterHost},
#endif
  };
  return protocols;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> MakeHost(std::string_view protocol, const HostParts& parts) {
  std::vector<std::string_view> names;
  for (const Protocol& known : Protocols()) {
    if (known.name == protocol) return known.make(parts);
    names.push_back(known.name);
  }
  return absl::InvalidArgumentError(fmt::format("host {}: protocol \"{}\" is not known; expected one of {}", parts.name,
                                                protocol, fmt::join(names, ", ")));
}

}  // namespace waystation::adapters::sim
