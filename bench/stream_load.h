#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "bench/load_generator.h"
#include "bench/traffic.h"
#include "bench/workload.h"

// Load over bidirectional streams: many items a message, answered in any order. In a closed loop an item that is
// answered is sent again, with new content, in the next message that is full. In an open loop what has come due goes
// out every millisecond, in one message or more, or, with full_messages, waits for a message that is full.
namespace waystation::bench {

struct StreamShape {
  // Open loop: items due a second, at least 1. 0: closed loop.
  double rate = 0;
  // Items in flight (open loop: the most that may be), divided among the streams; each stream has a multiple of
  // `a_message`, and at least twice that.
  size_t in_flight = 0;
  // The most a message has.
  size_t a_message = 0;
  bool full_messages = false;
  // Threads that send and receive, each with streams of its own.
  size_t threads = 1;
  std::chrono::nanoseconds warm_up{0};
  std::chrono::nanoseconds measured{0};
};

// One stream a channel. As RunLoad: `report` is called about once a second, `interrupted` is asked often. An item whose
// stream broke counts with the stream's status; such a stream is not opened again.
LoadResult RunEchoStreams(const StreamShape& shape, const Channels& channels,
                          absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);
// `mix` must outlive the call.
LoadResult RunPayStreams(const StreamShape& shape, const Channels& channels, const PaymentMix& mix,
                         absl::FunctionRef<void(const Progress&)> report, absl::FunctionRef<bool()> interrupted);

}  // namespace waystation::bench
