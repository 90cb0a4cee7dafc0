#pragma once

#include "grpcpp/server_context.h"
#include "switch/core/trace_context.h"

namespace waystation::rpc {

// The trace that a call belongs to: its caller's, by the metadata `traceparent`, otherwise one that begins here (as it
// does where that is not well-formed or there are several, as the recommendation has it). The span is the switch's own,
// drawn anew for each call.
//
// Once a call, on its own thread: the first look at a call's metadata copies them.
core::TraceContext TraceOf(const grpc::ServerContextBase& context);

}  // namespace waystation::rpc
