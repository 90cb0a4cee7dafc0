#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "adapters/biller_adapter.h"
#include "adapters/registry.h"
#include "adapters/settings.h"
#include "adapters/sim/certificates.h"
#include "adapters/sim/simulator.h"
#include "switch/core/check.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters {

// The result codes of billersim's hosts, as the configuration has them.
inline constexpr const char* kResultCodes = R"(
  00 success
  05 declined 业务系统拒绝
  13 declined not the amount owed
  14 declined no such account
  17 declined taken back already
  25 never_received
  61 declined used up already
  97 unknown
)";

// The carrier and the gas company of billersim, and how their adapters reach them.
class HttpHosts {
 public:
  HttpHosts() : simulator_(Config()) {}

  RunningSimulator& simulator() { return simulator_; }
  const storage::TemporaryFolder& folder() const { return folder_; }
  const sim::CertificateAuthority& authority() const { return authority_; }

  Settings MobileSettings() {
    return {{"url", "https://" + simulator_.AddressOf("mobile")},
            {"ca_file", authority_.file()},
            {"partner", "waystation"},
            {"key_file", folder_.Under("hmac.key")},
            {"result_codes", kResultCodes}};
  }
  Settings GasSettings() {
    return {{"url", "http://" + simulator_.AddressOf("gas") + "/pay.do"},
            {"partner", "waystation"},
            {"result_codes", kResultCodes}};
  }

 private:
  sim::SimulatorConfig Config() {
    std::ofstream(folder_.Under("hmac.key")) << "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    const sim::CertificateFiles files = authority_.Issue("server", "IP:127.0.0.1,DNS:localhost", -1, 1);
    sim::SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts = {{.name = "mobile",
                     .protocol = "mobile_json",
                     .faults = {},
                     .settings = {{"certificate_file", files.certificate},
                                  {"private_key_file", files.private_key},
                                  {"partner", "waystation"},
                                  {"key_file", folder_.Under("hmac.key")}}},
                    {.name = "gas", .protocol = "gas_xml", .faults = {}, .settings = {{"partner", "waystation"}}}};
    return config;
  }

  const storage::TemporaryFolder folder_;
  const sim::CertificateAuthority authority_{folder_.path(), "authority"};
  RunningSimulator simulator_;
};

inline std::unique_ptr<BillerAdapter> MakeAdapter(const std::string& name, const Settings& settings) {
  auto created = Create(name, settings, {});
  WS_CHECK(created.ok(), std::string(created.status().message()));
  return *std::move(created);
}

}  // namespace waystation::adapters
