#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "switch/core/business_date.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"

namespace waystation::core {

// Where a payment stands. The numbers are those of the journal and of the API: never reused.
enum class PaymentState : uint8_t {
  kHeld = 1,        // money reserved; the request may be on the wire
  kSucceeded = 2,   // captured: station -> biller
  kDeclined = 3,    // never held, or released
  kUnknown = 4,     // money forwarded; the resolver is finding out
  kReversing = 5,   // money forwarded; reversal advice is repeated until a final answer
  kReversed = 6,    // released
  kCancelling = 7,  // captured; the biller was asked to take it back
  kCancelled = 8,   // posted back: biller -> station
  kReview = 9,      // a person decides
  kAdjusted = 10,   // by the adjustment's posting
};
inline constexpr std::array kAllPaymentStates = {
    PaymentState::kHeld,      PaymentState::kSucceeded, PaymentState::kDeclined,   PaymentState::kUnknown,
    PaymentState::kReversing, PaymentState::kReversed,  PaymentState::kCancelling, PaymentState::kCancelled,
    PaymentState::kReview,    PaymentState::kAdjusted};

// What can happen to a payment after it was accepted. Numbers as in the journal.
enum class PaymentEvent : uint8_t {
  kApproved = 1,           // the biller has it
  kDeclinedByBiller = 2,   // the biller said no
  kNotSent = 3,            // the request certainly never left
  kOutcomeUnknown = 4,     // sent, or possibly sent; no answer that settles it
  kNeverReceived = 5,      // the biller confirmed that it never heard of it
  kReversalStarted = 6,    // from here on reversal advice is repeated
  kReversalConfirmed = 7,  // the biller took it back
  kCancelStarted = 8,      // the station takes it back
  kCancelConfirmed = 9,    // the biller took it back
  kCancelRefused = 10,     // the biller keeps it
  kReviewNeeded = 11,      // past the deadline, or contradictory
  kAdjusted = 12,          // the decision of two people was posted
  kLateApproval = 13,      // the biller has it after all: its approval came after our deadline
};
inline constexpr std::array kAllPaymentEvents = {
    PaymentEvent::kApproved,          PaymentEvent::kDeclinedByBiller, PaymentEvent::kNotSent,
    PaymentEvent::kOutcomeUnknown,    PaymentEvent::kNeverReceived,    PaymentEvent::kReversalStarted,
    PaymentEvent::kReversalConfirmed, PaymentEvent::kCancelStarted,    PaymentEvent::kCancelConfirmed,
    PaymentEvent::kCancelRefused,     PaymentEvent::kReviewNeeded,     PaymentEvent::kAdjusted,
    PaymentEvent::kLateApproval};

// Why a request was declined, in order of precedence. Numbers as in the journal and the API.
enum class DeclineReason : uint8_t {
  kStationNotActive = 1,
  kBillerDisabled = 2,
  kBillerOutOfService = 3,
  kInquiryRequired = 4,
  kInquiryMismatch = 5,
  kInquiryExpired = 6,
  kAmountTooSmall = 7,
  kAmountTooLarge = 8,
  kAmountNotInStep = 9,
  kAmountNotOwed = 10,
  kInsufficientAvailableBalance = 11,
  kNotSent = 12,
  kBillerDeclined = 13,
  kNotReceivedByBiller = 14,
  kNotCancellable = 15,
  kCancelNotSupported = 16,
  kCancelDatePassed = 17,
};
inline constexpr uint8_t kLastDeclineReason = 17;

// Which column of the station's account a payment's amount stands in.
enum class MoneyColumn : uint8_t {
  kNone,       // not held: never was, released, or posted back
  kReserved,   // held, the biller's answer is being waited for
  kForwarded,  // held, the outcome is not known
  kCaptured,   // posted: station -> biller
};

// What two people decided about a payment in REVIEW. Numbers as in the journal and the API.
enum class Verdict : uint8_t {
  kChargeStation = 1,  // it took effect at the biller: the station pays
  kRelease = 2,        // it took no effect: the station does not pay, and what was captured is posted back
  kWriteOff = 3,       // it took effect and the station does not pay: the operator's suspense account does
};
inline constexpr uint8_t kLastVerdict = 3;

// The one transition table: the state that `event` leads to from `state`; null when it can't happen there.
std::optional<PaymentState> NextState(PaymentState state, PaymentEvent event);

// Where the money stands in `state`. REVIEW keeps the column it came with: `before_review` says which (the state
// before).
MoneyColumn ColumnOf(PaymentState state, PaymentState before_review);

// Nobody acts next: the payment's rows can be written. (SUCCEEDED may still be cancelled.)
bool IsAtRest(PaymentState state);

// "HELD", ... for logs and people.
std::string_view Name(PaymentState state);
std::string_view Name(PaymentEvent event);
std::string_view Name(DeclineReason reason);
std::string_view Name(Verdict verdict);

std::optional<PaymentState> PaymentStateFromNumber(uint32_t number);
std::optional<PaymentEvent> PaymentEventFromNumber(uint32_t number);
std::optional<DeclineReason> DeclineReasonFromNumber(uint32_t number);
std::optional<Verdict> VerdictFromNumber(uint32_t number);

struct Decline {
  DeclineReason reason;
  std::string biller_code;  // at most kMaxBillerCodeBytes; empty where the switch itself declined
  std::string text;         // at most kMaxReasonBytes, for a person
  bool operator==(const Decline&) const = default;
};

struct StateChange {
  uint64_t sequence = 0;
  PaymentState state = PaymentState::kHeld;
  TimePoint time;
  BusinessDate business_date;
  bool operator==(const StateChange&) const = default;
};

// What is to be done about a payment in REVIEW: proposed by one person, and posted once another has confirmed it.
struct Resolution {
  Verdict verdict;
  std::string reason;        // 1 to kMaxReasonBytes
  std::string proposed_by;   // clerk ids; never the same
  std::string confirmed_by;  // empty: only proposed
  uint64_t sequence = 0;     // of the leg that proposed it; 0: of a journal that did not say
  bool operator==(const Resolution&) const = default;
};

// A payment as it stands. `history` is never empty; its first entry is the acceptance, its last the present state.
struct Payment {
  PaymentId id;
  StationId station;
  std::string operator_id;
  std::string request_id;
  std::string biller_id;
  std::string customer_number;
  std::string customer_name;  // masked
  Money amount;
  PaymentState state = PaymentState::kHeld;
  std::optional<Decline> decline;
  std::string biller_reference;
  std::string voucher;
  std::string unknown_cause;  // in REVIEW: the evidence
  std::optional<Resolution> resolution;
  BusinessDate business_date;  // of acceptance
  absl::InlinedVector<StateChange, 2> history;

  uint64_t last_sequence() const { return history.back().sequence; }
  TimePoint accepted_at() const { return history.front().time; }
  TimePoint changed_at() const { return history.back().time; }
  // When it came into its present state; evidence that came later does not count.
  TimePoint entered_at() const;
  MoneyColumn column() const;
  // The state that REVIEW was entered from; where it is not in REVIEW, the state.
  PaymentState state_before_review() const;
  bool operator==(const Payment&) const = default;
};

// Where the amount of `payment` stands once it has moved to `next`. `resolution`: with ADJUSTED only, whose column
// follows from the verdict.
MoneyColumn ColumnAfter(const Payment& payment, PaymentState next, const std::optional<Resolution>& resolution);

}  // namespace waystation::core
