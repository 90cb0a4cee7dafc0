#pragma once

#include <chrono>

namespace waystation::storage {

// How long a test waits for an event before it counts as one that does not come: sanitizers on a busy machine are slow.
inline constexpr std::chrono::seconds kPatience{60};

}  // namespace waystation::storage
