#pragma once

#include <memory>

#include "grpcpp/impl/service_type.h"
#include "switch/rpc/backend.h"

namespace waystation::rpc {

// ExceptionService of the API. `backend` outlives the service.
std::unique_ptr<grpc::Service> MakeExceptionService(const Backend& backend);

}  // namespace waystation::rpc
