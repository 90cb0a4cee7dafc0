#pragma once

#include <optional>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "switch/core/ids.h"
#include "switch/rpc/backend.h"

namespace waystation::rpc {

// Starts a stream of one station's state changes: first those after `after_sequence` out of the index and the ledger's
// memory, then new ones as they are committed, each once and in journal order. Null: only new ones. The stream owns
// itself and ends when the caller goes, when it is kMaxWatchBacklog events behind, or with the switch.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartWatchStream(const Backend& backend, core::StationId station,
                                                             std::optional<uint64_t> after_sequence);

}  // namespace waystation::rpc
