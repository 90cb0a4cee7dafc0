#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "bench/workload.h"
#include "grpcpp/channel.h"

namespace waystation::bench {

// Sets `mix.billers`, without bills, to those of `ids`. Error: the switch has no such biller, or it is one for which no
// customer numbers can be made up.
absl::Status FitToBillers(const std::shared_ptr<grpc::Channel>& channel, const std::vector<std::string>& ids,
                          PaymentMix& mix);

// Registers and activates the stations of `mix` and sees to it that each can pay for its share of `payments` payments,
// with room to spare. Stations that are there already are used as they are; money is added only where it is short. Ends
// early with kCancelled when `interrupted`. Errors name the station and the step.
absl::Status PrepareStations(const std::shared_ptr<grpc::Channel>& channel, const PaymentMix& mix, double payments,
                             absl::FunctionRef<bool()> interrupted);

// Inquires about some hundred bills of each biller that needs it; their stations must be prepared. What an inquiry's
// answer allows to be paid is good for ten minutes. Errors name the customer.
absl::Status InquireBills(const std::shared_ptr<grpc::Channel>& channel, PaymentMix& mix,
                          absl::FunctionRef<bool()> interrupted);

}  // namespace waystation::bench
