#pragma once

#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "switch/rpc/backend.h"

namespace waystation::rpc {

// The PayStreams that are open.
//
// Threads: any. Outlives the calls.
//
// Limits: kMaxPayStreams; one beyond ends at once with RESOURCE_EXHAUSTED.
class PayStreams {
 public:
  // A new one. It owns itself, and goes when its call and its payments have ended; `backend` outlives it.
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(const Backend& backend,
                                                                    const grpc::CallbackServerContext& context);

  // Ends each with UNAVAILABLE once its payments are answered. After Admission::SetDraining, which ends those that come
  // later.
  void Drain();

 private:
  class Stream;

  // False: too many.
  bool Add(Stream* stream);
  void Remove(Stream* stream);

  std::mutex mutex_;
  absl::flat_hash_set<Stream*> streams_;  // guarded by mutex_
};

}  // namespace waystation::rpc
