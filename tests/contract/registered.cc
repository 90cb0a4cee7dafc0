#include "tests/contract/registered.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
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

using Checks = std::set<std::string, std::less<>>;

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

Checks AndNoFinalDenial(Checks checks) {
  checks.insert("AFinalDenialStaysTrue");
  return checks;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A scenario that an adapter has in its folder: there is nothing to start.
RegisteredCase CaseOf(const std::filesystem::path& path) {
  const std::string text = ReadAll(path);
  const absl::StatusOr<conformance::Scenario> scenario = conformance::ParseScenario(text);
  WS_CHECK(scenario.ok() && !scenario->adapter.empty(),
           fmt::format("{}: {}; expected a scenario with a line: adapter NAME", path.string(),
                       std::string(scenario.status().message())));
  return {.label = fmt::format("{}_{}", path.parent_path().filename().string(), path.stem().string()),
          .adapter = scenario->adapter,
          .target = [adapter = scenario->adapter, settings = scenario->settings,
                     text] { return RegisteredTarget(adapter, settings, text); },
          .not_applicable = Checks(scenario->not_applicable.begin(), scenario->not_applicable.end())};
}

// adapters/*/*.scenario, in alphabetical order.
std::vector<std::filesystem::path> ScenarioFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& folder : std::filesystem::directory_iterator(WS_SOURCE_DIR "/adapters")) {
    if (!folder.is_directory()) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().extension() == ".scenario") files.push_back(file.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<RegisteredCase> AllCases() {
  std::vector<RegisteredCase> cases = {
      {.label = "gas_xml_gas_company",
       .adapter = "gas_xml",
       .target = GasCompanyTarget,
       .not_applicable = AndNothingLate(NothingIsTakenBack())},
      {.label = "iso8583_power_company",
       .adapter = "iso8583",
       .target = PowerCompanyTarget,
       .not_applicable = AndNoFinalDenial(AnyAmount())},
      {.label = "mobile_json_carrier",
       .adapter = "mobile_json",
       .target = CarrierTarget,
       .not_applicable = AndNothingLate(AnyAmount())},
#ifdef WAYSTATION_WITH_REMOTE_ADAPTERS
      {.label = "remote_simulated_water_company", .adapter = "remote", .target = SimulatedWaterCompanyTarget},
      {.label = "remote_water_company", .adapter = "remote", .target = WaterCompanyTarget},
#endif
  };
  for (const std::filesystem::path& file : ScenarioFiles()) cases.push_back(CaseOf(file));
  return cases;
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
  static const std::vector<RegisteredCase> cases = AllCases();
  return cases;
}

}  // namespace waystation::adapters
