#pragma once

#include <chrono>

#include "absl/status/statusor.h"
#include "switch/flow/payment_flow.h"
#include "switch/rpc/backend.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::rpc {

// The order that `request` is, whose texts move into it; `deadline` is the call's. Error: what is wrong with it, the
// first in the order that RESULTS.md gives. Any thread.
absl::StatusOr<flow::PayOrder> CheckPayOrder(const Backend& backend, v1::PayRequest& request,
                                             std::chrono::system_clock::time_point deadline);

}  // namespace waystation::rpc
