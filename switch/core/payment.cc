#include "switch/core/payment.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "switch/core/check.h"

namespace waystation::core {

namespace {

struct Transition {
  PaymentState from;
  PaymentEvent event;
  PaymentState to;
};

// Every pair that is not listed can't happen.
constexpr Transition kTransitions[] = {
    {PaymentState::kHeld, PaymentEvent::kApproved, PaymentState::kSucceeded},
    {PaymentState::kHeld, PaymentEvent::kDeclinedByBiller, PaymentState::kDeclined},
    {PaymentState::kHeld, PaymentEvent::kNotSent, PaymentState::kDeclined},
    {PaymentState::kHeld, PaymentEvent::kOutcomeUnknown, PaymentState::kUnknown},

    {PaymentState::kUnknown, PaymentEvent::kApproved, PaymentState::kSucceeded},
    {PaymentState::kUnknown, PaymentEvent::kDeclinedByBiller, PaymentState::kDeclined},
    {PaymentState::kUnknown, PaymentEvent::kNeverReceived, PaymentState::kDeclined},
    {PaymentState::kUnknown, PaymentEvent::kReversalStarted, PaymentState::kReversing},
    {PaymentState::kUnknown, PaymentEvent::kReviewNeeded, PaymentState::kReview},

    {PaymentState::kUnknown, PaymentEvent::kLateApproval, PaymentState::kSucceeded},

    {PaymentState::kReversing, PaymentEvent::kReversalConfirmed, PaymentState::kReversed},
    {PaymentState::kReversing, PaymentEvent::kReviewNeeded, PaymentState::kReview},

    {PaymentState::kSucceeded, PaymentEvent::kCancelStarted, PaymentState::kCancelling},

    {PaymentState::kCancelling, PaymentEvent::kCancelConfirmed, PaymentState::kCancelled},
    {PaymentState::kCancelling, PaymentEvent::kCancelRefused, PaymentState::kSucceeded},
    {PaymentState::kCancelling, PaymentEvent::kReviewNeeded, PaymentState::kReview},

    {PaymentState::kReview, PaymentEvent::kAdjusted, PaymentState::kAdjusted},

    // A late success: the money is free again, and the biller has the payment all the same.
    {PaymentState::kDeclined, PaymentEvent::kLateApproval, PaymentState::kReview},
    {PaymentState::kReversed, PaymentEvent::kLateApproval, PaymentState::kReview},
    // While it is being taken back, or a person looks, it is evidence.
    {PaymentState::kReversing, PaymentEvent::kLateApproval, PaymentState::kReversing},
    {PaymentState::kReview, PaymentEvent::kLateApproval, PaymentState::kReview},
};

// Indexed by the enums' numbers, which start at 1.
using TransitionGrid =
    std::array<std::array<std::optional<PaymentState>, kAllPaymentEvents.size() + 1>, kAllPaymentStates.size() + 1>;

constexpr TransitionGrid MakeGrid() {
  TransitionGrid grid{};
  for (const Transition& t : kTransitions) grid[static_cast<size_t>(t.from)][static_cast<size_t>(t.event)] = t.to;
  return grid;
}

constexpr TransitionGrid kGrid = MakeGrid();

}  // namespace

std::optional<PaymentState> NextState(PaymentState state, PaymentEvent event) {
  return kGrid.at(static_cast<size_t>(state)).at(static_cast<size_t>(event));
}

MoneyColumn ColumnOf(PaymentState state, PaymentState before_review) {
  switch (state) {
    case PaymentState::kHeld: return MoneyColumn::kReserved;
    case PaymentState::kUnknown:
    case PaymentState::kReversing: return MoneyColumn::kForwarded;
    case PaymentState::kSucceeded:
    case PaymentState::kCancelling: return MoneyColumn::kCaptured;
    case PaymentState::kReview:
      WS_CHECK(before_review != PaymentState::kReview, "REVIEW follows another state");
      return ColumnOf(before_review, before_review);
    case PaymentState::kDeclined:
    case PaymentState::kReversed:
    case PaymentState::kCancelled:
    case PaymentState::kAdjusted: return MoneyColumn::kNone;
  }
  WS_CHECK(false, "payment state out of range");
  return MoneyColumn::kNone;
}

bool IsAtRest(PaymentState state) {
  switch (state) {
    case PaymentState::kSucceeded:
    case PaymentState::kDeclined:
    case PaymentState::kReversed:
    case PaymentState::kCancelled:
    case PaymentState::kAdjusted: return true;
    case PaymentState::kHeld:
    case PaymentState::kUnknown:
    case PaymentState::kReversing:
    case PaymentState::kCancelling:
    case PaymentState::kReview: return false;
  }
  WS_CHECK(false, "payment state out of range");
  return false;
}

std::string_view Name(PaymentState state) {
  switch (state) {
    case PaymentState::kHeld: return "HELD";
    case PaymentState::kSucceeded: return "SUCCEEDED";
    case PaymentState::kDeclined: return "DECLINED";
    case PaymentState::kUnknown: return "UNKNOWN";
    case PaymentState::kReversing: return "REVERSING";
    case PaymentState::kReversed: return "REVERSED";
    case PaymentState::kCancelling: return "CANCELLING";
    case PaymentState::kCancelled: return "CANCELLED";
    case PaymentState::kReview: return "REVIEW";
    case PaymentState::kAdjusted: return "ADJUSTED";
  }
  return "?";
}

std::string_view Name(PaymentEvent event) {
  switch (event) {
    case PaymentEvent::kApproved: return "approved";
    case PaymentEvent::kDeclinedByBiller: return "declined by biller";
    case PaymentEvent::kNotSent: return "not sent";
    case PaymentEvent::kOutcomeUnknown: return "outcome unknown";
    case PaymentEvent::kNeverReceived: return "never received";
    case PaymentEvent::kReversalStarted: return "reversal started";
    case PaymentEvent::kReversalConfirmed: return "reversal confirmed";
    case PaymentEvent::kCancelStarted: return "cancel started";
    case PaymentEvent::kCancelConfirmed: return "cancel confirmed";
    case PaymentEvent::kCancelRefused: return "cancel refused";
    case PaymentEvent::kReviewNeeded: return "review needed";
    case PaymentEvent::kAdjusted: return "adjusted";
    case PaymentEvent::kLateApproval: return "late approval";
  }
  return "?";
}

std::string_view Name(DeclineReason reason) {
  switch (reason) {
    case DeclineReason::kStationNotActive: return "STATION_NOT_ACTIVE";
    case DeclineReason::kBillerDisabled: return "BILLER_DISABLED";
    case DeclineReason::kBillerOutOfService: return "BILLER_OUT_OF_SERVICE";
    case DeclineReason::kInquiryRequired: return "INQUIRY_REQUIRED";
    case DeclineReason::kInquiryMismatch: return "INQUIRY_MISMATCH";
    case DeclineReason::kInquiryExpired: return "INQUIRY_EXPIRED";
    case DeclineReason::kAmountTooSmall: return "AMOUNT_TOO_SMALL";
    case DeclineReason::kAmountTooLarge: return "AMOUNT_TOO_LARGE";
    case DeclineReason::kAmountNotInStep: return "AMOUNT_NOT_IN_STEP";
    case DeclineReason::kAmountNotOwed: return "AMOUNT_NOT_OWED";
    case DeclineReason::kInsufficientAvailableBalance: return "INSUFFICIENT_AVAILABLE_BALANCE";
    case DeclineReason::kNotSent: return "NOT_SENT";
    case DeclineReason::kBillerDeclined: return "BILLER_DECLINED";
    case DeclineReason::kNotReceivedByBiller: return "NOT_RECEIVED_BY_BILLER";
    case DeclineReason::kNotCancellable: return "NOT_CANCELLABLE";
    case DeclineReason::kCancelNotSupported: return "CANCEL_NOT_SUPPORTED";
    case DeclineReason::kCancelDatePassed: return "CANCEL_DATE_PASSED";
  }
  return "?";
}

std::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kChargeStation: return "CHARGE_STATION";
    case Verdict::kRelease: return "RELEASE";
    case Verdict::kWriteOff: return "WRITE_OFF";
  }
  return "?";
}

