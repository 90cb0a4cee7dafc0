#include "adapters/conformance/bench.h"

#include <algorithm>
#include <atomic>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters::conformance {
namespace {

// Over all checks of a process, so that no two payments share an id.
uint64_t NextPaymentId(uint64_t first) {
  static std::atomic<uint64_t> given{0};
  return first + given.fetch_add(1, std::memory_order_relaxed);
}

const core::StationId kStation = core::StationId::FromNumber(390'001'000'017);

}  // namespace

std::string Name(const Customer& customer) {
  return customer.remark.empty() ? customer.number : fmt::format("{} ({})", customer.number, customer.remark);
}

void LateList::OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved, Recorded recorded) {
  const bool again = !Of(payment).empty();
  {
    const std::scoped_lock lock(mutex_);
    tellings_.push_back({station, payment, std::move(approved)});
  }
  recorded(again);
}

std::vector<LateList::Telling> LateList::Of(core::PaymentId payment) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Telling> of;
  for (const Telling& telling : tellings_) {
    if (telling.payment == payment) of.push_back(telling);
  }
  return of;
}

Bench::Bench(const Target& target) : target_(target) {
  biller_ = MakeBiller({});
  if (biller_ != nullptr) biller_->ReportLateApprovalsTo(&late_);
}

bool Bench::Expect(bool holds, std::string fault) {
  if (!holds) faults_.push_back(std::move(fault));
  return holds;
}

void Bench::NotApplicable(std::string why) {
  not_applicable_ = std::move(why);
}

void Bench::Note(std::string left_out) {
  notes_.push_back(std::move(left_out));
}

Result Bench::Take(std::string_view check) {
  if (!faults_.empty()) return {check, Verdict::kFailed, fmt::format("{}", fmt::join(faults_, "; "))};
  if (not_applicable_) return {check, Verdict::kNotApplicable, *not_applicable_};
  if (!left_out_.empty()) {
    Note(fmt::format("nothing is owed any more by {}: expected customers whose bill was not paid yet",
                     fmt::join(left_out_, ", ")));
    if (payments_ == 0) return {check, Verdict::kNotApplicable, notes_.back()};
  }
  return {check, Verdict::kPassed, fmt::format("{}", fmt::join(notes_, "; "))};
}

std::unique_ptr<BillerAdapter> Bench::MakeBiller(const Settings& extra) {
  absl::StatusOr<std::unique_ptr<BillerAdapter>> made = target_.make(extra);
  if (!made.ok()) {
    Expect(false, fmt::format("the adapter can't be made: {}", std::string(made.status().message())));
    return nullptr;
  }
  return *std::move(made);
}

std::unique_ptr<BillerAdapter> Bench::Restart() {
  // Looked at so often.
  constexpr std::chrono::milliseconds kPause{50};
  if (target_.restart == nullptr) {
    if (is_process()) Note("the process was not restarted; --restart does that");
    return MakeBiller({});
  }
  const absl::Status restarted = target_.restart();
  if (!Expect(restarted.ok(), fmt::format("the restart: {}", std::string(restarted.message())))) return nullptr;
  std::unique_ptr<BillerAdapter> biller = MakeBiller({});
  if (biller == nullptr) return nullptr;
  const Deadline give_up = In(target_.restart_limit);
  while (!AskProbe(*biller, Soon())) {
    if (std::chrono::steady_clock::now() >= give_up) {
      Expect(false, fmt::format("Probe finds nobody within {} ms after the restart", target_.restart_limit.count()));
      return nullptr;
    }
    WaitUntil(In(kPause));
  }
  return biller;
}

InquiryRequest Bench::Inquiry(const Customer& customer) const {
  return {kStation, customer.number};
}

std::optional<PaymentRequest> Bench::TryPayment(const Customer& customer) {
  PaymentRequest request;
  request.payment_id = core::PaymentId::FromNumber(NextPaymentId(target_.first_payment_id));
  request.station = kStation;
  request.customer_number = customer.number;
  request.amount = card().least;
  request.accepted_at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  request.business_date = core::BusinessDate::FromDays(std::chrono::floor<std::chrono::days>(request.accepted_at));
  if (card().amount_rule != AmountRule::kFree) {
    const Deadline deadline = Soon();
    const InquiryOutcome outcome = Ask("Inquire", biller().Inquire(Inquiry(customer), deadline), deadline);
    if (const auto* found = std::get_if<InquiryFound>(&outcome)) {
      if (card().amount_rule == AmountRule::kExact && found->owed == core::Money()) return std::nullopt;
      request.amount = std::max(found->owed, card().least);
    } else if (ScenarioSaysFound(customer)) {
      Expect(false, fmt::format("Inquire of {}: {}; expected found", Name(customer), Text(outcome)));
    }
  }
  ++payments_;
  return request;
}

