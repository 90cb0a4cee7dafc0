#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/index.h"
#include "storage/sequencer.h"
#include "storage/snapshot.h"
#include "switch/core/ledger.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "tests/sim/disk.h"

namespace waystation::sim {

// One life of the switch: the classes that ship, put together as the daemon does, without its network and its threads.
// Each thread of the daemon's is a part here, run step by step. Its end is a crash: whatever it was at is dropped.
class SwitchProcess final {
 public:
  using OnReply = absl::AnyInvocable<void(core::Reply)>;

  struct Options {
    const core::Clock* clock;
    Store* store;
    core::BusinessDate first_date;
    flow::ResolverSchedule schedule;
    std::chrono::milliseconds snapshot_interval;
    // A biller each.
    std::vector<std::pair<std::string, std::unique_ptr<adapters::BillerAdapter>>> adapters;
    size_t max_unresolved;  // of one biller
    flow::BreakerPolicy breaker;
    // Whether start-up hands an open payment to the resolver. The daemon's does for all.
    std::function<bool(const core::Payment&)> adopts;
    // What became of a late approval; not OK: refused.
    std::function<void(const flow::PaymentFlow::Result&)> on_late;
  };

  explicit SwitchProcess(Options options);
  ~SwitchProcess();

  // Recovers the ledger from the store, and hands what is open to the resolver. Not OK: it does not start.
  absl::Status Start();

  // What clients may use: the billers are registered, and calls are taken.
  bool serving() const { return serving_; }
  flow::PaymentFlow& FlowOf(core::StationId station) { return *flows_[station.number() % flows_.size()]; }
  // On the reader, as administration does.
  void Do(core::Command command, OnReply on_reply);

  // One round of one part: a worker, the reader, or the sequencer. False: it had nothing to do.
  static constexpr size_t kParts = 4;
  bool Run(size_t part);
  std::optional<core::SteadyTime> NextAlarm() const;

  // The cause that the process ends of; empty while it does not.
  const std::string& fatal() const { return fatal_; }
  const core::Ledger& ledger() const { return *ledger_; }
  const storage::Recovered& recovered() const { return recovered_; }

 private:
  static constexpr size_t kWorkers = 2;

  // Where the late approvals of a biller go.
  class LateApprovalPost final : public adapters::LateApprovals {
   public:
    LateApprovalPost(SwitchProcess* process, std::string biller_id)
        : process_(process), biller_id_(std::move(biller_id)) {}
    void OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                        Recorded recorded) override;

   private:
    SwitchProcess* const process_;
    const std::string biller_id_;
  };

  boost::asio::awaitable<void> RunCommand(core::Command command, OnReply on_reply);
  boost::asio::awaitable<void> RegisterBillers();

  Options options_;
  storage::Index index_;
  std::unique_ptr<core::Ledger> ledger_;
  std::deque<LateApprovalPost> late_approvals_;
  flow::Router router_;
  storage::Recovered recovered_;
  std::unique_ptr<flow::Worker> reader_;
  std::vector<std::unique_ptr<flow::Worker>> workers_;
  std::vector<std::unique_ptr<flow::PaymentFlow>> flows_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  bool serving_ = false;
  std::string fatal_;
};

}  // namespace waystation::sim
