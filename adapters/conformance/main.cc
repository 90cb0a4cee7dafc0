#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "adapters/conformance/suite.h"
#include "adapters/registry.h"
#include "adapters/remote/remote_biller.h"
#include "fmt/format.h"
#include "switch/core/utf8.h"

// adapter_conformance: the checks over one adapter, from the command line. Exit status 0: nothing failed; 1: a check
// failed; 2: the checks could not be run.
namespace waystation::adapters::conformance {
namespace {

using remote::RemoteBiller;

constexpr std::chrono::milliseconds kDescribeLimit{10'000};

struct Options {
  std::string target;
  std::vector<std::string> settings;
  std::string scenario_file;
  std::string effects_command;
  std::string restart_command;
  std::vector<std::string> checks;
  std::string write_card;
};

int Fail(std::string_view message) {
  fmt::print(stderr, "adapter_conformance: {}\n", message);
  return 2;
}

int Fail(const absl::Status& status) {
  return Fail(std::string(status.message()));
}

absl::StatusOr<Settings> SettingsOf(const std::vector<std::string>& pairs) {
  Settings settings;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0) {
      return absl::InvalidArgumentError(fmt::format("--settings: \"{}\"; expected NAME=VALUE", pair));
    }
    settings[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return settings;
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(fmt::format("--scenario: {} can't be read; expected a file", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  absl::StatusOr<Scenario> scenario = ParseScenario(text);
  if (scenario.ok()) return scenario;
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(scenario.status().message())));
}

// What `command PAYMENT_ID` prints: a number.
absl::StatusOr<int> CountEffects(const std::string& command, core::PaymentId payment) {
  const std::string line = fmt::format("{} {}", command, payment.ToString());
  FILE* output = popen(line.c_str(), "r");
  if (output == nullptr) return absl::UnavailableError(fmt::format("{}: can't be run", line));
  int effects = 0;
  const int read = fscanf(output, "%d", &effects);
  const int status = pclose(output);
  if (read == 1 && status == 0) return effects;
  return absl::UnavailableError(fmt::format("{}: exit status {}; expected a number on its stdout", line, status));
}

absl::Status Restart(const std::string& command) {
  const int status = std::system(command.c_str());
  if (status == 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("--restart: {}: exit status {}; expected 0", command, status));
}

// InvalidArgument where one of them is no check.
absl::Status AreChecks(const std::vector<std::string>& names) {
  const std::vector<std::string_view> known = CheckNames();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(
          fmt::format("--check: \"{}\" is not known; expected one of {}", name, fmt::join(known, ", ")));
    }
  }
  return absl::OkStatus();
}

bool IsRegistered(std::string_view name) {
  const std::vector<std::string_view> names = AdapterNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// An adapter of the registry, or the one in a process at an address, with the card that it describes itself with.
absl::StatusOr<Target> TargetOf(const Options& options, Settings settings) {
  Target target;
  if (IsRegistered(options.target)) {
    target.make = [name = options.target, settings](const Settings& extra) {
      Settings all = extra;
      all.insert(settings.begin(), settings.end());
      return Create(name, all, {});
    };
    return target;
  }
  if (options.target.find(':') == options.target.npos) {
    return absl::InvalidArgumentError(fmt::format("--target: \"{}\" is neither an address, HOST:PORT, nor one of {}",
                                                  options.target, fmt::join(AdapterNames(), ", ")));
  }
  settings["address"] = options.target;
  absl::StatusOr<std::string> card = RemoteBiller::FetchCard(settings, kDescribeLimit);
  if (!card.ok()) return card.status();
  target.is_process = true;
  target.make = [settings, text = *std::move(card)](const Settings& extra) {
    Settings all = extra;
    all.insert(settings.begin(), settings.end());
    return RemoteBiller::CreateWithCard(all, text, {});
  };
  return target;
}

int WriteCard(const Options& options, const Settings& settings) {
  Settings with_address = settings;
  with_address["address"] = options.target;
  const absl::StatusOr<std::string> card = RemoteBiller::FetchCard(with_address, kDescribeLimit);
  if (!card.ok()) return Fail(card.status());
  std::ofstream file(options.write_card);
  file << "# What the adapter at " << options.target << " says its biller can do. It says when money is freed: compare "
       << "it with the\n# biller's document.\n"
       << *card;
  file.close();
  if (!file) return Fail(fmt::format("--write-card: {} can't be written", options.write_card));
  return 0;
}

int Run(Options options) {
  absl::StatusOr<Settings> settings = SettingsOf(options.settings);
  if (!settings.ok()) return Fail(settings.status());
  if (!options.write_card.empty()) return WriteCard(options, *settings);
  if (options.scenario_file.empty()) return Fail("--scenario is missing; expected a file, see its README");
  if (absl::Status known = AreChecks(options.checks); !known.ok()) return Fail(known);
  absl::StatusOr<Scenario> scenario = ReadScenario(options.scenario_file);
  if (!scenario.ok()) return Fail(scenario.status());
  if (options.target.empty()) options.target = scenario->adapter;
  if (options.target.empty()) return Fail("--target is missing, and the scenario has no line: adapter NAME");
  settings->insert(scenario->settings.begin(), scenario->settings.end());
  absl::StatusOr<Target> target = TargetOf(options, *settings);
  if (!target.ok()) return Fail(target.status());
  target->scenario = *std::move(scenario);
  if (!options.effects_command.empty()) {
    target->effects = [command = options.effects_command](core::PaymentId payment) {
      return CountEffects(command, payment);
    };
  }
  if (!options.restart_command.empty()) {
    target->restart = [command = options.restart_command] { return Restart(command); };
  }
  // Ids that no run before used.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  target->first_payment_id = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  fmt::print("{}: payment ids from {}, and from {}\n", options.target, target->first_payment_id,
             target->first_payment_id + 1'000'000'000'000'000);
  std::fflush(stdout);  // before what --restart prints
  std::vector<Result> results;
  for (const std::string& check : options.checks) results.push_back(RunCheck(*target, check));
  if (options.checks.empty()) results = RunAll(*target);
  fmt::print("{}", Table(results));
  for (const Result& result : results) {
    if (result.verdict == Verdict::kFailed) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace waystation::adapters::conformance

int main(int argc, char** argv) try {
  using waystation::adapters::conformance::Options;
  Options options;
  CLI::App app(
      "Runs the checks that every adapter must pass over one of them, and prints a table: passed, FAILED, or not\n"
      "applicable after its card and the scenario. It pays: not for a biller with real customers.\n"
      "adapters/conformance/README.md describes scenarios.\n\n"
      "  adapter_conformance --target 127.0.0.1:7501 --write-card water.card\n"
      "  adapter_conformance --target 127.0.0.1:7501 --scenario water.scenario \\\n"
      "                      --effects './water_company.py --books water.db effects' \\\n"
      "                      --restart 'systemctl restart water-company'\n"
      "  adapter_conformance --scenario adapters/sandbox/gas.scenario");
  app.add_option("--target", options.target,
                 "HOST:PORT of an adapter process, or an adapter of the registry; without it: the scenario's adapter");
  app.add_option("--settings", options.settings, "NAME=VALUE, as in the configuration; may be repeated");
  app.add_option("--scenario", options.scenario_file, "which customer number shows what");
  app.add_option("--effects", options.effects_command,
                 "COMMAND that prints how often the payment with the id added to it stands in the biller's books");
  app.add_option("--restart", options.restart_command,
                 "COMMAND that ends the adapter process and starts it anew; exit status 0 once the old one is gone");
  app.add_option("--check", options.checks, "only this check; may be repeated");
  app.add_option("--write-card", options.write_card,
                 "only write the card that the adapter process describes itself with to this FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // --help is one of them, and no error.
    return app.exit(e) == 0 ? 0 : 2;
  }
  return waystation::adapters::conformance::Run(options);
} catch (const std::exception& e) {
  // Out of memory, or a closed stdout.
  std::fputs(e.what(), stderr);
  return 2;
}
