// billersim: plays billers over their real wire protocols, with books of its own. README.md has its configuration.

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>

#include "CLI/CLI.hpp"
#include "adapters/sim/simulator.h"
#include "boost/asio/signal_set.hpp"
#include "fmt/format.h"
#include "switch/core/clock.h"

namespace waystation::adapters::sim {
namespace {

constexpr int kFailed = 1;

struct Options {
  std::string config;
  std::string host;
  std::string date;
  std::string reference;
};

int Fail(const absl::Status& status) {
  std::cerr << "billersim: " << status.message() << "\n";
  return kFailed;
}

absl::StatusOr<std::unique_ptr<Simulator>> Load(const std::string& path, const core::Clock* clock, BooksUse use) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{}: cannot be read; expected a file of JSON", path));
  absl::StatusOr<SimulatorConfig> config = ParseSimulatorConfig(text.str());
  if (!config.ok())
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(config.status().message())));
  return Simulator::Make(*config, clock, use);
}

int Run(const Options& options) {
  const core::SystemClock clock;
  absl::StatusOr<std::unique_ptr<Simulator>> simulator = Load(options.config, &clock, BooksUse::kKeep);
  if (!simulator.ok()) return Fail(simulator.status());
  if (absl::Status status = (*simulator)->Open(); !status.ok()) return Fail(status);
  std::cout << (*simulator)->Addresses() << "ready" << std::endl;
  boost::asio::io_context& io = (*simulator)->io();
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  io.run();
  return 0;
}

int WriteStatement(const Options& options) {
  const core::SystemClock clock;
  const absl::StatusOr<core::BusinessDate> date = core::BusinessDate::Parse(options.date);
  if (!date.ok()) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("--date: \"{}\" {}", options.date, std::string(date.status().message()))));
  }
  absl::StatusOr<std::unique_ptr<Simulator>> simulator = Load(options.config, &clock, BooksUse::kRead);
  if (!simulator.ok()) return Fail(simulator.status());
  const absl::StatusOr<std::string> statement = (*simulator)->Statement(options.host, *date);
  if (!statement.ok()) return Fail(statement.status());
  std::cout << *statement;
  return 0;
}

int WriteEffects(const Options& options) {
  const core::SystemClock clock;
  absl::StatusOr<std::unique_ptr<Simulator>> simulator = Load(options.config, &clock, BooksUse::kRead);
  if (!simulator.ok()) return Fail(simulator.status());
  const absl::StatusOr<uint64_t> effects = (*simulator)->Effects(options.host, options.reference);
  if (!effects.ok()) return Fail(effects.status());
  std::cout << *effects << "\n";
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Plays billers over their real wire protocols: answers, keeps books, and goes wrong as it is told.");
  Options options;
  app.add_option("--config", options.config, "what to play: a file of JSON, see adapters/sim/README.md")->required();
  app.require_subcommand(0, 1);
  CLI::App* statement = app.add_subcommand("statement", "writes the day's file of one biller to standard output");
  statement->add_option("--host", options.host, "the name of a host in the configuration")->required();
  statement->add_option("--date", options.date, "the biller's day, YYYY-MM-DD")->required();
  CLI::App* effects =
      app.add_subcommand("effects", "prints how often a payment stands in one biller's books and was not taken back");
  effects->add_option("--host", options.host, "the name of a host in the configuration")->required();
  effects->add_option("reference", options.reference, "our reference: the payment id")->required();
  CLI11_PARSE(app, argc, argv);
  if (statement->parsed()) return WriteStatement(options);
  return effects->parsed() ? WriteEffects(options) : Run(options);
}

}  // namespace
}  // namespace waystation::adapters::sim

int main(int argc, char** argv) {
  try {
    return waystation::adapters::sim::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "billersim: %s\n", e.what());
    return 1;
  }
}
