#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "boost/asio/awaitable.hpp"
#include "switch/core/business_date.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"
#include "switch/core/service_hours.h"
#include "switch/core/trace_context.h"

// The seam between the payment flow and the billers. An adapter translates; it keeps no state that matters, never
// touches storage, and never repeats a Pay of its own accord.
namespace waystation::adapters {

// By when an operation must have answered. An operation that has nothing by then answers Unknown (or NotSent, when the
// request certainly never left). One that does not is answered for, with Unknown, kDeadlineGrace later; it goes on, and
// an approval that Pay has in the end counts as a late one.
using Deadline = std::chrono::steady_clock::time_point;

enum class InquiryRule { kNone, kOptional, kRequired };
enum class AmountRule { kFree, kAtLeastOwed, kExact };
enum class CancelRule { kNone, kSameDay };

// What a biller can do. Validation, cancel and the resolver are driven by it; nothing asks *which* biller it is.
struct CapabilityCard {
  std::string service;  // mobile, electricity, gas, water
  InquiryRule inquiry = InquiryRule::kNone;
  AmountRule amount_rule = AmountRule::kFree;
  core::Money least;  // at least 1 fen
  core::Money most;
  core::Money step = core::Money::Fen(1);
  // RE2 regular expression that the whole customer number matches, and how a person would put it.
  std::string customer_number_pattern;
  std::string customer_number_hint;
  CancelRule cancel = CancelRule::kNone;
  bool can_query = false;    // status by our reference
  bool can_reverse = false;  // reversal advice
  // Whether "never heard of it", in answer to a query or to reversal advice, proves that the payment had no effect and
  // will have none; it does only once `settling_time` has passed since the request's deadline, in which the biller may
  // still take it up.
  bool query_denial_is_final = false;
  std::chrono::milliseconds settling_time{60'000};
  bool issues_voucher = false;
  std::chrono::milliseconds time_limit{10'000};  // for one answer
  // Requests with the biller at once, 2 or more: of stations and of the switch's own (queries, reversal advice, ...).
  uint32_t max_in_flight = 1'000;
  // Requests of stations that wait for a short time where as many are with the biller as may be; what comes beyond is
  // refused at once.
  uint32_t max_waiting = 1'000;
  // Outside of them new payments, cancels and inquiries are declined; what is under way goes on.
  core::ServiceHours service_hours;
};

struct InquiryRequest {
  core::StationId station;
  std::string customer_number;
  // To be passed on, where the protocol has a place for it; may be none.
  core::TraceContext trace = {};
};

// The payment as the biller is told of it. `payment_id` is our reference.
struct PaymentRequest {
  core::PaymentId payment_id;
  core::StationId station;
  std::string customer_number;
  core::Money amount;
  core::TimePoint accepted_at;
  core::BusinessDate business_date;
  // The biller's own reference, for Cancel; empty where it is not known.
  std::string biller_reference;
  // How often this very operation was tried for this payment since the switch started; what an adapter could not send
  // may be among it. Always 0 for Pay.
  int earlier_attempts = 0;
  // As that of an inquiry.
  core::TraceContext trace = {};
};

// --- outcomes ---
struct InquiryFound {
  std::string customer_name;  // masked
  core::Money owed;
};
struct Approved {
  std::string biller_reference;
  std::string voucher;
  std::string customer_name;  // masked; empty where the biller does not say
};
struct Declined {
  std::string biller_code;
  std::string text;
};
// The request certainly never left, so it had no effect.
struct NotSent {
  std::string cause;
};
// It left, or may have left, and nothing settles what became of it.
struct Unknown {
  std::string cause;
};
// The biller says that it has no such payment.
struct NeverReceived {};
// Taken back: it has no effect, and will have none. A biller that has no such payment and keeps the advice, so that it
// refuses the payment should it arrive later, counts as having taken it back; one that would not refuse it answers
// NeverReceived.
struct TakenBack {};

using InquiryOutcome = std::variant<InquiryFound, Declined, NotSent, Unknown>;
using PayOutcome = std::variant<Approved, Declined, NotSent, Unknown>;
using QueryOutcome = std::variant<Approved, Declined, NeverReceived, Unknown>;
using ReverseOutcome = std::variant<TakenBack, Declined, NeverReceived, Unknown>;
using CancelOutcome = std::variant<TakenBack, Declined, NotSent, Unknown>;

// Where an adapter takes an approval that comes after Pay has answered for that payment: the switch captures what is
// still open, and shows a person what is not. Any thread.
class LateApprovals {
 public:
  // True: the switch has recorded it, durably. False: it has not (too many at once, or no such payment). Where the
  // protocol has an acknowledgement, it is sent after true and not before, so that the biller sends again what was not
  // recorded; where it has none, the adapter keeps the approval and tells it again after a pause, until true.
  using Recorded = absl::AnyInvocable<void(bool)>;

  virtual ~LateApprovals() = default;
  // `recorded` is called at most once, on any thread, perhaps from here; never, where the switch ends before. Limits:
  // kMaxLateApprovalsPerBiller on their way.
  virtual void OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved,
                              Recorded recorded) = 0;
};

// One biller. Coroutines run on the io_context of whoever awaits them; an adapter is used from several of them at once,
// so what it shares between calls it guards itself. Operations that the card rules out are never called. No exception
// leaves an operation.
class BillerAdapter {
 public:
  virtual ~BillerAdapter() = default;

  // Constant for the life of the adapter.
  virtual const CapabilityCard& card() const = 0;

  // Called once, before any operation; `late` outlives the adapter's operations. An adapter whose protocol has no
  // answers after the deadline has no use for it.
  virtual void ReportLateApprovalsTo(LateApprovals* /*late*/) {}

  virtual boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) = 0;
  virtual boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) = 0;
  // What became of a payment, by our reference.
  virtual boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) = 0;
  // The switch takes back a payment whose outcome it does not know. Safe to repeat.
  virtual boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) = 0;
  // The station takes back a payment that was approved. Safe to repeat.
  virtual boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) = 0;
  // Whether the biller answers at all. Moves no money.
  virtual boost::asio::awaitable<bool> Probe(Deadline deadline) = 0;
};

}  // namespace waystation::adapters
