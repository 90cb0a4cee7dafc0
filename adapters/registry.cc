#include "adapters/registry.h"

#include "adapters/gas/gas_biller.h"
#include "adapters/iso8583/iso8583_biller.h"
#include "adapters/mobile/mobile_biller.h"
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
#include "adapters/remote/remote_biller.h"
#endif
#include "adapters/sandbox/sandbox_biller.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters {
namespace {

struct Registered {
  std::string_view name;
  absl::StatusOr<std::unique_ptr<BillerAdapter>> (*create)(const Settings&, const CardOverrides&);
};

// In alphabetical order.
constexpr Registered kRegistry[] = {
    {"gas_xml", gas::GasBiller::Create},            // XML in GBK over HTTP
    {"iso8583", iso8583::Iso8583Biller::Create},    // ISO 8583 over TCP
    {"mobile_json", mobile::MobileBiller::Create},  // signed JSON over HTTPS
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS              // not in the builds without gRPC
    {"remote", remote::RemoteBiller::Create},
#endif
    {"sandbox", sandbox::SandboxBiller::Create},
};

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(std::string_view adapter, const Settings& settings,
                                                      const CardOverrides& overrides) {
  for (const Registered& registered : kRegistry) {
    if (registered.name == adapter) return registered.create(settings, overrides);
  }
  return absl::InvalidArgumentError(
      fmt::format("adapter: \"{}\" is not known; expected one of {}", adapter, fmt::join(AdapterNames(), ", ")));
}

std::vector<std::string_view> AdapterNames() {
  std::vector<std::string_view> names;
  for (const Registered& registered : kRegistry) names.push_back(registered.name);
  return names;
}

}  // namespace waystation::adapters
