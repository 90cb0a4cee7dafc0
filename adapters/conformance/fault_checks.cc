#include <algorithm>

#include "adapters/conformance/checks.h"
#include "fmt/ranges.h"
#include "switch/core/limits.h"

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
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const PayOutcome first = Pay(bench, *request, bench.card().time_limit);
  const auto* paid = std::get_if<Approved>(&first);
  if (!bench.Expect(paid != nullptr, fmt::format("Pay: {}; expected approved", Text(first)))) return;
  const auto pay_again = [&](BillerAdapter& biller, std::string_view when) {
    const Deadline deadline = bench.Soon();
    const PayOutcome again = bench.Ask("Pay", biller.Pay(*request, deadline), deadline);
    const auto* approved = std::get_if<Approved>(&again);
    const bool one_effect = approved != nullptr ? approved->biller_reference == paid->biller_reference
                                                : std::holds_alternative<Unknown>(again);
    bench.Expect(one_effect, fmt::format("the same payment id again{}: {}; expected what was answered first, {}, or "
                                         "unknown",
                                         when, Text(again), Text(first)));
    bench.ExpectEffects(*request, 1);
  };
  pay_again(bench.biller(), "");
  const std::unique_ptr<BillerAdapter> restarted = bench.Restart();
  if (restarted != nullptr) pay_again(*restarted, " after a restart");
}

void SameIdAtOnceHasOneEffect(Bench& bench) {
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  std::vector<std::string> references;
  for (const PayOutcome& outcome : bench.PayTogether({*request, *request}, bench.Soon())) {
    const auto* approved = std::get_if<Approved>(&outcome);
    bench.Expect(approved != nullptr || std::holds_alternative<Unknown>(outcome),
                 fmt::format("the same payment id twice at once: {}; expected approved, or unknown", Text(outcome)));
    if (approved != nullptr) references.push_back(approved->biller_reference);
  }
  if (!bench.Expect(!references.empty(), "the same payment id twice at once: neither is approved")) return;
  bench.Expect(std::count(references.begin(), references.end(), references.front()) == std::ssize(references),
               fmt::format("the same payment id twice at once has the references {}", fmt::join(references, " and ")));
  bench.ExpectEffects(*request, 1);
}

void QueryOfWhatWasNeverSentSettlesNothingWrongly(Bench& bench) {
  if (!bench.card().can_query) return bench.NotApplicable("the card has no query");
  if (bench.scenario().stateless) return bench.NotApplicable("the scenario says: stateless");
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const Deadline deadline = bench.Soon();
  const QueryOutcome outcome = bench.Ask("Query", bench.biller().Query(*request, deadline), deadline);
  const bool never_received = std::holds_alternative<NeverReceived>(outcome);
  bench.Expect(
      never_received || std::holds_alternative<Unknown>(outcome),
      fmt::format("Query of a payment that was never sent: {}; expected never received, or unknown", Text(outcome)));
  bench.Expect(never_received || !bench.card().query_denial_is_final,
               "query_denial_is_final, and a payment that was never sent is not denied");
}

void ReversalOfWhatWasNeverHeardOfCountsAsReversed(Bench& bench) {
  if (!bench.card().can_reverse) return bench.NotApplicable("the card has no reversal");
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const Deadline deadline = bench.Soon();
  const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(*request, deadline), deadline);
  bench.Expect(std::holds_alternative<TakenBack>(outcome) || std::holds_alternative<NeverReceived>(outcome),
               fmt::format("Reverse of a payment that was never sent: {}; expected taken back, or never received",
                           Text(outcome)));
  if (bench.scenario().stateless || !std::holds_alternative<TakenBack>(outcome)) return;
  // Taken back: it will have no effect.
  const PayOutcome late = Pay(bench, *request, bench.card().time_limit);
  bench.Expect(!std::holds_alternative<Approved>(late),
               "a payment that came after its reversal was answered \"taken back\" is approved; expected that it is "
               "refused, or that the reversal is answered \"never received\"");
  bench.ExpectNoEffect(*request);
}

