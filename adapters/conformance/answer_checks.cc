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

// Where a bill is paid once, some are left for the checks to come.
size_t MostPayments(const Bench& bench, size_t usual) {
  constexpr size_t kOfBills = 4;
  return bench.card().amount_rule == AmountRule::kExact ? kOfBills : usual;
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
  std::vector<PaymentRequest> requests;
  if (bench.card().amount_rule == AmountRule::kExact) {
    // Of the bills, the others are left for the checks to come.
    requests = bench.NewGoodPayments(1, 1);
  } else {
    for (const Customer& customer : bench.scenario().good) requests.push_back(*bench.NewPayment(customer));
  }
  for (const PaymentRequest& request : requests) {
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
  const std::vector<PaymentRequest> requests = bench.NewGoodPayments(2, MostPayments(bench, kPayments));
  std::set<std::string> references;
  for (const PaymentRequest& request : requests) {
    const std::optional<Approved> approved = PaySucceeds(bench, request);
    if (!approved) return;
    references.insert(approved->biller_reference);
  }
  bench.Expect(references.size() == requests.size(),
               fmt::format("{} payments have {} references", requests.size(), references.size()));
}

// Each of them has an effect of its own, which a query tells from the others'.
void ExpectApart(Bench& bench, const std::vector<PaymentRequest>& requests, const std::vector<PayOutcome>& outcomes) {
  std::set<std::string> references;
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto* approved = std::get_if<Approved>(&outcomes[i]);
    const std::string id = requests[i].payment_id.ToString();
    if (!bench.Expect(approved != nullptr, fmt::format("Pay of id {}: {}; expected approved", id, Text(outcomes[i])))) {
      continue;
    }
    bench.Expect(references.insert(approved->biller_reference).second,
                 fmt::format("id {} has another payment's reference, {}", id, approved->biller_reference));
    bench.ExpectEffects(requests[i], 1);
    if (!bench.card().can_query) continue;
    const Deadline deadline = bench.Soon();
    const QueryOutcome queried = bench.Ask("Query", bench.biller().Query(requests[i], deadline), deadline);
    const auto* found = std::get_if<Approved>(&queried);
    bench.Expect(found != nullptr && found->biller_reference == approved->biller_reference,
                 fmt::format("Query of id {}: {}; expected {}", id, Text(queried), Text(outcomes[i])));
  }
}

// A protocol whose field for our reference is shorter cuts its first digits, or its last.
void LongIdsAreToldApart(Bench& bench) {
  constexpr uint64_t kFirstDigit = 1'000'000'000'000'000;
  std::vector<PaymentRequest> requests = bench.NewGoodPayments(4, 4);
  if (requests.empty()) return;
  uint64_t id = requests.front().payment_id.number();
  if (id % 10 == 9) ++id;  // the next id would differ in two digits
  const uint64_t ids[] = {id, id + 1, id + kFirstDigit, id + kFirstDigit + 1};
  std::vector<PayOutcome> outcomes;
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].payment_id = core::PaymentId::FromNumber(ids[i]);
    const Deadline deadline = bench.Soon();
    outcomes.push_back(bench.Ask("Pay", bench.biller().Pay(requests[i], deadline), deadline));
  }
  ExpectApart(bench, requests, outcomes);
}

void ADeclineHasNoEffect(Bench& bench) {
  if (bench.scenario().declined.empty()) return bench.NotApplicable("the scenario has no customer: declined");
  for (const Customer& customer : bench.scenario().declined) {
    const std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    const Deadline deadline = bench.Soon();
    const PayOutcome outcome = bench.Ask("Pay", bench.biller().Pay(*request, deadline), deadline);
    bench.Expect(std::holds_alternative<Declined>(outcome),
                 fmt::format("Pay of {}: {}; expected declined", Name(customer), Text(outcome)));
    bench.ExpectNoEffect(*request);
  }
}

void AnAmountThatIsNotOwedIsDeclined(Bench& bench) {
  if (bench.card().amount_rule == AmountRule::kFree) return bench.NotApplicable("the card lets any amount be paid");
  std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  if (request->amount <= bench.card().least) return bench.NotApplicable("the bill is the least amount");
  request->amount = request->amount - core::Money::Fen(1);
  const Deadline deadline = bench.Soon();
  const PayOutcome outcome = bench.Ask("Pay", bench.biller().Pay(*request, deadline), deadline);
  bench.Expect(std::holds_alternative<Declined>(outcome),
               fmt::format("Pay of 1 fen less than is owed: {}; expected declined", Text(outcome)));
  bench.ExpectNoEffect(*request);
}

