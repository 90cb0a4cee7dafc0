#include "bench/server.h"

#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

#include "bench/interruption.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr std::chrono::seconds kStartLimit{30};
constexpr std::chrono::seconds kStopLimit{30};
constexpr char kListening[] = "listening on ";

constexpr char kPlain[] = R"(log:
  level: warn
)";
constexpr char kWatched[] = R"(log:
  level: info
  format: json
  file: "{0}/switchd.log"
metrics:
  address: "127.0.0.1:0"
)";
// Whatever their number, payments are not held up by the billers.
constexpr char kConfiguration[] = R"(listen:
  address: "127.0.0.1:0"
storage:
  data_dir: "{0}/data"
billers:
  - id: mobile
    name: Mobile top-up (sandbox)
    adapter: sandbox
    settings:
      profile: mobile
    card:
      max_in_flight: 10000
  - id: electricity
    name: Electricity (sandbox)
    adapter: sandbox
    settings:
      profile: electricity
    card:
      max_in_flight: 10000
  - id: water
    name: Water (sandbox)
    adapter: sandbox
    settings:
      profile: electricity
    card:
      max_in_flight: 10000
  - id: gas
    name: Gas (sandbox)
    adapter: sandbox
    settings:
      profile: gas
)";

}  // namespace

absl::StatusOr<Server> StartServer(const ServerPlaces& places, const std::string& program,
                                   const std::string& configuration) {
  Server server;
  absl::StatusOr<std::unique_ptr<TemporaryFolder>> folder = TemporaryFolder::Make(places.work_folder);
  if (!folder.ok()) return folder.status();
  server.folder = *std::move(folder);
  std::vector<std::string> command = {places.program_folder + "/" + program};
  if (!configuration.empty()) {
    const std::string path = server.folder->path() + "/switchd.yaml";
    std::ofstream file(path);
    file << fmt::format(fmt::runtime(configuration), server.folder->path());
    file.close();
    if (!file) return absl::UnavailableError(fmt::format("{} could not be written", path));
    command.insert(command.end(), {"--config", path});
  }
  auto process = ChildProcess::Start(command, server.folder->path() + "/stderr.log");
  if (!process.ok()) return process.status();
  server.process = *std::move(process);
  absl::StatusOr<std::string> address = server.process->WaitForLine(kListening, kStartLimit, Interrupted);
  if (!address.ok()) return address.status();
  server.address = *std::move(address);
  return server;
}

absl::StatusOr<Server> StartSandboxSwitch(const ServerPlaces& places, Watched watched) {
  return StartServer(places, "switchd", (watched == Watched::kYes ? kWatched : kPlain) + std::string(kConfiguration));
}

absl::Status StopServer(Server& server) {
  return server.process->Stop(kStopLimit);
}

}  // namespace waystation::bench