std::optional<PaymentState> PaymentStateFromNumber(uint32_t number) {
  for (PaymentState state : kAllPaymentStates) {
    if (static_cast<uint32_t>(state) == number) return state;
  }
  return std::nullopt;
}

std::optional<PaymentEvent> PaymentEventFromNumber(uint32_t number) {
  for (PaymentEvent event : kAllPaymentEvents) {
    if (static_cast<uint32_t>(event) == number) return event;
  }
  return std::nullopt;
}

std::optional<DeclineReason> DeclineReasonFromNumber(uint32_t number) {
  if (number < 1 || number > kLastDeclineReason) return std::nullopt;
  return static_cast<DeclineReason>(number);
}

std::optional<Verdict> VerdictFromNumber(uint32_t number) {
  if (number < 1 || number > kLastVerdict) return std::nullopt;
  return static_cast<Verdict>(number);
}

TimePoint Payment::entered_at() const {
  auto it = history.rbegin();
  while (std::next(it) != history.rend() && std::next(it)->state == state) ++it;
  return it->time;
}

PaymentState Payment::state_before_review() const {
  if (state != PaymentState::kReview) return state;
  auto it = std::find_if(history.rbegin(), history.rend(),
                         [](const StateChange& change) { return change.state != PaymentState::kReview; });
  WS_CHECK(it != history.rend(), "REVIEW follows another state");
  return it->state;
}

MoneyColumn Payment::column() const {
  return ColumnOf(state, state_before_review());
}

MoneyColumn ColumnAfter(const Payment& payment, PaymentState next, const std::optional<Resolution>& resolution) {
  if (next == PaymentState::kReview) return payment.column();
  if (next != PaymentState::kAdjusted) return ColumnOf(next, next);
  WS_CHECK(resolution.has_value(), "an adjustment has a resolution");
  switch (resolution->verdict) {
    case Verdict::kChargeStation: return MoneyColumn::kCaptured;
    case Verdict::kRelease:
    case Verdict::kWriteOff: return MoneyColumn::kNone;
  }
  WS_CHECK(false, "verdict out of range");
  return MoneyColumn::kNone;
}

}  // namespace waystation::core
