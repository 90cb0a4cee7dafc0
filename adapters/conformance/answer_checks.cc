#include <algorithm>
#include <set>
#include <thread>

#include "adapters/card.h"
#include "adapters/conformance/checks.h"
#include "re2/re2.h"
#include "switch/core/limits.h"

namespace waystation::adapters::conformance {
namespace {

constexpr int kRepeats = 3;

// The approval of a payment that is to succeed; null, and a fault, when it does not.
std::optional<Approved> PaySucceeds(Bench& bench, const PaymentRequest& request) {
  const Deadline deadline = bench.Soon();
  const PayOutcome outcome = bench.Ask("Pay", bench.biller().Pay(request, deadline), deadline);
  const auto* approved = std::get_if<Approved>(&outcome);
  if (!bench.Expect(approved != nullptr,
                    fmt::format("Pay of {}: {}; expected approved", request.customer_number, Text(outcome)))) {
    return std::nullopt;
  }
  return *approved;
}

void CardHoldsTogether(Bench& bench) {
  const CapabilityCard& card = bench.card();
  const absl::Status valid = ValidateCard(card);
  if (!bench.Expect(valid.ok(), std::string(valid.message()))) return;
  const std::set<std::string_view> services = {"mobile", "electricity", "gas", "water"};
  bench.Expect(services.contains(card.service),
               fmt::format("service \"{}\"; expected mobile, electricity, gas or water", card.service));
  const re2::RE2 pattern(card.customer_number_pattern);
  for (const auto* list : {&bench.scenario().good, &bench.scenario().no_account}) {
    for (const Customer& customer : *list) {
      bench.Expect(re2::RE2::FullMatch(customer.number, pattern),
                   fmt::format("{} does not match the customer number pattern", Name(customer)));
    }
  }
  bench.Expect(!re2::RE2::FullMatch("", pattern), "the customer number pattern matches an empty number");
  bench.Expect(card.amount_rule == AmountRule::kFree || card.inquiry == InquiryRule::kRequired,
               "the amount goes by the bill and no inquiry is required: nobody knows what is owed");
  bench.Expect(card.can_query || card.can_reverse,
               "neither query nor reversal: nothing settles an outcome that is not known");
  bench.Expect(card.can_query || card.can_reverse || !card.query_denial_is_final,
               "query_denial_is_final, and nothing is queried or reversed");
}

void ProbeFindsTheBillerThere(Bench& bench) {
  const Deadline deadline = bench.Soon();
  bench.Expect(bench.AskProbe(bench.biller(), deadline), "Probe says that the biller does not answer");
}

void InquiryFindsTheCustomer(Bench& bench) {
  const CapabilityCard& card = bench.card();
  if (card.inquiry == InquiryRule::kNone) return bench.NotApplicable("the card has no inquiry");
  for (const Customer& customer : bench.scenario().good) {
    const auto ask = [&bench, &customer] {
      const Deadline deadline = bench.Soon();
      return bench.Ask("Inquire", bench.biller().Inquire(bench.Inquiry(customer), deadline), deadline);
    };
    const InquiryOutcome outcome = ask();
    const auto* found = std::get_if<InquiryFound>(&outcome);
    if (!bench.Expect(found != nullptr,
                      fmt::format("Inquire of {}: {}; expected found", Name(customer), Text(outcome)))) {
      continue;
    }
    bench.Expect(found->customer_name.size() <= core::kMaxNameBytes, "the customer name is too long");
    bench.Expect(found->owed >= core::Money(), "less than nothing is owed");
    if (card.amount_rule != AmountRule::kFree) {
      bench.Expect(
          found->owed == core::Money() || (found->owed >= card.least && found->owed <= card.most),
          fmt::format("{} yuan are owed, which the card does not let anyone pay", core::FormatYuan(found->owed)));
    }
    bench.Expect(Text(ask()) == Text(outcome), "the same inquiry again is answered otherwise");
  }
}

void InquiryDeclinesWhomTheBillerDoesNotKnow(Bench& bench) {
  if (bench.card().inquiry == InquiryRule::kNone) return bench.NotApplicable("the card has no inquiry");
  if (bench.scenario().no_account.empty()) return bench.NotApplicable("the scenario has no customer: no_account");
  for (const Customer& customer : bench.scenario().no_account) {
    const Deadline deadline = bench.Soon();
    const InquiryOutcome outcome =
        bench.Ask("Inquire", bench.biller().Inquire(bench.Inquiry(customer), deadline), deadline);
    const auto* declined = std::get_if<Declined>(&outcome);
    if (!bench.Expect(declined != nullptr,
                      fmt::format("Inquire of {}: {}; expected declined", Name(customer), Text(outcome)))) {
      continue;
    }
    bench.Expect(declined->biller_code.size() <= core::kMaxBillerCodeBytes, "the biller's code is too long");
    bench.Expect(declined->text.size() <= core::kMaxReasonBytes, "the decline's text is too long");
  }
}

void ApprovalHasAReferenceAndThePromisedVoucher(Bench& bench) {
  for (const Customer& customer : bench.scenario().good) {
    const PaymentRequest request = bench.NewPayment(customer);
    const std::optional<Approved> approved = PaySucceeds(bench, request);
    if (!approved) continue;
    bench.Expect(!approved->biller_reference.empty(), "the approval has no biller reference");
    bench.Expect(approved->biller_reference.size() <= core::kMaxBillerReferenceBytes, "its reference is too long");
    bench.Expect(approved->voucher.size() <= core::kMaxVoucherBytes, "its voucher is too long");
    bench.Expect(approved->voucher.empty() != bench.card().issues_voucher,
                 "the approval has a voucher, or has none, against the card");
    bench.Expect(approved->customer_name.size() <= core::kMaxNameBytes, "its customer name is too long");
    bench.ExpectEffects(request, 1);
  }
}

void PaymentsHaveReferencesOfTheirOwn(Bench& bench) {
  constexpr size_t kPayments = 20;
  std::set<std::string> references;
  for (size_t i = 0; i < kPayments; ++i) {
    const std::optional<Approved> approved = PaySucceeds(bench, bench.NewPayment(bench.good()));
    if (!approved) return;
    references.insert(approved->biller_reference);
  }
  bench.Expect(references.size() == kPayments,
               fmt::format("{} payments have {} references", kPayments, references.size()));
}

void ADeclineHasNoEffect(Bench& bench) {
  if (bench.scenario().declined.empty()) return bench.NotApplicable("the scenario has no customer: declined");
  for (const Customer& customer : bench.scenario().declined) {
    const PaymentRequest request = bench.NewPayment(customer);
    const Deadline deadline = bench.Soon();
    const PayOutcome outcome = bench.Ask("Pay", bench.biller().Pay(request, deadline), deadline);
    bench.Expect(std::holds_alternative<Declined>(outcome),
                 fmt::format("Pay of {}: {}; expected declined", Name(customer), Text(outcome)));
    bench.ExpectNoEffect(request);
  }
}

void AnAmountThatIsNotOwedIsDeclined(Bench& bench) {
  if (bench.card().amount_rule == AmountRule::kFree) return bench.NotApplicable("the card lets any amount be paid");
  PaymentRequest request = bench.NewPayment(bench.good());
  if (request.amount <= bench.card().least) return bench.NotApplicable("the bill is the least amount");
  request.amount = request.amount - core::Money::Fen(1);
  const Deadline deadline = bench.Soon();
  const PayOutcome outcome = bench.Ask("Pay", bench.biller().Pay(request, deadline), deadline);
  bench.Expect(std::holds_alternative<Declined>(outcome),
               fmt::format("Pay of 1 fen less than is owed: {}; expected declined", Text(outcome)));
  bench.ExpectNoEffect(request);
}

void QueryAgreesWithThePaymentAlsoAfterARestart(Bench& bench) {
  if (!bench.card().can_query) return bench.NotApplicable("the card has no query");
  PaymentRequest request = bench.NewPayment(bench.good());
  const std::optional<Approved> paid = PaySucceeds(bench, request);
  const std::unique_ptr<BillerAdapter> restarted = bench.MakeBiller({});
  if (!paid || restarted == nullptr) return;
  for (BillerAdapter* biller : {&bench.biller(), restarted.get()}) {
    for (request.earlier_attempts = 0; request.earlier_attempts < kRepeats; ++request.earlier_attempts) {
      const Deadline deadline = bench.Soon();
      const QueryOutcome outcome = bench.Ask("Query", biller->Query(request, deadline), deadline);
      const auto* approved = std::get_if<Approved>(&outcome);
      bench.Expect(approved != nullptr && approved->biller_reference == paid->biller_reference &&
                       approved->voucher == paid->voucher,
                   fmt::format("Query{}: {}; expected {}", biller == restarted.get() ? " after a restart" : "",
                               Text(outcome), Text(PayOutcome(*paid))));
    }
  }
}

void ReversalTakesBackAndMayBeRepeated(Bench& bench) {
  if (!bench.card().can_reverse) return bench.NotApplicable("the card has no reversal");
  PaymentRequest request = bench.NewPayment(bench.good());
  if (!PaySucceeds(bench, request)) return;
  for (request.earlier_attempts = 0; request.earlier_attempts < kRepeats; ++request.earlier_attempts) {
    const Deadline deadline = bench.Soon();
    const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(request, deadline), deadline);
    bench.Expect(std::holds_alternative<TakenBack>(outcome),
                 fmt::format("Reverse, time {}: {}; expected taken back", request.earlier_attempts + 1, Text(outcome)));
  }
  bench.ExpectNoEffect(request);
}

void CancelTakesBackAndMayBeRepeated(Bench& bench) {
  if (bench.card().cancel == CancelRule::kNone) return bench.NotApplicable("the card has no cancel");
  PaymentRequest request = bench.NewPayment(bench.good());
  const std::optional<Approved> paid = PaySucceeds(bench, request);
  if (!paid) return;
  request.biller_reference = paid->biller_reference;
  for (request.earlier_attempts = 0; request.earlier_attempts < kRepeats; ++request.earlier_attempts) {
    const Deadline deadline = bench.Soon();
    const CancelOutcome outcome = bench.Ask("Cancel", bench.biller().Cancel(request, deadline), deadline);
    bench.Expect(std::holds_alternative<TakenBack>(outcome),
                 fmt::format("Cancel, time {}: {}; expected taken back", request.earlier_attempts + 1, Text(outcome)));
  }
  bench.ExpectNoEffect(request);
}

void ARefusedCancelLeavesThePayment(Bench& bench) {
  if (bench.card().cancel == CancelRule::kNone) return bench.NotApplicable("the card has no cancel");
  if (bench.scenario().cancel_refused.empty()) {
    return bench.NotApplicable("the scenario has no customer: cancel_refused");
  }
  for (const Customer& customer : bench.scenario().cancel_refused) {
    PaymentRequest request = bench.NewPayment(customer);
    const std::optional<Approved> paid = PaySucceeds(bench, request);
    if (!paid) continue;
    request.biller_reference = paid->biller_reference;
    const Deadline deadline = bench.Soon();
    const CancelOutcome outcome = bench.Ask("Cancel", bench.biller().Cancel(request, deadline), deadline);
    bench.Expect(std::holds_alternative<Declined>(outcome),
                 fmt::format("Cancel of {}: {}; expected declined", Name(customer), Text(outcome)));
    bench.ExpectEffects(request, 1);
  }
}

void SeveralThreadsMayUseIt(Bench& bench) {
  constexpr size_t kThreads = 4;
  constexpr size_t kMostPaymentsEach = 25;
  // No more at once than the card has.
  const size_t payments_each = std::clamp<size_t>(bench.card().max_in_flight / kThreads, 1, kMostPaymentsEach);
  std::vector<std::vector<PaymentRequest>> requests(kThreads);
  for (std::vector<PaymentRequest>& of_thread : requests) {
    for (size_t i = 0; i < payments_each; ++i) of_thread.push_back(bench.NewPayment(bench.good()));
  }
  std::vector<size_t> approved(kThreads);
  {
    std::vector<std::jthread> threads;
    for (size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&bench, &payments = requests[thread], &count = approved[thread]] {
        boost::asio::io_context io;
        for (const PaymentRequest& request : payments) {
          boost::asio::co_spawn(io, bench.biller().Pay(request, bench.Soon()),
                                [&count](std::exception_ptr thrown, const PayOutcome& outcome) {
                                  if (thrown == nullptr && std::holds_alternative<Approved>(outcome)) ++count;
                                });
        }
        io.run_for(bench.card().time_limit + bench.patience());
      });
    }
  }
  for (const size_t count : approved) {
    bench.Expect(count == payments_each, fmt::format("{} of {} payments of a thread approved", count, payments_each));
  }
}

}  // namespace