void NothingIsSentOnceTheDeadlineHasPassed(Bench& bench) {
  const CapabilityCard& card = bench.card();
  if (bench.is_process())
    return bench.NotApplicable("such a call does not reach the process: the switch's side ends it");
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const Deadline passed = std::chrono::steady_clock::now() - milliseconds(1);
  ExpectKind(bench, "Pay", Kind(bench.Ask("Pay", bench.biller().Pay(*request, passed), passed)), "not sent");
  bench.ExpectNoEffect(*request);
  if (card.inquiry != InquiryRule::kNone) {
    const InquiryRequest inquiry = bench.Inquiry(bench.good());
    ExpectKind(bench, "Inquire", Kind(bench.Ask("Inquire", bench.biller().Inquire(inquiry, passed), passed)),
               "not sent");
  }
  if (card.can_query) {
    ExpectKind(bench, "Query", Kind(bench.Ask("Query", bench.biller().Query(*request, passed), passed)), "unknown");
  }
  if (card.can_reverse) {
    ExpectKind(bench, "Reverse", Kind(bench.Ask("Reverse", bench.biller().Reverse(*request, passed), passed)),
               "unknown");
  }
  if (card.cancel != CancelRule::kNone) {
    ExpectKind(bench, "Cancel", Kind(bench.Ask("Cancel", bench.biller().Cancel(*request, passed), passed)), "not sent");
  }
  bench.Expect(!bench.AskProbe(bench.biller(), passed), "Probe says that the biller answers, with no time for it");
}

// Unknown, not before the deadline (whoever gives up earlier throws answers away), and not so long after it that the
// switch has answered. A busy machine makes anybody late, so it must be late each of three times. `next` returns the
// payment for one time; null ends it. `operation` takes that and a deadline.
template <typename Next, typename Operation>
void ExpectSilence(Bench& bench, std::string_view what, Next next, Operation operation) {
  constexpr int kTries = 3;
  constexpr milliseconds kLatest = core::kDeadlineGrace + kClockGrain;
  milliseconds least_late = milliseconds::max();
  for (int i = 0; i < kTries; ++i) {
    const std::optional<PaymentRequest> request = next();
    if (!request) return;
    const Deadline deadline = Bench::In(bench.silence_limit());
    ExpectKind(bench, what, Kind(bench.Ask(what, operation(*request, deadline), deadline)), "unknown");
    const Deadline answered = std::chrono::steady_clock::now();
    bench.Expect(answered >= deadline - kClockGrain, fmt::format("{} gives up before its deadline", what));
    least_late = std::min(least_late, std::chrono::duration_cast<milliseconds>(answered - deadline));
    if (least_late <= kLatest || least_late >= bench.patience()) return;
  }
  bench.Expect(false, fmt::format("{} is answered {} ms after its deadline; expected {} ms at most, when the switch "
                                  "answers for it",
                                  what, least_late.count(), core::kDeadlineGrace.count()));
}

void SilenceIsUnknownAtTheDeadline(Bench& bench) {
  const CapabilityCard& card = bench.card();
  const Scenario& scenario = bench.scenario();
  if (scenario.silent.empty() && scenario.slow.empty()) {
    return bench.NotApplicable("the scenario has no customer: silent, and no setting: slow");
  }
  for (const Customer& customer : scenario.silent) {
    ExpectSilence(
        bench, "Pay of " + Name(customer), [&] { return bench.NewPayment(customer); },
        [&](const PaymentRequest& request, Deadline deadline) { return bench.biller().Pay(request, deadline); });
  }
  if (scenario.slow.empty()) return;
  const std::unique_ptr<BillerAdapter> slow = bench.MakeBiller(scenario.slow);
  if (slow == nullptr) return;
  std::optional<PaymentRequest> request = bench.NewGoodPayment();
  const auto next = [&request] { return request; };
  ExpectSilence(bench, "Pay", next, [&](const auto& r, Deadline deadline) { return slow->Pay(r, deadline); });
  if (card.inquiry != InquiryRule::kNone) {
    ExpectSilence(bench, "Inquire", next, [&](const auto& r, Deadline deadline) {
      return slow->Inquire({r.station, r.customer_number}, deadline);
    });
  }
  if (card.can_query) {
    ExpectSilence(bench, "Query", next, [&](const auto& r, Deadline deadline) { return slow->Query(r, deadline); });
  }
  if (card.can_reverse) {
    ExpectSilence(bench, "Reverse", next, [&](const auto& r, Deadline deadline) { return slow->Reverse(r, deadline); });
  }
  if (card.cancel != CancelRule::kNone) {
    ExpectSilence(bench, "Cancel", next, [&](const auto& r, Deadline deadline) { return slow->Cancel(r, deadline); });
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

// What is asked next finds the biller there: a connection that was cut takes a moment to come back.
void WaitForTheBiller(Bench& bench) {
  bench.AskProbe(bench.biller(), bench.Soon());
}

void AnEffectWithoutAnAnswerIsUnknown(Bench& bench) {
  if (bench.scenario().unknown_effect.empty()) {
    return bench.NotApplicable("the scenario has no customer: unknown_effect");
  }
  for (const Customer& customer : bench.scenario().unknown_effect) {
    const std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, *request, bench.card().time_limit)), "unknown");
    bench.ExpectEffects(*request, 1);
    WaitForTheBiller(bench);
    if (bench.card().can_query) {
      ExpectKind(bench, "Query of " + Name(customer), Kind(QueryUntilKnown(bench, *request)), "approved");
    }
    if (!bench.card().can_reverse) continue;
    const Deadline deadline = bench.Soon();
    const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(*request, deadline), deadline);
    ExpectKind(bench, "Reverse of " + Name(customer), Kind(outcome), "taken back");
    bench.ExpectEffects(*request, 0);
  }
}

