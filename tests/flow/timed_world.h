#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "storage/index.h"
#include "storage/memory_commit_log.h"
#include "storage/sequencer.h"
#include "switch/core/ledger.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "tests/flow/flow_world.h"
#include "tests/flow/scripted_biller.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::flow {

struct TimedOptions {
  adapters::CapabilityCard mobile = AbleCard();
  LaneOptions lane = {};
  // Far off, for tests that have nothing to do with the resolver.
  ResolverSchedule schedule{.first_query_after = std::chrono::hours(1),
                            .longest_interval = std::chrono::hours(1),
                            .review_after = std::chrono::hours(24)};
};

// The shop with two billers, "mobile" and "gas", that the test plays; all in one thread, and with time that the test
// moves. Of gas there is only that it has a lane of its own, with an AbleCard.
class TimedWorld {
 public:
  using Result = PaymentFlow::Result;
  using InquiryResult = PaymentFlow::InquiryResult;

  explicit TimedWorld(TimedOptions options);
  // What is not finished is dropped.
  ~TimedWorld();

  ScriptedBiller& mobile() { return *mobile_; }
  ScriptedBiller& gas() { return *gas_; }
  BillerLane& lane() { return *router_.Find(storage::kShopBiller); }
  LaneStatus status() { return lane().status(); }
  storage::SimulatedClock& clock() { return clock_; }
  core::Account account() const { return *ledger_->FindStation(storage::ShopStation()); }
  size_t in_progress() const { return flow_->in_progress(); }
  const StageTally& stages() const { return flow_->stages(); }

  // All that can be done without time passing.
  void Run();
  // Time passes, alarm by alarm.
  void Advance(std::chrono::milliseconds by);

  std::future<Result> Pay(const std::string& request_id);
  std::future<Result> Pay(const std::string& request_id, std::chrono::milliseconds wait);
  std::future<Result> Pay(PayOrder order, std::chrono::milliseconds wait);
  std::future<Result> Cancel(core::PaymentId id);
  std::future<InquiryResult> Inquire();
  void CloseDay();
  // The state of the payment by that request id, at rest or not; stops the process where there is none.
  core::Payment Find(const std::string& request_id);

  // The biller answers the oldest request of the kind.
  void Answer(Operation operation, ScriptedBiller::Answer answer);
  void Approve() { Answer(Operation::kPay, adapters::PayOutcome(adapters::Approved{"B1", "", ""})); }
  // From now on late approvals are not taken; or are again.
  void RefuseLateApprovals(bool refuse) { late_refused_ = refuse; }
  // Pays, and the biller's answer to it is lost.
  void PayInVain(const std::string& request_id);

 private:
  // Late approvals come back to the flow, as in the daemon.
  class Post final : public adapters::LateApprovals {
   public:
    explicit Post(TimedWorld* world) : world_(world) {}
    void OnLateApproval(core::StationId station, core::PaymentId payment, adapters::Approved approved,
                        Recorded recorded) override;

   private:
    TimedWorld* const world_;
  };

  storage::SimulatedClock clock_;
  storage::MemoryCommitLog store_;
  storage::Index index_{&store_, &store_};
  Post post_{this};
  StateBoard states_;
  Router router_;
  bool late_refused_ = false;
  ScriptedBiller* mobile_ = nullptr;
  ScriptedBiller* gas_ = nullptr;
  std::unique_ptr<core::Ledger> ledger_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<PaymentFlow> flow_;
};

}  // namespace waystation::flow
