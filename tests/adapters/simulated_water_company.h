#pragma once

#include <string>

#include "adapters/settings.h"
#include "adapters/sim/simulator.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters {

// The water company of billersim, and how the remote adapter reaches it. WS_SOURCE_DIR is where the sources lie.
class SimulatedWaterCompany {
 public:
  SimulatedWaterCompany() : simulator_(Config()) {}

  RunningSimulator& simulator() { return simulator_; }
  static std::string CardFile() { return WS_SOURCE_DIR "/adapters/sim/remote/water.card"; }
  Settings AdapterSettings() { return {{"address", simulator_.AddressOf("water")}, {"card_file", CardFile()}}; }

 private:
  sim::SimulatorConfig Config() const {
    sim::SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts = {{.name = "water", .protocol = "remote", .faults = {}, .settings = {{"card_file", CardFile()}}}};
    return config;
  }

  const storage::TemporaryFolder folder_;
  RunningSimulator simulator_;
};

}  // namespace waystation::adapters
