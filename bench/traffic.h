#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/call_mix.h"
#include "bench/load_generator.h"
#include "bench/workload.h"
#include "grpcpp/channel.h"

// The kinds of calls that the generator can send, and what they are sent over.
namespace waystation::bench {

using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

// `count` channels in plain text, each a TCP connection of its own, connected. Error: nothing answers within 10
// seconds.
absl::StatusOr<Channels> Connect(const std::string& address, size_t count);

// `in_flight` calls, divided among the channels. They may outlive `channels`.
std::vector<std::unique_ptr<Call>> EchoCalls(const Channels& channels, size_t in_flight);

// `mix` must outlive the calls.
std::vector<std::unique_ptr<Call>> PayCalls(const Channels& channels, size_t in_flight, const PaymentMix& mix);

// One for each maker, divided among the channels; their CallResult::kind is a CallKind. The makers must outlive the
// calls.
std::vector<std::unique_ptr<Call>> MixedCalls(const Channels& channels,
                                              const std::vector<std::unique_ptr<CallMaker>>& makers);

}  // namespace waystation::bench