void NoEffectAndNoAnswerIsUnknown(Bench& bench) {
  if (bench.scenario().unknown_no_effect.empty()) {
    return bench.NotApplicable("the scenario has no customer: unknown_no_effect");
  }
  for (const Customer& customer : bench.scenario().unknown_no_effect) {
    const std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, *request, bench.card().time_limit)), "unknown");
    bench.ExpectEffects(*request, 0);
    WaitForTheBiller(bench);
    if (!bench.card().can_query) continue;
    const QueryOutcome queried = QueryUntilKnown(bench, *request);
    bench.Expect(!std::holds_alternative<Approved>(queried),
                 fmt::format("Query of {}: {}; expected that it had no effect", Name(customer), Text(queried)));
  }
}

// A denial after the settling time gives the station its money back, so nothing may take effect from then on.
void AFinalDenialStaysTrue(Bench& bench) {
  const CapabilityCard& card = bench.card();
  if (!card.can_query || !card.query_denial_is_final) {
    return bench.NotApplicable("no query's denial is final, says the card");
  }
  if (bench.scenario().silent.empty() && bench.scenario().unknown_no_effect.empty()) {
    return bench.NotApplicable("the scenario has no customer: silent or unknown_no_effect");
  }
  if (card.settling_time > bench.settling_limit()) {
    return bench.NotApplicable(fmt::format("the card's settling time is {} ms; not more than {} ms are waited for",
                                           card.settling_time.count(), bench.settling_limit().count()));
  }
  std::vector<PaymentRequest> payments;
  for (const auto* list : {&bench.scenario().silent, &bench.scenario().unknown_no_effect}) {
    for (const Customer& customer : *list) {
      if (std::optional<PaymentRequest> request = bench.NewPayment(customer)) payments.push_back(*std::move(request));
    }
  }
  const Deadline deadline = Bench::In(bench.silence_limit());
  bench.PayTogether(payments, deadline);
  bench.WaitUntil(deadline + card.settling_time);
  WaitForTheBiller(bench);
  std::vector<PaymentRequest> denied;
  for (const PaymentRequest& payment : payments) {
    if (!std::holds_alternative<NeverReceived>(QueryUntilKnown(bench, payment))) continue;
    bench.ExpectEffects(payment, 0);
    denied.push_back(payment);
  }
  if (denied.empty()) return bench.NotApplicable("none of the payments without an answer is denied");
  bench.WaitUntil(Bench::In(bench.denial_watch()));
  for (const PaymentRequest& payment : denied) {
    const QueryOutcome again = QueryUntilKnown(bench, payment);
    bench.Expect(!std::holds_alternative<Approved>(again),
                 fmt::format("the payment of {} was never received, finally; now a query says: {}",
                             payment.customer_number, Text(again)));
    bench.ExpectEffects(payment, 0);
  }
}

