#pragma once

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "bench/workload.h"
#include "grpcpp/channel.h"

namespace waystation::bench {

// Sets `mix.customers` after the service of `mix.biller_id`. Error: the switch has no such biller, or it is one for
// which no customer numbers can be made up or an inquiry must come first.
absl::Status FitToBiller(const std::shared_ptr<grpc::Channel>& channel, PaymentMix& mix);

// Registers and activates the stations of `mix` and sees to it that each can pay for its share of `payments` payments,
// with room to spare. Stations that are there already are used as they are; money is added only where it is short. Ends
// early with kCancelled when `interrupted`. Errors name the station and the step.
absl::Status PrepareStations(const std::shared_ptr<grpc::Channel>& channel, const PaymentMix& mix, double payments,
                             absl::FunctionRef<bool()> interrupted);

}  // namespace waystation::bench
