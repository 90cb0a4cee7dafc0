#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "boost/asio/awaitable.hpp"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/core/limits.h"
#include "switch/core/payment.h"
#include "switch/core/trace_context.h"
#include "switch/flow/resolver.h"
#include "switch/flow/router.h"
#include "switch/flow/stage_tally.h"
#include "switch/flow/wait_board.h"
#include "switch/flow/worker.h"

namespace waystation::flow {

// What an inquiry token, opened at the edge, says about an order.
struct InquiryProof {
  enum class Standing { kNone, kMismatch, kExpired, kValid };
  Standing standing = Standing::kNone;  // kNone: no token was given
  core::Money owed;                     // when kValid
  std::string customer_name;            // when kValid; masked
};

// A payment as a station asks for it; shapes are checked, and the biller exists.
struct PayOrder {
  core::StationId station;
  std::string operator_id;
  std::string request_id;
  std::string biller_id;
  std::string customer_number;
  core::Money amount;
  InquiryProof inquiry;
  WaitBoard::TimePoint answer_by;
  // Not OK: refused with it when it is new; a repeat is answered.
  absl::Status refuse_new = absl::OkStatus();
  core::TraceContext trace = {};
  core::SteadyTime arrived = {};  // when Pay was called; Pay sees to it
};

struct CancelOrder {
  core::StationId station;
  std::string operator_id;
  core::PaymentId payment_id;
  std::string biller_id;  // of that payment
  WaitBoard::TimePoint answer_by;
  absl::Status refuse_new = absl::OkStatus();  // as in PayOrder
  core::TraceContext trace = {};
};

struct InquiryOrder {
  core::StationId station;
  std::string biller_id;
  std::string customer_number;
  core::TraceContext trace = {};
};

// What of an order the biller's card rules out, the first in order of precedence; null when nothing.
std::optional<core::Decline> CardDecline(const adapters::CapabilityCard& card, const PayOrder& order);

// Why no amount that Pay takes would pay a bill of `owed`; null when one would.
std::optional<core::Decline> BillDecline(const adapters::CapabilityCard& card, core::Money owed);

// The life of a payment on one worker: hold, send, record the outcome, answer. Each payment is one coroutine; a payment
// whose outcome is unknown goes to the resolver, its callers to the wait board.
//
// An order to pay waits until fewer than kMaxHoldsUnderWay are on their way to their hold, so that under overload no
// long queue of them stands before outcomes, inquiries and reads, on the worker or in the sequencer. Payments that wait
// for a biller do not count.
//
// Threads: Pay, Cancel, Inquire and LateApproval from any (they hand over to the worker); Adopt and AnswerWaiting on
// the worker or before it starts. Answers come on its thread, refusals beyond the limits also from within the call.
//
// Limits: at most `max_in_progress` orders at once, of which kMaxOrdersWaiting have not begun; kInquiriesBeyond more
// for inquiries alone; and kMaxLateApprovalsPerBiller late approvals of a biller; beyond, kResourceExhausted. So is
// what finds no place in its biller's lane.
class PaymentFlow {
 public:
  // Not OK: refused, and nothing was done. Otherwise the payment in the state reached.
  struct Result {
    absl::Status status;
    core::Payment payment;
    // Cancel only: declined, and the payment stands as before.
    std::optional<core::Decline> decline;
  };
  using Answer = absl::AnyInvocable<void(Result)>;

  struct InquiryResult {
    absl::Status status;
    std::optional<core::Decline> decline;
    adapters::InquiryFound found;  // when neither
  };
  using InquiryAnswer = absl::AnyInvocable<void(InquiryResult)>;

  // All outlive the flow.
  PaymentFlow(Worker* worker, storage::Sequencer* sequencer, const Router* router, ResolverSchedule schedule,
              size_t max_in_progress = core::kDefaultMaxInProgressPerWorker);

  void Pay(PayOrder order, Answer answer);
  // Many at once, each answered by itself. Takes the first ones, moved from, as many as the limits allow, and returns
  // how many; the others are the caller's to refuse, with TooMany.
  size_t Pay(absl::Span<std::pair<PayOrder, Answer>> orders);
  static absl::Status TooMany();
  // Whether it would take one more now. Any thread.
  bool TakesOrders() const;
  void Cancel(CancelOrder order, Answer answer);
  void Inquire(InquiryOrder order, InquiryAnswer answer);

  // An approval of this biller that came after the lane had answered: recorded, and who waits for the payment is
  // answered. `done` is given the payment as it stands durably then; not OK, where nothing is known of it or it was
  // never sent, or kResourceExhausted: nothing was done. Counted among the orders in progress.
  void LateApproval(const std::string& biller_id, core::PaymentId id, adapters::Approved approved, Answer done);

  // A payment that start-up found open.
  void Adopt(core::Payment payment) { resolver_.Adopt(std::move(payment)); }

  // Runs `task` on the worker, after what that is about. Any thread.
  void Post(Worker::Task task) { worker_->Post(std::move(task)); }

  // Orders in progress. Any thread.
  size_t in_progress() const { return in_progress_->load(std::memory_order_relaxed); }

  // How long orders to pay took. Any thread.
  const StageTally& stages() const { return stages_; }

  // Answers all who wait, with the state reached.
  void AnswerWaiting() { board_.AnswerAll(); }

 private:
  bool AdmitToPay();
  // On the worker: starts those that wait, as many as may.
  void BeginWaiting();
  boost::asio::awaitable<void> RunPay(PayOrder order, Answer answer);
  boost::asio::awaitable<void> RunCancel(CancelOrder order, Answer answer);
  boost::asio::awaitable<void> RunInquire(InquiryOrder order, InquiryAnswer answer);
  boost::asio::awaitable<void> RunLateApproval(std::string biller_id, core::PaymentId id, adapters::Approved approved,
                                               BillerLane::Place place, Answer done);
  void WaitFor(const core::Payment& payment, WaitBoard::TimePoint answer_by, Answer answer);
  void Settle(core::Payment&& payment, const core::TraceContext& trace);

  Worker* const worker_;
  storage::Sequencer* const sequencer_;
  const Router* const router_;
  const size_t max_in_progress_;
  // Shared with the coroutines: one that never finished is dropped with its worker, after the flow.
  const std::shared_ptr<std::atomic<size_t>> in_progress_ = std::make_shared<std::atomic<size_t>>(0);
  std::atomic<size_t> not_begun_{0};  // orders to pay that were handed over
  // The worker's.
  std::deque<boost::asio::awaitable<void>> waiting_;  // orders to pay, to be begun
  size_t holds_under_way_ = 0;
  StageTally stages_;
  WaitBoard board_;
  Resolver resolver_;
};

}  // namespace waystation::flow