void QueryAgreesWithThePaymentAlsoAfterARestart(Bench& bench) {
  if (!bench.card().can_query) return bench.NotApplicable("the card has no query");
  std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const std::optional<Approved> paid = PaySucceeds(bench, *request);
  if (!paid) return;
  const auto query = [&](BillerAdapter& biller, std::string_view when) {
    for (request->earlier_attempts = 0; request->earlier_attempts < kRepeats; ++request->earlier_attempts) {
      const Deadline deadline = bench.Soon();
      const QueryOutcome outcome = bench.Ask("Query", biller.Query(*request, deadline), deadline);
      const auto* approved = std::get_if<Approved>(&outcome);
      bench.Expect(approved != nullptr && approved->biller_reference == paid->biller_reference &&
                       approved->voucher == paid->voucher,
                   fmt::format("Query{}: {}; expected {}", when, Text(outcome), Text(PayOutcome(*paid))));
    }
  };
  query(bench.biller(), "");
  const std::unique_ptr<BillerAdapter> restarted = bench.Restart();
  if (restarted == nullptr) return;
  query(*restarted, " after a restart");
  bench.ExpectEffects(*request, 1);
}

void ReversalTakesBackAndMayBeRepeated(Bench& bench) {
  if (!bench.card().can_reverse) return bench.NotApplicable("the card has no reversal");
  std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request || !PaySucceeds(bench, *request)) return;
  for (request->earlier_attempts = 0; request->earlier_attempts < kRepeats; ++request->earlier_attempts) {
    const Deadline deadline = bench.Soon();
    const ReverseOutcome outcome = bench.Ask("Reverse", bench.biller().Reverse(*request, deadline), deadline);
    bench.Expect(std::holds_alternative<TakenBack>(outcome), fmt::format("Reverse, time {}: {}; expected taken back",
                                                                         request->earlier_attempts + 1, Text(outcome)));
  }
  bench.ExpectNoEffect(*request);
}

void CancelTakesBackAndMayBeRepeated(Bench& bench) {
  if (bench.card().cancel == CancelRule::kNone) return bench.NotApplicable("the card has no cancel");
  std::optional<PaymentRequest> request = bench.NewGoodPayment();
  if (!request) return;
  const std::optional<Approved> paid = PaySucceeds(bench, *request);
  if (!paid) return;
  request->biller_reference = paid->biller_reference;
  for (request->earlier_attempts = 0; request->earlier_attempts < kRepeats; ++request->earlier_attempts) {
    const Deadline deadline = bench.Soon();
    const CancelOutcome outcome = bench.Ask("Cancel", bench.biller().Cancel(*request, deadline), deadline);
    bench.Expect(std::holds_alternative<TakenBack>(outcome),
                 fmt::format("Cancel, time {}: {}; expected taken back", request->earlier_attempts + 1, Text(outcome)));
  }
  bench.ExpectNoEffect(*request);
}

void ARefusedCancelLeavesThePayment(Bench& bench) {
  if (bench.card().cancel == CancelRule::kNone) return bench.NotApplicable("the card has no cancel");
  if (bench.scenario().cancel_refused.empty()) {
    return bench.NotApplicable("the scenario has no customer: cancel_refused");
  }
  for (const Customer& customer : bench.scenario().cancel_refused) {
    std::optional<PaymentRequest> request = bench.NewPayment(customer);
    if (!request) continue;
    const std::optional<Approved> paid = PaySucceeds(bench, *request);
    if (!paid) continue;
    request->biller_reference = paid->biller_reference;
    const Deadline deadline = bench.Soon();
    const CancelOutcome outcome = bench.Ask("Cancel", bench.biller().Cancel(*request, deadline), deadline);
    bench.Expect(std::holds_alternative<Declined>(outcome),
                 fmt::format("Cancel of {}: {}; expected declined", Name(customer), Text(outcome)));
    bench.ExpectEffects(*request, 1);
  }
}

void SeveralThreadsMayUseIt(Bench& bench) {
  constexpr size_t kThreads = 4;
  constexpr size_t kMostPaymentsEach = 25;
  // No more at once than the card has.
  const size_t each = std::clamp<size_t>(bench.card().max_in_flight / kThreads, 1, kMostPaymentsEach);
  const std::vector<PaymentRequest> requests = bench.NewGoodPayments(2, MostPayments(bench, kThreads * each));
  std::vector<PayOutcome> outcomes(requests.size(), Unknown{"no answer"});
  {
    std::vector<std::jthread> threads;
    for (size_t first = 0; first < kThreads; ++first) {
      threads.emplace_back([&bench, &requests, &outcomes, first] {
        boost::asio::io_context io;
        for (size_t i = first; i < requests.size(); i += kThreads) {
          boost::asio::co_spawn(io, bench.biller().Pay(requests[i], bench.Soon()),
                                [&outcome = outcomes[i]](std::exception_ptr thrown, PayOutcome answer) {
                                  if (thrown == nullptr) outcome = std::move(answer);
                                });
        }
        io.run_for(bench.card().time_limit + bench.patience());
      });
    }
  }
  ExpectApart(bench, requests, outcomes);
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
      {"LongIdsAreToldApart", LongIdsAreToldApart},
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
