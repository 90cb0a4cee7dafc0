#include "tests/contract/registered.h"

#include "adapters/registry.h"
#include "fmt/format.h"
#include "switch/core/check.h"
#include "tests/contract/http_companies.h"
#include "tests/contract/power_company.h"
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
#include "tests/contract/water_company.h"
#endif

namespace waystation::adapters {
namespace {

// The endings are those of adapters/sandbox/README.md.
RegisteredCase Sandbox(const std::string& profile, const std::string& number, bool cancels) {
  return {.label = "sandbox_" + profile, .adapter = "sandbox", .target = [profile, number, cancels] {
            const std::string scenario = fmt::format(R"(
                stateless
                good {0}00
                no_account {0}90
                declined {0}90
                not_sent {0}91
                unknown_effect {0}92
                unknown_no_effect {0}93
                silent {0}96
                late {0}88
                slow latency_ms=60000
                {1} {0}97
                )",
                                                     number, cancels ? "cancel_refused" : "good");
            return RegisteredTarget("sandbox", {{"profile", profile}}, scenario);
          }};
}

}  // namespace

conformance::Target RegisteredTarget(const std::string& adapter, const Settings& settings,
                                     const std::string& scenario) {
  absl::StatusOr<conformance::Scenario> parsed = conformance::ParseScenario(scenario);
  WS_CHECK(parsed.ok(), "a scenario of the tests");
  conformance::Target target;
  target.scenario = *std::move(parsed);
  target.make = [adapter, settings](const Settings& extra) {
    Settings all = extra;
    all.insert(settings.begin(), settings.end());
    return Create(adapter, all, {});
  };
  return target;
}

const std::vector<RegisteredCase>& RegisteredCases() {
  static const std::vector<RegisteredCase> cases = {
      {.label = "gas_xml_gas_company", .adapter = "gas_xml", .target = GasCompanyTarget},
      {.label = "iso8583_power_company", .adapter = "iso8583", .target = PowerCompanyTarget},
      {.label = "mobile_json_carrier", .adapter = "mobile_json", .target = CarrierTarget},
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
      {.label = "remote_simulated_water_company", .adapter = "remote", .target = SimulatedWaterCompanyTarget},
      {.label = "remote_water_company", .adapter = "remote", .target = WaterCompanyTarget},
#endif
      Sandbox("mobile", "138001380", true),
      Sandbox("electricity", "12345678", true),
      Sandbox("gas", "123456", false),
  };
  return cases;
}

}  // namespace waystation::adapters
