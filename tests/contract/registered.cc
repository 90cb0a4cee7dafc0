#include "tests/contract/registered.h"

#include <ostream>
#include <utility>

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

using Checks = std::set<std::string_view>;

// By what the card says.
const Checks& AnyAmount() {
  static const Checks checks = {"AnAmountThatIsNotOwedIsDeclined"};
  return checks;
}
const Checks& NothingIsTakenBack() {
  static const Checks checks = {"ReversalTakesBackAndMayBeRepeated", "CancelTakesBackAndMayBeRepeated",
                                "ARefusedCancelLeavesThePayment", "ReversalOfWhatWasNeverHeardOfCountsAsReversed"};
  return checks;
}

// Over HTTP there are no answers after the deadline.
Checks AndNothingLate(Checks checks) {
  checks.insert("ALateApprovalIsReported");
  return checks;
}

// The endings are those of adapters/sandbox/README.md.
RegisteredCase Sandbox(const std::string& profile, const std::string& number, bool cancels, Checks not_applicable) {
  // It does not know what it was never sent.
  not_applicable.insert("QueryOfWhatWasNeverSentSettlesNothingWrongly");
  const auto target = [profile, number, cancels] {
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
  };
  return {.label = "sandbox_" + profile,
          .adapter = "sandbox",
          .target = target,
          .not_applicable = std::move(not_applicable)};
}

}  // namespace

conformance::Target RegisteredTarget(const std::string& adapter, const Settings& settings, const std::string& scenario,
                                     const CardOverrides& overrides) {
  absl::StatusOr<conformance::Scenario> parsed = conformance::ParseScenario(scenario);
  WS_CHECK(parsed.ok(), "a scenario of the tests");
  conformance::Target target;
  target.scenario = *std::move(parsed);
  target.make = [adapter, settings, overrides](const Settings& extra) {
    Settings all = extra;
    all.insert(settings.begin(), settings.end());
    return Create(adapter, all, overrides);
  };
  return target;
}

std::ostream& operator<<(std::ostream& out, const RegisteredCase& registered) {
  return out << registered.label;
}

const std::vector<RegisteredCase>& RegisteredCases() {
  static const std::vector<RegisteredCase> cases = {
      {.label = "gas_xml_gas_company",
       .adapter = "gas_xml",
       .target = GasCompanyTarget,
       .not_applicable = AndNothingLate(NothingIsTakenBack())},
      {.label = "iso8583_power_company",
       .adapter = "iso8583",
       .target = PowerCompanyTarget,
       .not_applicable = AnyAmount()},
      {.label = "mobile_json_carrier",
       .adapter = "mobile_json",
       .target = CarrierTarget,
       .not_applicable = AndNothingLate(AnyAmount())},
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
      {.label = "remote_simulated_water_company", .adapter = "remote", .target = SimulatedWaterCompanyTarget},
      {.label = "remote_water_company", .adapter = "remote", .target = WaterCompanyTarget},
#endif
      Sandbox("mobile", "138001380", true, AnyAmount()),
      Sandbox("electricity", "12345678", true, AnyAmount()),
      Sandbox("gas", "123456", false, NothingIsTakenBack()),
  };
  return cases;
}

}  // namespace waystation::adapters
