#pragma once

#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/memory_commit_log.h"
#include "switch/core/check.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "tests/flow/scripted_biller.h"
#include "tests/storage/held_commit_log.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/patience.h"
#include "tests/storage/running_ledger.h"

namespace waystation::flow {

// Notes the states of payments as they become durable. Any thread.
class StateBoard final : public storage::PaymentObserver {
 public:
  bool Wants(core::StationId) override { return true; }
  void OnChanged(const core::Payment& payment) override;

  // The payment in that state; waits for it, and stops the process when it does not come.
  core::Payment WaitFor(core::PaymentId id, core::PaymentState state);
  std::vector<core::PaymentState> HistoryOf(core::PaymentId id) const;
  // The payment of that request as it is now; stops the process where there is none.
  core::Payment Newest(const std::string& request_id) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<core::PaymentId, std::vector<core::Payment>> changes_;  // guarded by mutex_
};

// Both can be inquired at, queried, reversed and cancelled at; free amounts from 1 fen; none waits for a place.
adapters::CapabilityCard AbleCard();

struct FlowOptions {
  adapters::CapabilityCard mobile = AbleCard();
  adapters::CapabilityCard gas = AbleCard();
  // Soon, so that a test need not wait; and never by itself.
  ResolverSchedule schedule{.first_query_after = std::chrono::milliseconds(1),
                            .longest_interval = std::chrono::milliseconds(4),
                            .review_after = std::chrono::hours(24)};
  // It stays closed.
  BreakerPolicy breaker{.consecutive_failures = 1'000'000, .least_requests = 1'000'000};
  size_t max_in_progress = 1'000;
  size_t max_unresolved = 1'000;
};

// The shop, with a ledger in memory, one worker, and two billers, "mobile" and "gas", that the test plays.
class FlowWorld {
 public:
  using Result = PaymentFlow::Result;
  using InquiryResult = PaymentFlow::InquiryResult;

  // A store that is not empty is recovered, and what is open in it handed to the flow, as at a start.
  FlowWorld(storage::MemoryCommitLog* store, FlowOptions options);
  // In the order of the daemon: what is not finished is dropped.
  ~FlowWorld();

  ScriptedBiller& mobile() { return *mobile_; }
  ScriptedBiller& gas() { return *gas_; }
  storage::HeldCommitLog& log() { return log_; }
  storage::ManualClock& clock() { return clock_; }
  storage::RunningLedger& running() { return running_; }
  PaymentFlow& flow() { return *flow_; }
  StateBoard& states() { return states_; }
  const ResolverSchedule& schedule() const { return schedule_; }

  std::future<Result> Pay(PayOrder order);
  std::future<Result> Cancel(core::PaymentId id, const std::string& biller_id = storage::kShopBiller);
  std::future<InquiryResult> Inquire(const std::string& biller_id = storage::kShopBiller);
  std::future<Result> LateApproval(core::PaymentId id, adapters::Approved approved);
  // A payment of 50 yuan to "mobile" that was approved.
  core::Payment Approved(const std::string& request_id);
  core::Account account();
  // Answers all who wait, on the worker.
  void AnswerWaiting();
  // Everything that the sequencer and the worker have in hand is done.
  void Flush();

 private:
  storage::ManualClock clock_;
  storage::HeldCommitLog log_;
  StateBoard states_;
  storage::RunningLedger running_;
  Router router_;
  ScriptedBiller* mobile_ = nullptr;
  ScriptedBiller* gas_ = nullptr;
  const ResolverSchedule schedule_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<PaymentFlow> flow_;
};

// 50 yuan to "mobile"; the caller waits as long as a test does.
PayOrder Order(const std::string& request_id);
PayOrder OrderTo(const std::string& biller_id, const std::string& request_id);

// The answer, once it is there; stops the process when none comes.
template <typename T>
T Get(std::future<T> future) {
  WS_CHECK(future.wait_for(storage::kPatience) == std::future_status::ready, "an answer did not come");
  return future.get();
}
template <typename T>
bool IsThere(const std::future<T>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace waystation::flow
