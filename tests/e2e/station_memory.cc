// station_memory [N]: registers N stations (100,000 unless told) over gRPC with a fresh switchd, and prints how much
// memory it has resident, before and after a restart. Exit status 0: all are registered, and still are after it.

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

constexpr int kThreads = 32;

// "VmRSS" of /proc/PID/status, in MB; 0 when it can't be read.
double ResidentMegabytes(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::atof(line.c_str() + std::strlen("VmRSS:")) / 1'024;
  }
  return 0;
}

constexpr int kFailuresShown = 20;

int RegisterAll(const SwitchProcess& process, int stations) {
  std::atomic<int> next{0};
  std::atomic<int> registered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, api = process.Connect()] {
      for (int n = next++; n < stations; n = next++) {
        v1::RegisterStationRequest request;
        request.set_station_id(StationNumber(n));
        request.set_name(fmt::format("Village grocery number {}", n));
        request.add_signing_institutions("440106000000");
        const auto answer = Call(api.admin.get(), &v1::AdminService::Stub::RegisterStation, request);
        if (answer.ok()) {
          ++registered;
        } else if (failed++ < kFailuresShown) {
          fmt::print(stderr, "station {}: status {}: {}\n", request.station_id(),
                     static_cast<int>(answer.status.error_code()), answer.status.error_message());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return registered;
}

int CountListed(const Api& api) {
  int listed = 0;
  v1::ListStationsRequest request;
  request.set_page_size(500);
  do {
    const Answer<v1::ListStationsResponse> page = Call(api.admin.get(), &v1::AdminService::Stub::ListStations, request);
    if (!page.ok()) return -1;
    listed += page.value.stations_size();
    request.set_page_token(page.value.next_page_token());
  } while (!request.page_token().empty());
  return listed;
}

absl::Status Run(int stations) {
  absl::StatusOr<std::unique_ptr<SwitchProcess>> made = SwitchProcess::Make();
  if (!made.ok()) return made.status();
  SwitchProcess& process = **made;
  if (absl::Status started = process.Start(); !started.ok()) return started;
  const double idle = ResidentMegabytes(process.child().pid());
  const int registered = RegisterAll(process, stations);
  const int listed = CountListed(process.Connect());
  const double full = ResidentMegabytes(process.child().pid());
  if (absl::Status stopped = process.Stop(); !stopped.ok()) return stopped;
  if (absl::Status started = process.Start(); !started.ok()) return started;
  const double restarted = ResidentMegabytes(process.child().pid());
  const int listed_after = CountListed(process.Connect());
  fmt::print("{} stations registered: {:.0f} MB resident ({:.0f} MB before, {:.0f} MB after a restart)\n", registered,
             full, idle, restarted);
  if (registered == stations && listed == stations && listed_after == stations) return absl::OkStatus();
  return absl::InternalError(fmt::format("{} registered, {} listed, {} listed after a restart; expected {}", registered,
                                         listed, listed_after, stations));
}

}  // namespace
}  // namespace waystation::e2e

int main(int argc, char** argv) {
  int stations = 100'000;
  if (argc > 1) {
    const char* end = argv[1] + std::strlen(argv[1]);
    const auto [parsed_to, error] = std::from_chars(argv[1], end, stations);
    if (error != std::errc() || parsed_to != end || stations < 1 || argc > 2) {
      fmt::print(stderr, "expected: station_memory [number of stations]\n");
      return 2;
    }
  }
  const absl::Status status = waystation::e2e::Run(stations);
  if (!status.ok()) fmt::print(stderr, "{}\n", std::string(status.message()));
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
