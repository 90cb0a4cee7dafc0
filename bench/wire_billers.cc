#include "bench/wire_billers.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <utility>

#include "adapters/sim/certificates.h"
#include "bench/interruption.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr std::chrono::seconds kStartLimit{30};
constexpr std::chrono::seconds kStopLimit{30};
constexpr char kSpecification[] = WS_SOURCE_DIR "/adapters/iso8583/electricity.json";
// What of a biller's requests in flight the switch keeps for itself, at most (proto/waystation/config/v1).
constexpr size_t kReserve = 64;

constexpr char kBillersim[] = R"({{"books": "{0}/books.jsonl", "hosts": [
  {{"name": "mobile", "protocol": "mobile_json", "latency": "fixed {1}", "settings": {{"partner": "waystation",
    "certificate_file": "{2}", "private_key_file": "{3}", "key_file": "{0}/hmac.key"}}}},
  {{"name": "electricity", "protocol": "iso8583", "latency": "fixed {1}", "settings": {{
    "specification": "{4}", "mac_key_file": "{0}/mac.key"}}}},
  {{"name": "gas", "protocol": "gas_xml", "latency": "fixed {1}", "settings": {{"partner": "waystation"}}}}]}}
)";

constexpr char kSwitch[] = R"(listen:
  address: "127.0.0.1:0"
storage:
  data_dir: "{{}}/data"
log:
  level: error
billers:
  - id: mobile
    name: A carrier
    adapter: mobile_json
    settings:
      url: https://{0}
      ca_file: {3}/authority.pem
      partner: waystation
      key_file: {3}/hmac.key
      most_idle_connections: {5}
      result_codes: |
        00 success
    card:
      max_in_flight: {4}
  - id: electricity
    name: A power company
    adapter: iso8583
    settings:
      specification: {6}
      address: {1}
      terminal: SWITCH01
      mac_key_file: {3}/mac.key
    card:
      max_in_flight: {4}
  - id: gas
    name: A gas company
    adapter: gas_xml
    settings:
      url: http://{2}/pay.do
      partner: waystation
      most_idle_connections: {5}
      result_codes: |
        00 success
    card:
      max_in_flight: {4}
)";

absl::Status Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(fmt::format("{} could not be written", path));
  return absl::OkStatus();
}

std::string NewKey(size_t digits) {
  std::random_device random;
  std::string key;
  while (key.size() < digits) key += fmt::format("{:08x}", random());
  return key;
}

}  // namespace

absl::StatusOr<WireBillers> StartWireBillers(const ServerPlaces& places, int latency_ms) {
  WireBillers billers;
  absl::StatusOr<std::unique_ptr<TemporaryFolder>> folder = TemporaryFolder::Make(places.work_folder);
  if (!folder.ok()) return folder.status();
  billers.folder = *std::move(folder);
  const std::string& path = billers.folder->path();
  const adapters::sim::CertificateAuthority authority(path, "authority");
  const adapters::sim::CertificateFiles files = authority.Issue("carrier", "IP:127.0.0.1", -1, 1);
  absl::Status written = Write(path + "/hmac.key", NewKey(64));
  written.Update(Write(path + "/mac.key", NewKey(32)));
  written.Update(Write(path + "/billersim.json", fmt::format(kBillersim, path, latency_ms, files.certificate,
                                                             files.private_key, kSpecification)));
  if (!written.ok()) return written;
  auto process = ChildProcess::Start({places.program_folder + "/billersim", "--config", path + "/billersim.json"},
                                     path + "/stderr.log");
  if (!process.ok()) return process.status();
  billers.process = *std::move(process);
  for (const std::string name : {"mobile", "electricity", "gas"}) {
    absl::StatusOr<std::string> address = billers.process->WaitForLine(name + " ", kStartLimit, Interrupted);
    if (!address.ok()) return address.status();
    billers.addresses[name] = *std::move(address);
  }
  if (auto ready = billers.process->WaitForLine("ready", kStartLimit, Interrupted); !ready.ok()) return ready.status();
  return billers;
}

absl::Status StopWireBillers(WireBillers& billers) {
  return billers.process->Stop(kStopLimit);
}

std::string ConfigurationFor(const WireBillers& billers, size_t in_flight) {
  return fmt::format(kSwitch, billers.addresses.at("mobile"), billers.addresses.at("electricity"),
                     billers.addresses.at("gas"), billers.folder->path(), in_flight + kReserve,
                     std::min<size_t>(in_flight, 10'000), kSpecification);
}

}  // namespace waystation::bench
