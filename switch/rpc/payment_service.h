#pragma once

#include <memory>

#include "grpcpp/impl/service_type.h"
#include "switch/rpc/backend.h"

namespace waystation::rpc {

// PaymentService of the API: who, what, well-formed? Then the payment's flow. `backend` outlives the service.
std::unique_ptr<grpc::Service> MakePaymentService(const Backend& backend);

}  // namespace waystation::rpc
