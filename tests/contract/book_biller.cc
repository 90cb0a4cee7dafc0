#include "tests/contract/book_biller.h"

#include <stdexcept>

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

CapabilityCard TheCard() {
  CapabilityCard card;
  card.service = "water";
  card.inquiry = InquiryRule::kOptional;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(100'000);
  card.customer_number_pattern = "[0-9]{4}";
  card.customer_number_hint = "4 digits";
  card.cancel = CancelRule::kSameDay;
  card.can_query = true;
  card.can_reverse = true;
  card.query_denial_is_final = true;
  card.time_limit = milliseconds(10'000);
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

BookBiller::BookBiller(Plant plant, std::shared_ptr<Books> books, bool slow, bool unreachable)
    : plant_(plant), books_(std::move(books)), slow_(slow), unreachable_(unreachable), card_(TheCard()) {}

asio::awaitable<InquiryOutcome> BookBiller::Inquire(InquiryRequest request, Deadline deadline) {
  if (plant_ == Plant::kThrows) throw std::runtime_error("planted");
  if (Passed(deadline) || unreachable_) co_return NotSent{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  if (request.customer_number.ends_with("90")) co_return Declined{"14", "no such customer"};
  co_return InquiryFound{"王*", core::Money()};
}

asio::awaitable<PayOutcome> BookBiller::Silence(Deadline deadline) const {
  const bool ignores = plant_ == Plant::kIgnoresTheDeadline;
  const bool early = plant_ == Plant::kGivesUpEarly;
  co_await WaitUntil(deadline + (ignores ? kNever : early ? milliseconds(-200) : milliseconds(0)));
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
  const std::optional<Approved> approved = Enter(request);
  if (!approved) co_return Declined{"61", "taken back"};
  if (Ends(request, "92")) {
    if (plant_ == Plant::kDeclinesWhatWasLost) co_return Declined{"99", "lost"};
    co_return Unknown{"the answer was lost"};
  }
  if (Ends(request, "88")) {
    co_await WaitUntil(deadline);
    if (plant_ != Plant::kLosesLateApprovals) {
      late_->OnLateApproval(request.station, request.payment_id, *approved, [](bool) {});
    }
    co_return Unknown{"no answer"};
  }
  co_return *approved;
}

std::optional<Approved> BookBiller::Enter(const PaymentRequest& request) {
  const std::scoped_lock lock(books_->mutex);
  Entry& entry = books_->entries[request.payment_id];
  if (entry.refused) return std::nullopt;
  const bool again = entry.effects > 0;
  const bool doubles = plant_ == Plant::kDoublesTheEffect || plant_ == Plant::kDoublesInTheBooks;
  if (!again || doubles) ++entry.effects;
  if (!again || plant_ == Plant::kDoublesTheEffect) entry.reference = fmt::format("R{}", ++books_->references);
  return Approved{plant_ == Plant::kApprovesWithoutReference ? "" : entry.reference, "", ""};
}

QueryOutcome BookBiller::Find(const PaymentRequest& request) {
  const std::scoped_lock lock(books_->mutex);
  const auto found = books_->entries.find(request.payment_id);
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
  const auto found = books_->entries.find(request.payment_id);
  const bool has = found != books_->entries.end();
  if (!has && plant_ == Plant::kRefusesUnknownReversals) return false;
  if (!has && plant_ == Plant::kForgetsReversals) return true;
  Entry& entry = books_->entries[request.payment_id];
  entry.effects = 0;
  entry.refused = true;
  return true;
}

asio::awaitable<QueryOutcome> BookBiller::Query(PaymentRequest request, Deadline deadline) {
  if (unreachable_ && plant_ == Plant::kUnreachableDenies) co_return NeverReceived{};
  if (Passed(deadline) || unreachable_) co_return Unknown{"there was no time, or no way"};
  if (slow_) co_await WaitUntil(deadline);
  if (slow_) co_return Unknown{"no answer"};
  co_return Find(request);
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
  if (Ends(request, "97")) co_return Declined{"61", "used up already"};
  TakeBack(request);
  co_return TakenBack{};
}

asio::awaitable<bool> BookBiller::Probe(Deadline deadline) {
  if (slow_ && !Passed(deadline)) co_await WaitUntil(deadline);
  co_return !slow_ && !unreachable_ && !Passed(deadline);
}

conformance::Target BookBillerTarget(Plant plant) {
  const auto books = std::make_shared<BookBiller::Books>();
  conformance::Target target = RegisteredTarget("", {}, R"(
      good 1001
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
      )");
  target.make = [plant, books](const Settings& extra) {
    return std::make_unique<BookBiller>(plant, books, extra.contains("slow"), extra.contains("unreachable"));
  };
  target.effects = [books](core::PaymentId payment) {
    const std::scoped_lock lock(books->mutex);
    const auto found = books->entries.find(payment);
    return found == books->entries.end() ? 0 : found->second.effects;
  };
  target.patience = milliseconds(1'000);
  target.silence_limit = milliseconds(300);
  target.late_limit = milliseconds(2'000);
  return target;
}

}  // namespace waystation::adapters