const std::vector<Check>& AnswerChecks() {
  static const std::vector<Check> checks = {
      {"CardHoldsTogether", CardHoldsTogether},
      {"ProbeFindsTheBillerThere", ProbeFindsTheBillerThere},
      {"InquiryFindsTheCustomer", InquiryFindsTheCustomer},
      {"InquiryDeclinesWhomTheBillerDoesNotKnow", InquiryDeclinesWhomTheBillerDoesNotKnow},
      // Before the bill is paid.
      {"AnAmountThatIsNotOwedIsDeclined", AnAmountThatIsNotOwedIsDeclined},
      {"ApprovalHasAReferenceAndThePromisedVoucher", ApprovalHasAReferenceAndThePromisedVoucher},
      {"PaymentsHaveReferencesOfTheirOwn", PaymentsHaveReferencesOfTheirOwn},
      {"ADeclineHasNoEffect", ADeclineHasNoEffect},
      {"QueryAgreesWithThePaymentAlsoAfterARestart", QueryAgreesWithThePaymentAlsoAfterARestart},
      {"ReversalTakesBackAndMayBeRepeated", ReversalTakesBackAndMayBeRepeated},
      {"CancelTakesBackAndMayBeRepeated", CancelTakesBackAndMayBeRepeated},
      {"ARefusedCancelLeavesThePayment", ARefusedCancelLeavesThePayment},
      {"SeveralThreadsMayUseIt", SeveralThreadsMayUseIt},
  };
  return checks;
}

}  // namespace waystation::adapters::conformance