void WhatCertainlyDidNotLeaveIsNotSent(Bench& bench) {
  const Scenario& scenario = bench.scenario();
  // Whether a process can be reached is seen by the switch's side alone.
  const bool checks_unreachable = !scenario.unreachable.empty() && !bench.is_process();
  if (scenario.not_sent.empty() && !checks_unreachable) {
    return bench.NotApplicable("the scenario has no customer: not_sent, and no setting: unreachable");
  }
  for (const Customer& customer : scenario.not_sent) {
    const std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, *request, bench.card().time_limit)), "not sent");
    bench.ExpectNoEffect(*request);
  }
  if (!checks_unreachable) return;
  const std::unique_ptr<BillerAdapter> away = bench.MakeBiller(scenario.unreachable);
  if (away == nullptr) return;
  const std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const auto soon = [&bench] { return bench.Soon(); };
  Deadline deadline = soon();
  ExpectKind(bench, "Pay where nothing listens", Kind(bench.Ask("Pay", away->Pay(*request, deadline), deadline)),
             "not sent");
  if (bench.card().can_query) {
    deadline = soon();
    ExpectKind(bench, "Query where nothing listens",
               Kind(bench.Ask("Query", away->Query(*request, deadline), deadline)), "unknown");
  }
  if (bench.card().can_reverse) {
    deadline = soon();
    ExpectKind(bench, "Reverse where nothing listens",
               Kind(bench.Ask("Reverse", away->Reverse(*request, deadline), deadline)), "unknown");
  }
  bench.Expect(!bench.AskProbe(*away, soon()), "Probe where nothing listens says that the biller answers");
  bench.ExpectNoEffect(*request);
}

void ALateApprovalIsReported(Bench& bench) {
  if (bench.scenario().late.empty()) return bench.NotApplicable("the scenario has no customer: late");
  for (const Customer& customer : bench.scenario().late) {
    const std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    ExpectKind(bench, "Pay of " + Name(customer), Kind(Pay(bench, *request, bench.silence_limit())), "unknown");
    const auto told = [&] { return bench.late().Of(request->payment_id); };
    // The first is said not to be recorded.
    bench.RunUntil([&] { return told().size() >= 2; }, Bench::In(bench.late_limit()));
    const std::vector<LateList::Telling> tellings = told();
    if (!bench.Expect(tellings.size() >= 2,
                      fmt::format("the late approval of {} is reported {} times within {} ms; expected again, since it "
                                  "was not recorded the first time",
                                  Name(customer), tellings.size(), bench.late_limit().count()))) {
      continue;
    }
    const std::string reference = tellings.front().approved.biller_reference;
    bench.Expect(!reference.empty(), "a late approval has no biller reference");
    for (const LateList::Telling& telling : tellings) {
      bench.Expect(telling.station == request->station, fmt::format("the late approval of {} is of another station: {}",
                                                                    Name(customer), telling.station.ToString()));
      bench.Expect(telling.approved.biller_reference == reference,
                   fmt::format("the late approval of {} has another reference the second time", Name(customer)));
    }
    if (!bench.card().can_query) continue;
    const QueryOutcome queried = QueryUntilKnown(bench, *request);
    const auto* found = std::get_if<Approved>(&queried);
    bench.Expect(
        std::holds_alternative<Unknown>(queried) || (found != nullptr && found->biller_reference == reference),
        fmt::format("Query of {}, whose late approval has reference {}: {}", Name(customer), reference, Text(queried)));
  }
}

}  // namespace

const std::vector<Check>& FaultChecks() {
  static const std::vector<Check> checks = {
      {"SameIdTwiceHasOneEffect", SameIdTwiceHasOneEffect},
      {"SameIdAtOnceHasOneEffect", SameIdAtOnceHasOneEffect},
      {"QueryOfWhatWasNeverSentSettlesNothingWrongly", QueryOfWhatWasNeverSentSettlesNothingWrongly},
      {"ReversalOfWhatWasNeverHeardOfCountsAsReversed", ReversalOfWhatWasNeverHeardOfCountsAsReversed},
      {"NothingIsSentOnceTheDeadlineHasPassed", NothingIsSentOnceTheDeadlineHasPassed},
      {"SilenceIsUnknownAtTheDeadline", SilenceIsUnknownAtTheDeadline},
      {"AnEffectWithoutAnAnswerIsUnknown", AnEffectWithoutAnAnswerIsUnknown},
      {"NoEffectAndNoAnswerIsUnknown", NoEffectAndNoAnswerIsUnknown},
      {"AFinalDenialStaysTrue", AFinalDenialStaysTrue},
      {"WhatCertainlyDidNotLeaveIsNotSent", WhatCertainlyDidNotLeaveIsNotSent},
      {"ALateApprovalIsReported", ALateApprovalIsReported},
  };
  return checks;
}

}  // namespace waystation::adapters::conformance
