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

void LateList::OnLateApproval(core::StationId /*station*/, core::PaymentId payment, Approved approved,
                              Recorded recorded) {
  {
    const std::scoped_lock lock(mutex_);
    approvals_.emplace_back(payment, std::move(approved));
  }
  recorded(true);
}

std::optional<Approved> LateList::Of(core::PaymentId payment) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, approved] : approvals_) {
    if (id == payment) return approved;
  }
  return std::nullopt;
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

Result Bench::Take(std::string_view check) {
  if (!faults_.empty()) return {check, Verdict::kFailed, fmt::format("{}", fmt::join(faults_, "; "))};
  if (not_applicable_) return {check, Verdict::kNotApplicable, *not_applicable_};
  return {check, Verdict::kPassed, ""};
}

std::unique_ptr<BillerAdapter> Bench::MakeBiller(const Settings& extra) {
  absl::StatusOr<std::unique_ptr<BillerAdapter>> made = target_.make(extra);
  if (!made.ok()) {
    Expect(false, fmt::format("the adapter can't be made: {}", std::string(made.status().message())));
    return nullptr;
  }
  return *std::move(made);
}

InquiryRequest Bench::Inquiry(const Customer& customer) const {
  return {kStation, customer.number};
}

PaymentRequest Bench::NewPayment(const Customer& customer) {
  PaymentRequest request;
  request.payment_id = core::PaymentId::FromNumber(NextPaymentId(target_.first_payment_id));
  request.station = kStation;
  request.customer_number = customer.number;
  request.amount = card().least;
  request.accepted_at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  request.business_date = core::BusinessDate::FromDays(std::chrono::floor<std::chrono::days>(request.accepted_at));
  if (card().amount_rule == AmountRule::kFree) return request;
  const Deadline deadline = Soon();
  const InquiryOutcome outcome = Ask("Inquire", biller().Inquire(Inquiry(customer), deadline), deadline);
  if (const auto* found = std::get_if<InquiryFound>(&outcome)) {
    request.amount = std::max(found->owed, card().least);
  } else if (ScenarioSaysFound(customer)) {
    Expect(false, fmt::format("Inquire of {}: {}; expected found", Name(customer), Text(outcome)));
  }
  return request;
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

}  // namespace waystation::adapters::conformance
