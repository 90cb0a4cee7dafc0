#include "tests/contract/book_biller.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"
#include "tests/contract/registered.h"

namespace waystation::adapters {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds kNever = std::chrono::hours(1);
constexpr milliseconds kAMoment{20};
constexpr milliseconds kSettlingTime{100};
constexpr core::Money kBill = core::Money::Fen(12'345);

CapabilityCard TheCard(Plant plant, Bills bills) {
  CapabilityCard card;
  card.service = plant == Plant::kCardIsWrong ? "telephone" : "water";
  card.inquiry = InquiryRule::kOptional;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(100'000);
  card.customer_number_pattern = "[0-9]{4}";
  card.customer_number_hint = "4 digits";
  card.cancel = CancelRule::kSameDay;
  card.can_query = true;
  card.can_reverse = true;
  card.query_denial_is_final = true;
  card.settling_time = kSettlingTime;
  card.time_limit = milliseconds(10'000);
  if (bills == Bills::kPaidOnce) {
    card.inquiry = InquiryRule::kRequired;
    card.amount_rule = AmountRule::kExact;
  }
  return card;
}

bool Ends(const PaymentRequest& request, std::string_view ending) {
  return request.customer_number.ends_with(ending);
}

bool Passed(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

asio::awaitable<void> WaitUntil(Deadline time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

}  // namespace

BookBiller::BookBiller(Plant plant, Bills bills, std::shared_ptr<Books> books, bool slow, bool unreachable)
    : plant_(plant),
      bills_(bills),
      books_(std::move(books)),
      slow_(slow),
      unreachable_(unreachable),
      card_(TheCard(plant, bills)) {}

asio::awaitable<InquiryOutcome> BookBiller::Inquire(InquiryRequest request, Deadline deadline) {
  if (plant_ == Plant::kThrows) throw std::runtime_error("planted");
  if (Passed(deadline) || unreachable_) co_return NotSent{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  if (request.customer_number.ends_with("90")) co_return Declined{"14", "no such customer"};
  co_return InquiryFound{"王*", Owed(request.customer_number)};
}

asio::awaitable<PayOutcome> BookBiller::Silence(Deadline deadline) const {
  milliseconds after{0};
  if (plant_ == Plant::kIgnoresTheDeadline) after = kNever;
  if (plant_ == Plant::kGivesUpEarly) after = milliseconds(-200);
  if (plant_ == Plant::kAnswersLate) after = milliseconds(1'000);
  co_await WaitUntil(deadline + after);
  if (plant_ == Plant::kFreesOnATimeOut) co_return NotSent{"no answer"};
  co_return Unknown{"no answer"};
}

asio::awaitable<PayOutcome> BookBiller::Pay(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline) && plant_ == Plant::kSendsAfterTheDeadline) Enter(request);
  if (unreachable_ && plant_ == Plant::kUnreachableIsUnknown) co_return Unknown{"connection refused"};
  if (Passed(deadline) || unreachable_ || Ends(request, "91")) co_return NotSent{"there was no time, or no way"};
  if (Ends(request, "90")) co_return Declined{"14", "no such customer"};
  if (slow_ || Ends(request, "96")) {
    PayOutcome outcome = co_await Silence(deadline);
    co_return outcome;
  }
  if (Ends(request, "93")) co_return Unknown{"lost on the way"};
  const bool right_amount = bills_ == Bills::kNone || Has(request) || request.amount == Owed(request.customer_number);
  if (!right_amount && plant_ != Plant::kTakesAnyAmount) co_return Declined{"13", "not what is owed"};
  bool taken_for_new = false;
  if (plant_ == Plant::kDoublesAtOnce) {
    taken_for_new = !Has(request);
    co_await WaitUntil(std::chrono::steady_clock::now() + kAMoment);
  }
  const std::optional<Approved> approved = Enter(request, taken_for_new);
  if (!approved) co_return Declined{"61", "taken back"};
  if (Ends(request, "92")) {
    if (plant_ == Plant::kDeclinesWhatWasLost) co_return Declined{"99", "lost"};
    co_return Unknown{"the answer was lost"};
  }
  if (Ends(request, "88")) {
    co_await WaitUntil(deadline);
    if (plant_ != Plant::kLosesLateApprovals) {
      asio::co_spawn(co_await asio::this_coro::executor, TellLate(request, *approved), asio::detached);
    }
    co_return Unknown{"no answer"};
  }
  if (plant_ == Plant::kSwapsReferences) {
    co_await WaitUntil(std::chrono::steady_clock::now() + kAMoment);
    const std::scoped_lock lock(books_->mutex);
    co_return Approved{books_->latest_reference, "", ""};
  }
  co_return *approved;
}

asio::awaitable<void> BookBiller::TellLate(PaymentRequest request, Approved approved) {
  if (plant_ == Plant::kTellsAnotherLateApproval) approved.biller_reference += "0";
  const auto recorded = std::make_shared<std::atomic<bool>>(false);
  do {
    co_await WaitUntil(std::chrono::steady_clock::now() + kAMoment);
    late_->OnLateApproval(request.station, request.payment_id, approved, [recorded](bool is) { *recorded = is; });
  } while (!*recorded && plant_ != Plant::kTellsLateApprovalsOnce);
}

asio::awaitable<void> BookBiller::EnterLater(PaymentRequest request) {
  co_await WaitUntil(std::chrono::steady_clock::now() + kAMoment);
  Enter(request);
}

core::PaymentId BookBiller::Key(Plant plant, core::PaymentId payment) {
  constexpr uint64_t kKept = 1'000'000'000'000;
  return plant == Plant::kCutsTheId ? core::PaymentId::FromNumber(payment.number() % kKept) : payment;
}

bool BookBiller::Has(const PaymentRequest& request) const {
  const std::scoped_lock lock(books_->mutex);
  return books_->entries.contains(Key(plant_, request.payment_id));
}

core::Money BookBiller::Owed(const std::string& customer_number) const {
  if (bills_ == Bills::kNone) return core::Money();
  const std::scoped_lock lock(books_->mutex);
  const bool paid = std::any_of(books_->entries.begin(), books_->entries.end(), [&](const auto& entry) {
    return entry.second.customer == customer_number && entry.second.effects > 0;
  });
  return paid ? core::Money() : kBill;
}

std::optional<Approved> BookBiller::Enter(const PaymentRequest& request, bool taken_for_new) {
  const std::scoped_lock lock(books_->mutex);
  Entry& entry = books_->entries[Key(plant_, request.payment_id)];
  if (entry.refused) return std::nullopt;
  entry.customer = request.customer_number;
  const bool again = entry.effects > 0 && !taken_for_new;
  const bool doubles = plant_ == Plant::kDoublesTheEffect || plant_ == Plant::kDoublesInTheBooks;
  if (!again || doubles) ++entry.effects;
  if (!again || plant_ == Plant::kDoublesTheEffect) entry.reference = fmt::format("R{}", ++books_->references);
  books_->latest_reference = entry.reference;
  return Approved{plant_ == Plant::kApprovesWithoutReference ? "" : entry.reference, "", ""};
}

QueryOutcome BookBiller::Find(const PaymentRequest& request) {
  const std::scoped_lock lock(books_->mutex);
  const auto found = books_->entries.find(Key(plant_, request.payment_id));
  const bool has = found != books_->entries.end() && found->second.effects > 0;
  if (plant_ == Plant::kApprovesWhatItNeverSaw && !has) return Approved{"R0", "", ""};
  if (plant_ == Plant::kDeniesWhatItHas) return NeverReceived{};
  if (found != books_->entries.end() && found->second.refused) return Declined{"61", "taken back"};
  if (has) return Approved{found->second.reference, "", ""};
  return NeverReceived{};
}

bool BookBiller::TakeBack(const PaymentRequest& request) {
  if (plant_ == Plant::kReversesInWordsAlone) return true;
  const std::scoped_lock lock(books_->mutex);
  const auto found = books_->entries.find(Key(plant_, request.payment_id));
  const bool has = found != books_->entries.end();
  if (!has && plant_ == Plant::kRefusesUnknownReversals) return false;
  if (!has && plant_ == Plant::kForgetsReversals) return true;
  Entry& entry = books_->entries[Key(plant_, request.payment_id)];
  entry.effects = 0;
  entry.refused = true;
  return true;
}

asio::awaitable<QueryOutcome> BookBiller::Query(PaymentRequest request, Deadline deadline) {
  if (unreachable_ && plant_ == Plant::kUnreachableDenies) co_return NeverReceived{};
  if (Passed(deadline) || unreachable_) co_return Unknown{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  const QueryOutcome found = Find(request);
  if (plant_ == Plant::kEntersAfterADenial && Ends(request, "96") && std::holds_alternative<NeverReceived>(found)) {
    asio::co_spawn(co_await asio::this_coro::executor, EnterLater(request), asio::detached);
  }
  co_return found;
}

asio::awaitable<ReverseOutcome> BookBiller::Reverse(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline) || unreachable_) co_return Unknown{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  if (!TakeBack(request)) co_return Declined{"25", "no such payment"};
  co_return TakenBack{};
}

asio::awaitable<CancelOutcome> BookBiller::Cancel(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline) || unreachable_) co_return NotSent{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  if (Ends(request, "97")) {
    if (plant_ == Plant::kCancelsWhatItDeclines) TakeBack(request);
    co_return Declined{"61", "used up already"};
  }
  TakeBack(request);
  co_return TakenBack{};
}

asio::awaitable<bool> BookBiller::Probe(Deadline deadline) {
  if (slow_ && !Passed(deadline)) co_await WaitUntil(deadline);
  co_return plant_ != Plant::kProbeFindsNobody && !slow_ && !unreachable_ && !Passed(deadline);
}

conformance::Target BookBillerTarget(Plant plant, Bills bills, int good) {
  const auto books = std::make_shared<BookBiller::Books>();
  std::string scenario = R"(
      no_account 1090
      declined 1090
      not_sent 1091
      unknown_effect 1092
      unknown_no_effect 1093
      silent 1096
      late 1088
      cancel_refused 1097
      slow slow=yes
      unreachable unreachable=yes
      )";
  for (int i = 0; i < good; ++i) scenario += fmt::format("good {}\n", 1001 + i);
  conformance::Target target = RegisteredTarget("", {}, scenario);
  target.make = [plant, bills, books](const Settings& extra) {
    return std::make_unique<BookBiller>(plant, bills, books, extra.contains("slow"), extra.contains("unreachable"));
  };
  target.effects = [plant, books](core::PaymentId payment) {
    const std::scoped_lock lock(books->mutex);
    const auto found = books->entries.find(BookBiller::Key(plant, payment));
    return found == books->entries.end() ? 0 : found->second.effects;
  };
  target.restart = [plant, books] {
    const std::scoped_lock lock(books->mutex);
    if (plant == Plant::kForgetsAtARestart) books->entries.clear();
    return absl::OkStatus();
  };
  target.patience = milliseconds(2'000);
  target.silence_limit = milliseconds(300);
  target.late_limit = milliseconds(2'000);
  target.restart_limit = milliseconds(200);
  target.denial_watch = milliseconds(500);
  return target;
}

}  // namespace waystation::adapters
