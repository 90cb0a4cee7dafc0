#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "adapters/biller_adapter.h"
#include "boost/asio/awaitable.hpp"
#include "switch/core/clock.h"
#include "switch/core/payment.h"
#include "switch/flow/lane_health.h"
#include "switch/flow/places.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

// A lane as it is at a moment.
struct LaneStatus {
  LaneHealth::Status health;
  // Why a new request of a station is declined; null when it is not.
  std::optional<std::string> out_of_service;
  uint32_t of_stations = 0;  // requests with the biller
  uint32_t of_resolver = 0;
  uint32_t waiting = 0;
  uint32_t overdue = 0;
};

// The way to one biller: its adapter, who may have a request with it (places.h), whether it is in service
// (lane_health.h), and the deadline of each operation.
//
// Out of service, what a station asks for anew is declined before any hold; what is held goes on, and the resolver asks
// once in a while. A biller that was out of service and has answered a probe gets a few requests at a time, until one
// has succeeded.
//
// An operation that has no answer kDeadlineGrace after its deadline is answered for, with Unknown, and gives its place
// back. The adapter's coroutine goes on, overdue; an approval that it comes to is a late approval, told until it is
// recorded, and overdue until then. With as many of them overdue as the card has in flight, the biller counts as out of
// service, and the resolver asks nothing either.
//
// Threads: any; operations run on the worker that is given, which the caller is on. Outlives the workers.
class BillerLane {
 public:
  using Place = Places::Place;

  // The clock outlives the lane.
  BillerLane(std::string biller_id, std::string name, std::unique_ptr<adapters::BillerAdapter> adapter,
             const core::Clock* clock, LaneOptions options = {});

  const std::string& biller_id() const { return biller_id_; }
  const std::string& name() const { return name_; }
  const adapters::CapabilityCard& card() const { return adapter_->card(); }

  // Where approvals go that come late, the adapter's own and those of the overdue. Once, before any operation.
  void ReportLateApprovalsTo(adapters::LateApprovals* late);

  // What a station's request is given: a place, or why there is none. Neither: too many have one.
  struct Entry {
    std::optional<Place> place = {};
    std::optional<core::Decline> out_of_service = {};
    core::SteadyTime at = {};  // when that was settled
  };
  // Waits for a place where all are taken: for kMaxPlaceWait, and not past `until`.
  boost::asio::awaitable<Entry> Enter(Worker& worker, core::SteadyTime until);
  // Null: not now. Where the biller does not answer it is one a while, or none, and in vain to come again soon.
  std::optional<Place> EnterResolver();
  // Null: too many.
  std::optional<Place> EnterLateApproval() { return places_.Take(Places::Kind::kLateApprovals); }

  // Whether the resolver may ask once in a while only.
  bool is_sparse() const { return health_.state() == CircuitBreaker::State::kOpen || ManyOverdue(); }
  // Whether a request to pay may come to the biller yet, though its answer was given up: "never heard of it" proves
  // nothing then. So it is until the operation has ended, and the card's settling time has passed after that.
  bool MayYetPay(core::PaymentId id) const;
  // The same of cancels: that another one was declined proves nothing then.
  bool MayYetCancel(core::PaymentId id) const;

  // Payments whose outcome is not known, as the resolvers come by them and are rid of them.
  void CountUnresolved() { unresolved_.fetch_add(1, std::memory_order_relaxed); }
  void CountResolved() { unresolved_.fetch_sub(1, std::memory_order_relaxed); }

  boost::asio::awaitable<adapters::InquiryOutcome> Inquire(Worker& worker, adapters::InquiryRequest request,
                                                           Place place);
  // `trace`: that the payment belongs to, for the adapter to pass on.
  boost::asio::awaitable<adapters::PayOutcome> Pay(Worker& worker, const core::Payment& payment, Place place,
                                                   const core::TraceContext& trace = {});
  boost::asio::awaitable<adapters::QueryOutcome> Query(Worker& worker, const core::Payment& payment,
                                                       int earlier_attempts, Place place,
                                                       const core::TraceContext& trace = {});
  boost::asio::awaitable<adapters::ReverseOutcome> Reverse(Worker& worker, const core::Payment& payment,
                                                           int earlier_attempts, Place place,
                                                           const core::TraceContext& trace = {});
  // One that was given up and taken back all the same is the answer to the next: the biller is not asked again.
  boost::asio::awaitable<adapters::CancelOutcome> Cancel(Worker& worker, const core::Payment& payment,
                                                         int earlier_attempts, Place place,
                                                         const core::TraceContext& trace = {});

  LaneStatus status() const;
  // What became of the requests of stations since the start. Any thread.
  const LaneTally& tally() const { return health_.tally(); }

 private:
  // An operation: what the adapter's coroutine and the one that waits for it share.
  template <typename Outcome>
  struct Call;
  // Told of operations that are given up, and of what they come to.
  struct Overdue;
  struct OverdueEffect;
  struct OverduePay;
  struct OverdueCancel;
  struct OverdueProbe;
  // How many requests for a payment were given up, and may come to the biller yet.
  using GivenUp = absl::flat_hash_map<core::PaymentId, uint32_t>;
  // Told until it is recorded.
  struct LateApproval {
    Worker* worker;
    core::StationId station;
    core::PaymentId id;
    adapters::Approved approved;
  };

  template <typename Outcome, typename Start, typename Late>
  boost::asio::awaitable<Outcome> Ask(Worker& worker, std::string_view operation, std::optional<Place> place,
                                      Start start, Late late);
  template <typename Outcome, typename Start, typename Late>
  boost::asio::awaitable<void> Run(std::shared_ptr<Call<Outcome>> call, adapters::Deadline deadline, Start start,
                                   Late late);
  void ProbeAt(Worker& worker, std::optional<LaneHealth::Probing> probing);
  boost::asio::awaitable<void> Probe(Worker& worker, uint64_t epoch);

  Entry TryEnter();
  void BeginOverdue();
  void EndOverdue();
  // On the approval's worker; the next time after `pause`.
  void TellLate(LateApproval late, std::chrono::milliseconds pause);
  bool ManyOverdue() const { return overdue_.load(std::memory_order_relaxed) >= card().max_in_flight; }
  std::optional<std::string> OutOfService() const;

  const std::string biller_id_;
  const std::string name_;
  const std::unique_ptr<adapters::BillerAdapter> adapter_;
  const core::Clock* const clock_;
  adapters::LateApprovals* late_ = nullptr;
  const size_t max_unresolved_;
  LaneHealth health_;
  Places places_;
  std::atomic<uint32_t> overdue_{0};
  std::atomic<size_t> unresolved_{0};
  std::atomic<bool> probe_overdue_{false};

  mutable std::mutex mutex_;
  core::SteadyTime resolver_at_;                         // guarded by mutex_; its next turn while it is sparse
  GivenUp pays_;                                         // guarded by mutex_
  GivenUp cancels_;                                      // guarded by mutex_
  absl::flat_hash_set<core::PaymentId> cancelled_late_;  // guarded by mutex_; at most max_unresolved_
};

}  // namespace waystation::flow
