#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/settings.h"

// The adapters that are linked in: an explicit table, one line each (registry.cc).
namespace waystation::adapters {

// Makes the adapter that is registered as `adapter`; `overrides` are in its card from the start. Does no I/O but to
// read the files that the settings name: an adapter connects when it is first used. InvalidArgument: an unknown name
// ("adapter: ..."), a bad setting ("settings.NAME: ..."), or a card that does not hold together ("card.FIELD: ...").
absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(std::string_view adapter, const Settings& settings,
                                                      const CardOverrides& overrides);

// The registered names, in order.
std::vector<std::string_view> AdapterNames();

}  // namespace waystation::adapters
