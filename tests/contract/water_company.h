#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/conformance/suite.h"
#include "bench/temporary_folder.h"
#include "tests/e2e/child.h"

namespace waystation::adapters {

// The worked example of adapters/remote/example as a process of its own, with the faults that it can play and books of
// its own that outlive it.
class WaterCompany {
 public:
  // `books`: a file other than the usual one.
  explicit WaterCompany(const std::string& books = "");

  // host:port on loopback, the same after a restart.
  const std::string& address() const { return address_; }
  // Without a chance to finish anything.
  void Kill() { process_.reset(); }
  void Start();
  // As Start, and whenever it ends it is started again.
  void StartForEver();
  absl::StatusOr<int> Effects(core::PaymentId payment) const;
  // For a shell: prints the effects of the payment whose id is added.
  std::string EffectsCommand() const;
  // For a shell, after StartForEver: kills the process, and returns when it is gone.
  std::string RestartCommand() const;

 private:
  std::vector<std::string> Command() const;
  std::string ProcessIdFile() const { return folder_->path() + "/pid"; }
  // Runs `command`, with what it takes to serve added.
  void Serve(std::vector<std::string> command);

  const std::unique_ptr<bench::TemporaryFolder> folder_;
  const std::string books_;
  std::string address_;
  std::unique_ptr<e2e::Child> process_;
};

// Files of the example.
std::string CardFile();
std::string ScenarioFile();
// One of the sandbox's.
std::string SandboxScenarioFile();

// A water company that was just started, reached by the registry's adapter `remote`.
conformance::Target WaterCompanyTarget();
// The same with billersim's.
conformance::Target SimulatedWaterCompanyTarget();

}  // namespace waystation::adapters
