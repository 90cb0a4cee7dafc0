#include <algorithm>

#include "adapters/conformance/checks.h"

namespace waystation::adapters::conformance {
namespace {

using std::chrono::milliseconds;

// gRPC and the operating system count deadlines in milliseconds, and by clocks of their own.
constexpr milliseconds kClockGrain{20};
constexpr int kQueries = 5;

// A Pay whose deadline is short where nothing is going to be answered.
PayOutcome Pay(Bench& bench, const PaymentRequest& request, milliseconds limit) {
  const Deadline deadline = Bench::In(limit);
  return bench.Ask("Pay", bench.biller().Pay(request, deadline), deadline);
}

void ExpectKind(Bench& bench, std::string_view what, const std::string& kind, std::string_view expected) {
  bench.Expect(kind == expected, fmt::format("{}: {}; expected {}", what, kind, expected));
}

void SameIdTwiceHasOneEffect(Bench& bench) {
  const PaymentRequest request = bench.NewPayment(bench.good());
  const PayOutcome first = Pay(bench, request, bench.card().time_limit);
  const auto* paid = std::get_if<Approved>(&first);
  if (!bench.Expect(paid != nullptr, fmt::format("Pay: {}; expected approved", Text(first)))) return;
  const std::unique_ptr<BillerAdapter> restarted = bench.MakeBiller({});
  if (restarted == nullptr) return;
  for (BillerAdapter* biller : {&bench.biller(), restarted.get()}) {
    const Deadline deadline = bench.Soon();
    const PayOutcome again = bench.Ask("Pay", biller->Pay(request, deadline), deadline);
    const auto* approved = std::get_if<Approved>(&again);
    const bool one_effect = approved != nullptr ? approved->biller_reference == paid->biller_reference
                                                : std::holds_alternative<Unknown>(again);
    bench.Expect(one_effect, fmt::format("the same payment id again: {}; expected what was answered first, {}, or "
                                         "unknown",
                                         Text(again), Text(first)));
  }
  bench.ExpectEffects(request, 1);
}

void QueryOfWhatWasNeverSentSettlesNothingWrongly(Bench& bench) {
  if (!bench.card().can_query) return bench.NotApplicable("the card has no query");
  if (bench.scenario().stateless) return bench.NotApplicable("the scenario says: stateless");
  const PaymentRequest request = bench.NewPayment(bench.good());
  const Deadline deadline = bench.Soon();
  const QueryOutcome outcome = bench.Ask("Query", bench.biller().Query(request, deadline), deadline);
  const bool never_received = std::holds_alternative<NeverReceived>(outcome);
  bench.Expect(
      never_received || std::holds_alternative<Unknown>(outcome),
      fmt::format("Query of a payment that was never sent: {}; expected never received, or unknown", Text(outcome)));
  bench.Expect(never_received || !bench.card().query_denial_is_final,
               "query_denial_is_final, and a payment that was never sent is not denied");
}

void ReversalOfWhatWasNeverHeardOfCountsAsReversed(Bench& bench) {
  if (!bench.card().can_reverse) return bench.NotApplicable("the card has no reversal");
  const PaymentRequest request = bench.NewPayment(bench.good());
  const Deadline deadline = bench.Soon();
  const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(request, deadline), deadline);
  bench.Expect(std::holds_alternative<TakenBack>(outcome) || std::holds_alternative<NeverReceived>(outcome),
               fmt::format("Reverse of a payment that was never sent: {}; expected taken back, or never received",
                           Text(outcome)));
  if (bench.scenario().stateless || !std::holds_alternative<TakenBack>(outcome)) return;
  // Taken back: it will have no effect.
  const PayOutcome late = Pay(bench, request, bench.card().time_limit);
  bench.Expect(!std::holds_alternative<Approved>(late),
               "a payment that came after its reversal was answered \"taken back\" is approved; expected that it is "
               "refused, or that the reversal is answered \"never received\"");
  bench.ExpectNoEffect(request);
}

void NothingIsSentOnceTheDeadlineHasPassed(Bench& bench) {
  const CapabilityCard& card = bench.card();
  const PaymentRequest request = bench.NewPayment(bench.good());
  const Deadline passed = std::chrono::steady_clock::now() - milliseconds(1);
  ExpectKind(bench, "Pay", Kind(bench.Ask("Pay", bench.biller().Pay(request, passed), passed)), "not sent");
  bench.ExpectNoEffect(request);
  if (card.inquiry != InquiryRule::kNone) {
    const InquiryRequest inquiry = bench.Inquiry(bench.good());
    ExpectKind(bench, "Inquire", Kind(bench.Ask("Inquire", bench.biller().Inquire(inquiry, passed), passed)),
               "not sent");
  }
  if (card.can_query) {
    ExpectKind(bench, "Query", Kind(bench.Ask("Query", bench.biller().Query(request, passed), passed)), "unknown");
  }
  if (card.can_reverse) {
    ExpectKind(bench, "Reverse", Kind(bench.Ask("Reverse", bench.biller().Reverse(request, passed), passed)),
               "unknown");
  }
  if (card.cancel != CancelRule::kNone) {
    ExpectKind(bench, "Cancel", Kind(bench.Ask("Cancel", bench.biller().Cancel(request, passed), passed)), "not sent");
  }
  bench.Expect(!bench.AskProbe(bench.biller(), passed), "Probe says that the biller answers, with no time for it");
}

// Unknown, and not before the deadline: whoever gives up earlier throws answers away.
template <typename Operation>
void ExpectSilence(Bench& bench, std::string_view what, Operation operation) {
  const Deadline deadline = Bench::In(bench.silence_limit());
  ExpectKind(bench, what, Kind(bench.Ask(what, operation(deadline), deadline)), "unknown");
  bench.Expect(std::chrono::steady_clock::now() >= deadline - kClockGrain,
               fmt::format("{} gives up before its deadline", what));
}

void SilenceIsUnknownAtTheDeadline(Bench& bench) {
  const CapabilityCard& card = bench.card();
  const Scenario& scenario = bench.scenario();
  if (scenario.silent.empty() && scenario.slow.empty()) {
    return bench.NotApplicable("the scenario has no customer: silent, and no setting: slow");
  }
  for (const Customer& customer : scenario.silent) {
    const PaymentRequest request = bench.NewPayment(customer);
    ExpectSilence(bench, "Pay of " + Name(customer),
                  [&](Deadline deadline) { return bench.biller().Pay(request, deadline); });
  }
  if (scenario.slow.empty()) return;
  const std::unique_ptr<BillerAdapter> slow = bench.MakeBiller(scenario.slow);
  if (slow == nullptr) return;
  const PaymentRequest request = bench.NewPayment(bench.good());
  ExpectSilence(bench, "Pay", [&](Deadline deadline) { return slow->Pay(request, deadline); });
  if (card.inquiry != InquiryRule::kNone) {
    ExpectSilence(bench, "Inquire",
                  [&](Deadline deadline) { return slow->Inquire(bench.Inquiry(bench.good()), deadline); });
  }
  if (card.can_query) {
    ExpectSilence(bench, "Query", [&](Deadline deadline) { return slow->Query(request, deadline); });
  }
  if (card.can_reverse) {
    ExpectSilence(bench, "Reverse", [&](Deadline deadline) { return slow->Reverse(request, deadline); });
  }
  if (card.cancel != CancelRule::kNone) {
    ExpectSilence(bench, "Cancel", [&](Deadline deadline) { return slow->Cancel(request, deadline); });
  }
  bench.Expect(!bench.AskProbe(*slow, Bench::In(bench.silence_limit())),
               "Probe of a silent biller says that it answers");
}

// As the resolver does: again while it is not known.
QueryOutcome QueryUntilKnown(Bench& bench, PaymentRequest request) {
  QueryOutcome outcome = Unknown{};
  for (request.earlier_attempts = 0; request.earlier_attempts < kQueries; ++request.earlier_attempts) {
    const Deadline deadline = bench.Soon();
    outcome = bench.Ask("Query", bench.biller().Query(request, deadline), deadline);
    if (!std::holds_alternative<Unknown>(outcome)) break;
  }
  return outcome;
}

void AnEffectWithoutAnAnswerIsUnknown(Bench& bench) {
  if (bench.scenario().unknown_effect.empty()) {
    return bench.NotApplicable("the scenario has no customer: unknown_effect");
  }
  for (const Customer& customer : bench.scenario().unknown_effect) {
    const PaymentRequest request = bench.NewPayment(customer);
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, request, bench.card().time_limit)), "unknown");
    bench.ExpectEffects(request, 1);
    if (bench.card().can_query) {
      ExpectKind(bench, "Query of " + Name(customer), Kind(QueryUntilKnown(bench, request)), "approved");
    }
    if (!bench.card().can_reverse) continue;
    const Deadline deadline = bench.Soon();
    const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(request, deadline), deadline);
    ExpectKind(bench, "Reverse of " + Name(customer), Kind(outcome), "taken back");
    bench.ExpectEffects(request, 0);
  }
}

