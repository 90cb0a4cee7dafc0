#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "switch/core/command.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"

namespace waystation::storage {

// Days of business at three stations and two billers, drawn from a seed: payments with every outcome, repeats, cancels,
// purchases, credit, day cuts. One thread.
class Workload {
 public:
  explicit Workload(uint64_t seed) : random_(seed) {}

  // Gives the ledger `batches` batches of 1 to 8 commands each, and waits for all replies. Time passes in between.
  void Run(RunningLedger& running, ManualClock& clock, int batches);

  // Each payment that was accepted, as it was last answered.
  const std::map<core::PaymentId, core::Payment>& payments() const { return payments_; }
  // Whether each kind of thing came to pass, so that a test that relies on it does not run empty.
  bool SawState(core::PaymentState state) const;

 private:
  std::vector<core::Command> Opening() const;
  core::Command Next();
  core::Command NextPayment();
  core::Command NextOutcome(const core::Payment& payment);
  void Saw(const core::Reply& reply);
  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }
  core::StationId AnyStation();
  std::string AnyBiller();

  std::mt19937_64 random_;
  bool opened_ = false;
  uint32_t requests_ = 0;
  std::vector<core::AcceptPayment> sent_;
  std::map<core::PaymentId, core::Payment> payments_;
  core::BusinessDate date_ = ShopDate();
};

}  // namespace waystation::storage
