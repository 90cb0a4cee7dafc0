#pragma once

#include <memory>

#include "grpcpp/impl/service_type.h"
#include "switch/rpc/backend.h"
#include "switch/rpc/operations.h"

namespace waystation::rpc {

// OperationsService of the API. Both outlive the service.
std::unique_ptr<grpc::Service> MakeOperationsService(const Backend& backend, Operations* operations);

}  // namespace waystation::rpc
