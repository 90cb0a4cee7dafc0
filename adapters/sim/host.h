#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/settings.h"
#include "adapters/sim/biller.h"
#include "adapters/sim/faults.h"
#include "boost/asio/io_context.hpp"
#include "switch/core/business_date.h"
#include "switch/core/clock.h"

namespace waystation::adapters::sim {

// What a host is made from. What is pointed to outlives the host.
struct HostParts {
  std::string name;
  std::string listen;  // host:port; port 0 takes a free one
  Settings settings;   // the protocol's own
  Books* books = nullptr;
  Faults* faults = nullptr;
  const core::Clock* clock = nullptr;
  boost::asio::io_context* io = nullptr;
};

// One biller as it is reached over the network: its protocol in front of a Biller. Threads: that of the io_context.
class Host {
 public:
  virtual ~Host() = default;

  // Starts listening, at the address that it had before, if it had one. Unavailable: the address is taken.
  virtual absl::Status Open() = 0;
  // New connections are refused from here on; those that there are stay.
  virtual void Refuse() = 0;
  // Every connection ends, with the answers that were still to go over it.
  virtual void CutAll() = 0;
  // "127.0.0.1:40001"; after the first Open.
  virtual std::string address() const = 0;
  // The day's file, as this biller sends it.
  virtual std::string Statement(core::BusinessDate date) const = 0;
};

// Makes the host that speaks `protocol` (hosts.cc has the table). Does not listen yet. InvalidArgument: an unknown
// protocol, or a setting ("settings.NAME: ...").
absl::StatusOr<std::unique_ptr<Host>> MakeHost(std::string_view protocol, const HostParts& parts);

}  // namespace waystation::adapters::sim
