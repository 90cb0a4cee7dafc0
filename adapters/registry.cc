#include "adapters/registry.h"

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
