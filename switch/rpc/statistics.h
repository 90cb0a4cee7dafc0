#pragma once

#include "switch/rpc/backend.h"
#include "waystation/v1/operations_service.pb.h"

namespace waystation::rpc {

// What the switch has done since it started and has in hand, from counters that are read as they are: nothing waits for
// it, and it waits for nothing but locks that are held for a moment. Any thread.
v1::Statistics ReadStatistics(const Backend& backend);

}  // namespace waystation::rpc