std::optional<PaymentRequest> Bench::NewPayment(const Customer& customer) {
  std::optional<PaymentRequest> request = TryPayment(customer);
  if (!request) left_out_.push_back(Name(customer));
  return request;
}

std::vector<PaymentRequest> Bench::NewGoodPayments(size_t least, size_t most) {
  std::vector<PaymentRequest> payments;
  const bool once = card().amount_rule == AmountRule::kExact && !scenario().stateless;
  if (!once) {
    while (payments.size() < most) {
      const std::optional<PaymentRequest> payment = NewPayment(good());
      if (!payment) break;
      payments.push_back(*payment);
    }
    return payments;
  }
  for (const Customer& customer : scenario().good) {
    if (payments.size() == most) break;
    if (const std::optional<PaymentRequest> payment = TryPayment(customer)) payments.push_back(*payment);
  }
  if (payments.size() >= least) return payments;
  NotApplicable(
      fmt::format("{} of the customers of `good` owe something; expected {}, since a bill that was paid is not "
                  "paid again",
                  payments.size(), least));
  return {};
}

std::optional<PaymentRequest> Bench::NewGoodPayment() {
  const std::vector<PaymentRequest> payments = NewGoodPayments(1, 1);
  if (payments.empty()) return std::nullopt;
  return payments.front();
}

bool Bench::ScenarioSaysFound(const Customer& customer) const {
  const auto same = [&customer](const Customer& other) { return other.number == customer.number; };
  return std::none_of(scenario().no_account.begin(), scenario().no_account.end(), same);
}

void Bench::ExpectEffects(const PaymentRequest& request, int times) {
  if (target_.effects == nullptr) return;
  const absl::StatusOr<int> effects = target_.effects(request.payment_id);
  if (!Expect(effects.ok(), fmt::format("the books can't be read: {}", std::string(effects.status().message())))) {
    return;
  }
  Expect(*effects == times, fmt::format("payment {} of {} stands {} times in the biller's books; expected {}",
                                        request.payment_id.ToString(), request.customer_number, *effects, times));
}

void Bench::ExpectNoEffect(const PaymentRequest& request) {
  ExpectEffects(request, 0);
  if (!card().can_query || scenario().stateless) return;
  const Deadline deadline = Soon();
  const QueryOutcome queried = Ask("Query", biller().Query(request, deadline), deadline);
  Expect(!std::holds_alternative<Approved>(queried),
         fmt::format("a query says that the payment of {} took effect: {}", request.customer_number, Text(queried)));
}

bool Bench::AskProbe(BillerAdapter& biller, Deadline deadline) {
  const auto answer = std::make_shared<std::optional<bool>>();
  boost::asio::co_spawn(io_, biller.Probe(deadline),
                        [answer](std::exception_ptr thrown, bool answers) { *answer = thrown == nullptr && answers; });
  const Deadline now = std::chrono::steady_clock::now();
  const bool ended = RunUntil([&answer] { return answer->has_value(); }, std::max(now, deadline) + patience());
  return Expect(ended, "Probe ignores its deadline") && **answer;
}

std::vector<PayOutcome> Bench::PayTogether(const std::vector<PaymentRequest>& requests, Deadline deadline) {
  // Shared with completions that may come when nobody waits for them any more.
  const auto answers = std::make_shared<std::vector<std::optional<PayOutcome>>>(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    boost::asio::co_spawn(io_, biller().Pay(requests[i], deadline),
                          [answers, i](std::exception_ptr thrown, PayOutcome outcome) {
                            (*answers)[i] = thrown == nullptr ? std::move(outcome) : Unknown{"an exception"};
                          });
  }
  const auto all = [&answers] {
    return std::all_of(answers->begin(), answers->end(), [](const auto& answer) { return answer.has_value(); });
  };
  Expect(RunUntil(all, deadline + patience()), "Pay ignores its deadline where several are made at once");
  std::vector<PayOutcome> outcomes;
  for (const std::optional<PayOutcome>& answer : *answers) outcomes.push_back(answer.value_or(Unknown{"no answer"}));
  return outcomes;
}

void Bench::WaitUntil(Deadline time) {
  RunUntil([] { return false; }, time);
}

}  // namespace waystation::adapters::conformance
