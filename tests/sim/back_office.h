#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "switch/core/command.h"
#include "tests/sim/stations.h"

namespace waystation::sim {

// The people at the operator's: they open stations, take money in at the counter, grant credit, suspend, disable
// billers, cut the day, and look at accounts. They repeat what was not answered.
class BackOffice {
 public:
  // All outlive the back office.
  BackOffice(EventQueue* events, Random* random, Report* report, Oracle* oracle, Stations::Door door);

  // Registers the stations, one after the other, each with money; then calls `opened`.
  void OpenStations(const std::vector<core::StationId>& stations, absl::AnyInvocable<void()> opened);
  // One person proposes that, another confirms it.
  void Resolve(core::PaymentId id, core::Verdict verdict);
  // `count` acts of its own within that time.
  void Work(const std::vector<core::StationId>& stations, const std::vector<std::string>& billers, int count,
            std::chrono::milliseconds within);

 private:
  struct Task {
    core::Command command;
    absl::AnyInvocable<void()> done;
    bool answered = false;
  };

  void Do(core::Command command, absl::AnyInvocable<void()> done = {});
  void Try(Task* task);
  void OnReply(Task* task, const core::Reply& reply);
  void CheckAccount(const core::Account& account, uint64_t sequence);
  void DoNext();
  void Act(core::StationId station, const std::string& biller_id);

  EventQueue* const events_;
  Random* const random_;
  Report* const report_;
  Oracle* const oracle_;
  const Stations::Door door_;
  std::deque<Task> tasks_;
  std::deque<core::Command> opening_;
  absl::AnyInvocable<void()> opened_;
  int purchases_ = 0;
};

}  // namespace waystation::sim
