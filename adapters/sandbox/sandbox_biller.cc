#include "adapters/sandbox/sandbox_biller.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "adapters/sandbox/answers.h"
#include "adapters/sandbox/script.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "switch/core/check.h"

namespace waystation::adapters::sandbox {

struct Profile {
  std::string_view name;
  char reference_prefix;
  bool keeps_bill;  // owes an amount that follows from the customer number
  CapabilityCard (*card)();
};

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint64_t kMostLatencyMs = 60'000;
constexpr milliseconds kSlowAnswer{2'000};
constexpr milliseconds kTimeLimit{5'000};
// From the deadline to an approval that comes late.
constexpr milliseconds kLateBy{2'000};
constexpr int kMostTellings = 100;
// Longer than any deadline.
constexpr milliseconds kNever = std::chrono::hours(24 * 365);

constexpr std::string_view kPassed = "the deadline had passed before the request was sent";
constexpr std::string_view kNoAnswer = "no answer by the deadline";
constexpr std::string_view kScripted = "the sandbox lost the answer, as scripted";

CapabilityCard CommonCard() {
  CapabilityCard card;
  card.can_query = true;
  card.query_denial_is_final = true;
  card.time_limit = kTimeLimit;
  card.settling_time = milliseconds(0);  // it takes nothing up late
  return card;
}

CapabilityCard MobileCard() {
  CapabilityCard card = CommonCard();
  card.service = "mobile";
  card.inquiry = InquiryRule::kOptional;
  card.amount_rule = AmountRule::kFree;
  card.least = core::Money::Fen(2'000);
  card.most = core::Money::Fen(50'000);
  card.customer_number_pattern = R"(^1[3-9]\d{9}$)";
  card.customer_number_hint = "a mobile number: 11 digits, the first two 13 to 19";
  card.cancel = CancelRule::kSameDay;
  card.can_reverse = true;
  return card;
}

CapabilityCard ElectricityCard() {
  CapabilityCard card = CommonCard();
  card.service = "electricity";
  card.inquiry = InquiryRule::kOptional;
  card.amount_rule = AmountRule::kFree;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(500'000);
  card.customer_number_pattern = R"(^\d{10}$)";
  card.customer_number_hint = "a meter's customer number: 10 digits";
  card.cancel = CancelRule::kSameDay;
  card.can_reverse = true;
  card.issues_voucher = true;
  return card;
}

CapabilityCard GasCard() {
  CapabilityCard card = CommonCard();
  card.service = "gas";
  card.inquiry = InquiryRule::kRequired;
  card.amount_rule = AmountRule::kExact;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(1'000'000);
  card.customer_number_pattern = R"(^\d{8}$)";
  card.customer_number_hint = "a gas customer number: 8 digits";
  return card;
}

constexpr std::array<Profile, 3> kProfiles = {
    Profile{"mobile", 'M', false, MobileCard},
    Profile{"electricity", 'E', false, ElectricityCard},
    Profile{"gas", 'G', true, GasCard},
};

bool Passed(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

milliseconds PayDelay(PayScript script) {
  if (script == PayScript::kSilent || script == PayScript::kApprovedLate) return kNever;
  return script == PayScript::kApprovedSlowly ? kSlowAnswer : milliseconds(0);
}

// Waits as long as the answer takes, or until the deadline; whether the answer came in time.
asio::awaitable<bool> AnswerComes(std::chrono::microseconds delay, Deadline deadline) {
  if (delay.count() == 0) co_return true;
  const auto answer_at = std::chrono::steady_clock::now() + delay;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, std::min<Deadline>(answer_at, deadline));
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  co_return !cancelled && answer_at <= deadline;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> SandboxBiller::Create(const Settings& settings,
                                                                     const CardOverrides& overrides) {
  SettingsReader reader(settings);
  const std::string name = reader.Choice("profile", {kProfiles[0].name, kProfiles[1].name, kProfiles[2].name});
  const milliseconds latency(reader.Number("latency_ms", 0, kMostLatencyMs, 0));
  const uint64_t least_p99 = static_cast<uint64_t>(latency.count());
  const uint64_t most_p99 = least_p99 == 0 ? 0 : kMostLatencyMs;
  const milliseconds latency_p99(reader.Number("latency_ms_p99", least_p99, most_p99, least_p99));
  if (absl::Status status = reader.Finish(); !status.ok()) return status;

  const auto* profile =
      std::find_if(kProfiles.begin(), kProfiles.end(), [&name](const Profile& p) { return p.name == name; });
  WS_CHECK(profile != kProfiles.end(), "a choice that was checked");
  absl::StatusOr<CapabilityCard> card = WithOverrides(profile->card(), overrides);
  if (!card.ok()) return card.status();
  return std::unique_ptr<BillerAdapter>(new SandboxBiller(*profile, *std::move(card), latency, latency_p99));
}

std::chrono::microseconds SandboxBiller::Latency(std::string_view customer_number) const {
  return AnswerTime(customer_number, latency_, latency_p99_);
}

asio::awaitable<InquiryOutcome> SandboxBiller::Inquire(InquiryRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return NotSent{std::string(kPassed)};
  const bool in_time = co_await AnswerComes(Latency(request.customer_number), deadline);
  if (!in_time) co_return Unknown{std::string(kNoAnswer)};
  if (!ScriptFor(request.customer_number).has_account) co_return Declined{"14", "no such account"};
  co_return InquiryFound{MaskedName(request.customer_number),
                         profile_.keeps_bill ? AmountOwed(request.customer_number) : core::Money()};
}

asio::awaitable<PayOutcome> SandboxBiller::Pay(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return NotSent{std::string(kPassed)};
  const PayScript script = ScriptFor(request.customer_number).pay;
  if (script == PayScript::kNotSent) co_return NotSent{"the sandbox refused the connection, as scripted"};
  const bool in_time = co_await AnswerComes(Latency(request.customer_number) + PayDelay(script), deadline);
  if (script == PayScript::kApprovedLate && late_ != nullptr) {
    asio::co_spawn(co_await asio::this_coro::executor, ApproveLate(request), asio::detached);
  }
  if (!in_time) co_return Unknown{std::string(kNoAnswer)};
  co_return AnswerPay(request);
}

asio::awaitable<void> SandboxBiller::ApproveLate(PaymentRequest request) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  // There is nobody who would send it again.
  const auto recorded = std::make_shared<std::atomic<bool>>(false);
  for (int left = kMostTellings; left > 0 && !*recorded; --left) {
    timer.expires_after(kLateBy);
    boost::system::error_code cancelled;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled || *recorded) co_return;
    late_->OnLateApproval(request.station, request.payment_id, Approval(request),
                          [recorded](bool is) { *recorded = is; });
  }
}

asio::awaitable<QueryOutcome> SandboxBiller::Query(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{std::string(kPassed)};
  const bool in_time = co_await AnswerComes(Latency(request.customer_number), deadline);
  if (!in_time) co_return Unknown{std::string(kNoAnswer)};
  co_return AnswerQuery(request);
}

asio::awaitable<ReverseOutcome> SandboxBiller::Reverse(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{std::string(kPassed)};
  const bool in_time = co_await AnswerComes(Latency(request.customer_number), deadline);
  if (!in_time) co_return Unknown{std::string(kNoAnswer)};
  if (ScriptFor(request.customer_number).reverse == ReverseScript::kUnknown) co_return Unknown{std::string(kScripted)};
  co_return TakenBack{};
}

asio::awaitable<CancelOutcome> SandboxBiller::Cancel(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return NotSent{std::string(kPassed)};
  const bool in_time = co_await AnswerComes(Latency(request.customer_number), deadline);
  if (!in_time) co_return Unknown{std::string(kNoAnswer)};
  co_return AnswerCancel(request);
}

asio::awaitable<bool> SandboxBiller::Probe(Deadline deadline) {
  if (Passed(deadline)) co_return false;
  const bool in_time = co_await AnswerComes(latency_, deadline);
  co_return in_time;
}

PayOutcome SandboxBiller::AnswerPay(const PaymentRequest& request) const {
  switch (ScriptFor(request.customer_number).pay) {
    case PayScript::kDeclined: return Declined{"14", "account closed"};
    case PayScript::kNotSent:
    case PayScript::kUnknown:
    case PayScript::kApprovedLate:
    case PayScript::kSilent: return Unknown{std::string(kScripted)};
    case PayScript::kApproved:
    case PayScript::kApprovedSlowly: break;
  }
  if (!IsOwed(request)) return Declined{"13", "not the amount owed"};
  return Approval(request);
}

QueryOutcome SandboxBiller::AnswerQuery(const PaymentRequest& request) const {
  switch (ScriptFor(request.customer_number).query) {
    case QueryScript::kDeclined: return Declined{"14", "account closed"};
    case QueryScript::kNeverReceived: return NeverReceived{};
    case QueryScript::kUnknown: return Unknown{std::string(kScripted)};
    case QueryScript::kApprovedFromThird:
      if (request.earlier_attempts < 2) return Unknown{std::string(kScripted)};
      break;
    case QueryScript::kApproved: break;
  }
  if (!IsOwed(request)) return Declined{"13", "not the amount owed"};
  return Approval(request);
}

CancelOutcome SandboxBiller::AnswerCancel(const PaymentRequest& request) const {
  switch (ScriptFor(request.customer_number).cancel) {
    case CancelScript::kTakenBack: return TakenBack{};
    case CancelScript::kTakenBackFromSecond:
      if (request.earlier_attempts == 0) return Unknown{std::string(kScripted)};
      return TakenBack{};
    case CancelScript::kRefused: return Declined{"61", "used up already"};
    case CancelScript::kNoSuchPayment: return Declined{"25", "no such payment"};
    case CancelScript::kUnknown: break;
  }
  return Unknown{std::string(kScripted)};
}

Approved SandboxBiller::Approval(const PaymentRequest& request) const {
  return {BillerReference(profile_.reference_prefix, request.payment_id),
          card_.issues_voucher ? Voucher(request.customer_number, request.payment_id) : "",
          MaskedName(request.customer_number)};
}

bool SandboxBiller::IsOwed(const PaymentRequest& request) const {
  return !profile_.keeps_bill || request.amount == AmountOwed(request.customer_number);
}

}  // namespace waystation::adapters::sandbox
