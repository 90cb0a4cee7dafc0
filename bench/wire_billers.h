#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/child_process.h"
#include "bench/server.h"
#include "bench/temporary_folder.h"

namespace waystation::bench {

// billersim with a carrier (`mobile`, signed JSON over TLS), a power company (`electricity`, ISO 8583 with a MAC) and a
// gas company (`gas`, XML in GBK), which keep their books on the disk; the keys and the certificate were made for them.
// All of it is gone with this.
struct WireBillers {
  // Declared first, so that it goes after the process that uses it.
  std::unique_ptr<TemporaryFolder> folder;
  std::unique_ptr<ChildProcess> process;
  std::map<std::string, std::string> addresses;  // by name
};

// Starts them; each answers after `latency_ms`.
absl::StatusOr<WireBillers> StartWireBillers(const ServerPlaces& places, int latency_ms);
// Error: billersim did not end cleanly.
absl::Status StopWireBillers(WireBillers& billers);

// The configuration of a switchd that pays them, as StartServer takes it. Each biller takes `in_flight` requests of
// stations at once.
std::string ConfigurationFor(const WireBillers& billers, size_t in_flight);

}  // namespace waystation::bench
