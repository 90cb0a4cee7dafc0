#include "tests/contract/power_company.h"

#include <fstream>
#include <memory>
#include <string>

#include "adapters/registry.h"
#include "switch/core/check.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;

// Short, since what gets no answer waits for it.
constexpr milliseconds kTimeLimit{1'500};
constexpr std::string_view kScenario = R"(
    good 1234567800
    no_account 1234567890
    declined 1234567889 declined by the biller
    declined 1234567890 no such account
    unknown_effect 1234567880 cut before the answer
    unknown_effect 1234567881 cut in the middle of the answer
    unknown_effect 1234567882 garbage
    unknown_effect 1234567883 a wrong MAC
    unknown_effect 1234567884 the trace number of another request
    unknown_no_effect 1234567885 cut unheard
    unknown_no_effect 1234567886 lost
    silent 1234567887
    late 1234567888
    cancel_refused 1234567897
    unreachable address=127.0.0.1:1
    )";

// The power company, and one that takes ten minutes for everything but a sign-on.
class PowerCompany {
 public:
  PowerCompany() : simulator_(Config()) {}

  RunningSimulator& simulator() { return simulator_; }
  Settings SettingsFor(const std::string& host) {
    return {{"specification", kSpecification}, {"address", simulator_.AddressOf(host)},
            {"terminal", "SWITCH01"},          {"mac_key_file", folder_.Under("mac.key")},
            {"least_backoff_ms", "1"},         {"most_backoff_ms", "20"}};
  }

 private:
  static constexpr const char* kSpecification = WS_SOURCE_DIR "/adapters/iso8583/electricity.json";

  sim::SimulatorConfig Config() {
    std::ofstream(folder_.Under("mac.key")) << "2b7e151628aed2a6abf7158809cf4f3c\n";
    sim::SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts.resize(2);
    for (sim::SimulatorConfig::HostConfig& host : config.hosts) {
      host.protocol = "iso8583";
      host.settings = {{"specification", kSpecification}, {"mac_key_file", folder_.Under("mac.key")}};
    }
    config.hosts[0].name = "electricity";
    config.hosts[0].faults = {"pay 80 cut_before",         "pay 81 cut_middle",  "pay 82 garbage", "pay 83 bad_mac",
                              "pay 84 wrong_reference",    "pay 85 cut_unheard", "pay 86 lose",    "pay 87 silent",
                              "pay 88 late delay_ms=3000", "pay 89 decline"};
    config.hosts[1].name = "slow";
    config.hosts[1].latency = "fixed 600000";
    return config;
  }

  const storage::TemporaryFolder folder_;
  RunningSimulator simulator_;
};

}  // namespace

conformance::Target PowerCompanyTarget() {
  const auto company = std::make_shared<PowerCompany>();
  absl::StatusOr<conformance::Scenario> scenario = conformance::ParseScenario(kScenario);
  WS_CHECK(scenario.ok(), "a scenario of the tests");
  conformance::Target target;
  target.scenario = *std::move(scenario);
  target.scenario.slow = {{"address", company->simulator().AddressOf("slow")}};
  target.make = [company](const Settings& extra) {
    Settings all = extra;
    const Settings own = company->SettingsFor("electricity");
    all.insert(own.begin(), own.end());
    CardOverrides overrides;
    overrides.time_limit = kTimeLimit;
    return Create("iso8583", all, overrides);
  };
  target.effects = [company](core::PaymentId payment) -> absl::StatusOr<int> {
    const std::string books = company->simulator().Do("effect electricity " + payment.ToString());
    const size_t times = books.find("times=");
    return books.starts_with("applied") ? std::stoi(books.substr(times + 6)) : 0;
  };
  target.host = company;
  return target;
}

}  // namespace waystation::adapters