void NoEffectAndNoAnswerIsUnknown(Bench& bench) {
  if (bench.scenario().unknown_no_effect.empty()) {
    return bench.NotApplicable("the scenario has no customer: unknown_no_effect");
  }
  for (const Customer& customer : bench.scenario().unknown_no_effect) {
    const PaymentRequest request = bench.NewPayment(customer);
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, request, bench.card().time_limit)), "unknown");
    bench.ExpectEffects(request, 0);
    if (!bench.card().can_query) continue;
    const QueryOutcome queried = QueryUntilKnown(bench, request);
    bench.Expect(!std::holds_alternative<Approved>(queried),
                 fmt::format("Query of {}: {}; expected that it had no effect", Name(customer), Text(queried)));
  }
}

void WhatCertainlyDidNotLeaveIsNotSent(Bench& bench) {
  const Scenario& scenario = bench.scenario();
  if (scenario.not_sent.empty() && scenario.unreachable.empty()) {
    return bench.NotApplicable("the scenario has no customer: not_sent, and no setting: unreachable");
  }
  for (const Customer& customer : scenario.not_sent) {
    const PaymentRequest request = bench.NewPayment(customer);
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, request, bench.card().time_limit)), "not sent");
    bench.ExpectNoEffect(request);
  }
  if (scenario.unreachable.empty()) return;
  const std::unique_ptr<BillerAdapter> away = bench.MakeBiller(scenario.unreachable);
  if (away == nullptr) return;
  const PaymentRequest request = bench.NewPayment(bench.good());
  const auto soon = [&bench] { return bench.Soon(); };
  Deadline deadline = soon();
  ExpectKind(bench, "Pay where nothing listens", Kind(bench.Ask("Pay", away->Pay(request, deadline), deadline)),
             "not sent");
  if (bench.card().can_query) {
    deadline = soon();
    ExpectKind(bench, "Query where nothing listens", Kind(bench.Ask("Query", away->Query(request, deadline), deadline)),
               "unknown");
  }
  if (bench.card().can_reverse) {
    deadline = soon();
    ExpectKind(bench, "Reverse where nothing listens",
               Kind(bench.Ask("Reverse", away->Reverse(request, deadline), deadline)), "unknown");
  }
  bench.Expect(!bench.AskProbe(*away, soon()), "Probe where nothing listens says that the biller answers");
  bench.ExpectNoEffect(request);
}

