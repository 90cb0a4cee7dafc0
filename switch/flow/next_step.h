#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "adapters/biller_adapter.h"
#include "switch/core/clock.h"
#include "switch/core/payment.h"

// Who acts next for a payment, what is done, when, and until when. All of it follows from the payment's record, its
// biller's card and the schedule: nothing is kept beside the journal, and a restart changes nothing, but that it puts
// off when "never heard of it" counts. What it does not tell: of a biller that is out of service the resolver asks at
// times of its own (resolver.h).
namespace waystation::flow {

// When the resolver asks: the first time `first_after` past the change, then at intervals that double, up to
// `longest_interval`, each of them up to a quarter shorter or longer by the payment's id; the last time at the
// deadline, `review_after` past the change.
struct ResolverSchedule {
  std::chrono::milliseconds first_query_after{1'000};
  std::chrono::milliseconds longest_interval{3'600'000};
  std::chrono::milliseconds review_after{86'400'000};
};

// Numbers as in the API.
enum class Owner : uint8_t {
  kNobody = 1,    // the payment is final
  kFlow = 2,      // the request may be on its way, or its answer
  kResolver = 3,  // finding out, or taking back
  kPerson = 4,
};
enum class NextAction : uint8_t {
  kNone = 1,
  kAwaitAnswer = 2,  // of the biller, to the request itself
  kQuery = 3,        // ask the biller by our reference
  kReverse = 4,      // send reversal advice
  kCancel = 5,       // send the station's cancel again
  kAwaitPerson = 6,  // the biller can be asked nothing: its file may tell, or a person must
  kPropose = 7,      // a person says what is to be done
  kConfirm = 8,      // another person confirms it
};

struct NextStep {
  Owner owner = Owner::kNobody;
  NextAction action = NextAction::kNone;
  std::optional<core::TimePoint> at;        // null where a person acts, or nobody
  std::optional<core::TimePoint> deadline;  // then it is a person's; null where it is one's already, or nobody's
};

inline bool IsOverdue(const NextStep& step, core::TimePoint now) {
  return step.deadline.has_value() && *step.deadline < now;
}

// `card`: of the payment's biller; null when that is not configured any more.
NextStep NextStepOf(const core::Payment& payment, const adapters::CapabilityCard* card,
                    const ResolverSchedule& schedule, core::TimePoint now);

// Whether "never heard of it" frees the money, when it answers a query or reversal advice that leaves at `asked`: the
// card says that it is final, and the request can't be taken up any more. That it can't follows from the clock that
// never steps, not from the calendar: at least the time limit and the settling time have passed since this process took
// the payment on (`taken_on`), which it does after the request was sent. A start counts anew.
bool DenialFrees(const adapters::CapabilityCard& card, core::SteadyTime taken_on, core::SteadyTime asked);

// From when on it would, where the card says that it is final.
core::SteadyTime DenialCountsAt(const adapters::CapabilityCard& card, core::SteadyTime taken_on);

// The first time after `after` at which the resolver acts for a payment that is its: a reversal starts with the change
// into its state, a query leaves the biller time to finish. Never past the deadline, but for a payment that is past it
// already: then at once.
core::TimePoint NextAttemptAt(const core::Payment& payment, const ResolverSchedule& schedule, core::TimePoint after);

}  // namespace waystation::flow
