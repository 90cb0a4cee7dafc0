#pragma once

#include <atomic>
#include <cstddef>

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "switch/rpc/backend.h"

namespace waystation::rpc {

// One PayStream. It owns itself, and goes when its call and its payments have ended. `open` counts those whose calls
// have not ended, and outlives them; beyond kMaxPayStreams the stream is refused.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartPayStream(const Backend& backend,
                                                                            std::atomic<size_t>* open,
                                                                            const grpc::CallbackServerContext& context);

}  // namespace waystation::rpc
