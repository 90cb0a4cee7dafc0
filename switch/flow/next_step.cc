#include "switch/flow/next_step.h"

#include <algorithm>

#include "switch/core/check.h"
#include "switch/flow/spread.h"

namespace waystation::flow {
namespace {

using std::chrono::milliseconds;

NextStep ForResolver(NextAction action, const core::Payment& payment, const ResolverSchedule& schedule,
                     core::TimePoint now) {
  NextStep step{
      .owner = Owner::kResolver, .action = action, .at = {}, .deadline = payment.entered_at() + schedule.review_after};
  step.at = action == NextAction::kAwaitPerson ? *step.deadline : NextAttemptAt(payment, schedule, now);
  return step;
}

NextAction ActionForUnknown(const adapters::CapabilityCard* card) {
  if (card != nullptr && card->can_query) return NextAction::kQuery;
  if (card != nullptr && card->can_reverse) return NextAction::kReverse;
  return NextAction::kAwaitPerson;
}

}  // namespace

bool DenialFrees(const adapters::CapabilityCard& card, core::SteadyTime taken_on, core::SteadyTime asked) {
  return card.query_denial_is_final && asked >= DenialCountsAt(card, taken_on);
}

core::SteadyTime DenialCountsAt(const adapters::CapabilityCard& card, core::SteadyTime taken_on) {
  return taken_on + card.time_limit + card.settling_time;
}

core::TimePoint NextAttemptAt(const core::Payment& payment, const ResolverSchedule& schedule, core::TimePoint after) {
  const core::TimePoint deadline = payment.entered_at() + schedule.review_after;
  core::TimePoint at = payment.entered_at();
  if (payment.state != core::PaymentState::kReversing) at += schedule.first_query_after;
  milliseconds interval = schedule.first_query_after;
  for (uint64_t attempt = 1; at <= after && at < deadline; ++attempt) {
    at += std::max(Jittered(interval, payment.id.number() + attempt), milliseconds(1));
    interval = std::min(2 * interval, schedule.longest_interval);
  }
  return std::max(std::min(at, deadline), after);
}

NextStep NextStepOf(const core::Payment& payment, const adapters::CapabilityCard* card,
                    const ResolverSchedule& schedule, core::TimePoint now) {
  switch (payment.state) {
    case core::PaymentState::kHeld: {
      // The resolver's schedule begins with the answer, or with a restart.
      const core::TimePoint by = payment.accepted_at() + (card == nullptr ? milliseconds(0) : card->time_limit);
      return {.owner = Owner::kFlow, .action = NextAction::kAwaitAnswer, .at = by, .deadline = by};
    }
    case core::PaymentState::kUnknown: return ForResolver(ActionForUnknown(card), payment, schedule, now);
    case core::PaymentState::kReversing:
      return ForResolver(card == nullptr ? NextAction::kAwaitPerson : NextAction::kReverse, payment, schedule, now);
    case core::PaymentState::kCancelling:
      return ForResolver(card == nullptr ? NextAction::kAwaitPerson : NextAction::kCancel, payment, schedule, now);
    case core::PaymentState::kReview:
      return {.owner = Owner::kPerson,
              .action = payment.resolution.has_value() ? NextAction::kConfirm : NextAction::kPropose,
              .at = {},
              .deadline = {}};
    case core::PaymentState::kSucceeded:
    case core::PaymentState::kDeclined:
    case core::PaymentState::kReversed:
    case core::PaymentState::kCancelled:
    case core::PaymentState::kAdjusted:
      return {.owner = Owner::kNobody, .action = NextAction::kNone, .at = {}, .deadline = {}};
  }
  WS_CHECK(false, "payment state out of range");
  return {};
}

}  // namespace waystation::flow