void ALateApprovalIsReported(Bench& bench) {
  if (bench.scenario().late.empty()) return bench.NotApplicable("the scenario has no customer: late");
  for (const Customer& customer : bench.scenario().late) {
    const PaymentRequest request = bench.NewPayment(customer);
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, request, bench.silence_limit())), "unknown");
    const bool came =
        bench.RunUntil([&] { return bench.late().Of(request.payment_id).has_value(); }, Bench::In(bench.late_limit()));
    if (!bench.Expect(came, fmt::format("the late approval of {} is not reported within {} ms", Name(customer),
                                        bench.late_limit().count()))) {
      continue;
    }
    bench.Expect(!bench.late().Of(request.payment_id)->biller_reference.empty(),
                 "a late approval has no biller reference");
  }
}

}  // namespace

const std::vector<Check>& FaultChecks() {
  static const std::vector<Check> checks = {
      {"SameIdTwiceHasOneEffect", SameIdTwiceHasOneEffect},
      {"QueryOfWhatWasNeverSentSettlesNothingWrongly", QueryOfWhatWasNeverSentSettlesNothingWrongly},
      {"ReversalOfWhatWasNeverHeardOfCountsAsReversed", ReversalOfWhatWasNeverHeardOfCountsAsReversed},
      {"NothingIsSentOnceTheDeadlineHasPassed", NothingIsSentOnceTheDeadlineHasPassed},
      {"SilenceIsUnknownAtTheDeadline", SilenceIsUnknownAtTheDeadline},
      {"AnEffectWithoutAnAnswerIsUnknown", AnEffectWithoutAnAnswerIsUnknown},
      {"NoEffectAndNoAnswerIsUnknown", NoEffectAndNoAnswerIsUnknown},
      {"WhatCertainlyDidNotLeaveIsNotSent", WhatCertainlyDidNotLeaveIsNotSent},
      {"ALateApprovalIsReported", ALateApprovalIsReported},
  };
  return checks;
}

}  // namespace waystation::adapters::conformance
