#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/child_process.h"
#include "bench/temporary_folder.h"

namespace waystation::bench {

// Where programs and folders are.
struct ServerPlaces {
  // Where switchd and echo_server are.
  std::string program_folder;
  // Where the temporary data folders are made.
  std::string work_folder;
};

// A server of one round, with its folder; both are gone with it.
struct Server {
  // Declared first, so that it goes after the process that uses it.
  std::unique_ptr<TemporaryFolder> folder;
  std::unique_ptr<ChildProcess> process;
  std::string address;
};

// Starts it and waits until it listens. `configuration`: of switchd, as YAML with {} for its folder; empty: it takes
// none.
absl::StatusOr<Server> StartServer(const ServerPlaces& places, const std::string& program,
                                   const std::string& configuration);
// With metrics, and a log of level info as JSON in a file; else without metrics, and with a log of warnings.
enum class Watched { kNo, kYes };
// switchd with billers of the sandbox, which answer at once: mobile, electricity, water and gas (which needs
// inquiries).
absl::StatusOr<Server> StartSandboxSwitch(const ServerPlaces& places, Watched watched = Watched::kNo);
// Error: it did not end cleanly.
absl::Status StopServer(Server& server);

}  // namespace waystation::bench
