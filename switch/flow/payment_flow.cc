#include "switch/flow/payment_flow.h"

#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"
#include "switch/flow/outcome.h"
#include "switch/flow/payment_log.h"

namespace waystation::flow {

namespace asio = boost::asio;

namespace {

using core::DeclineReason;
using core::FormatYuan;

core::Decline Because(DeclineReason reason, std::string text) {
  return {reason, "", std::move(text)};
}

std::optional<core::Decline> InquiryDecline(const adapters::CapabilityCard& card, const InquiryProof& inquiry) {
  switch (inquiry.standing) {
    case InquiryProof::Standing::kNone:
      if (card.inquiry != adapters::InquiryRule::kRequired) return std::nullopt;
      return Because(DeclineReason::kInquiryRequired, "this biller needs an inquiry first; expected its inquiry_token");
    case InquiryProof::Standing::kMismatch:
      return Because(
          DeclineReason::kInquiryMismatch,
          "the inquiry_token is of another station, biller or customer; expected that of this one's inquiry");
    case InquiryProof::Standing::kExpired:
      return Because(DeclineReason::kInquiryExpired, "the inquiry_token has expired; inquire again");
    case InquiryProof::Standing::kValid: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<core::Decline> TooLarge(const adapters::CapabilityCard& card, core::Money amount) {
  if (amount <= card.most) return std::nullopt;
  return Because(DeclineReason::kAmountTooLarge,
                 fmt::format("{} yuan; expected at most {}", FormatYuan(amount), FormatYuan(card.most)));
}

std::optional<core::Decline> RangeDecline(const adapters::CapabilityCard& card, core::Money amount) {
  if (amount < card.least) {
    return Because(DeclineReason::kAmountTooSmall,
                   fmt::format("{} yuan; expected at least {}", FormatYuan(amount), FormatYuan(card.least)));
  }
  if (std::optional<core::Decline> decline = TooLarge(card, amount)) return decline;
  if (amount.fen() % card.step.fen() != 0) {
    return Because(DeclineReason::kAmountNotInStep,
                   fmt::format("{} yuan; expected a multiple of {}", FormatYuan(amount), FormatYuan(card.step)));
  }
  return std::nullopt;
}

std::optional<core::Decline> OwedDecline(adapters::AmountRule rule, core::Money amount, const InquiryProof& inquiry) {
  if (inquiry.standing != InquiryProof::Standing::kValid) return std::nullopt;
  switch (rule) {
    case adapters::AmountRule::kFree: return std::nullopt;
    case adapters::AmountRule::kAtLeastOwed:
      if (amount >= inquiry.owed) return std::nullopt;
      return Because(DeclineReason::kAmountNotOwed, fmt::format("{} yuan is less than the bill; expected at least {}",
                                                                FormatYuan(amount), FormatYuan(inquiry.owed)));
    case adapters::AmountRule::kExact:
      if (amount == inquiry.owed) return std::nullopt;
      return Because(DeclineReason::kAmountNotOwed, fmt::format("{} yuan is not the bill; expected exactly {}",
                                                                FormatYuan(amount), FormatYuan(inquiry.owed)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<core::Decline> CardDecline(const adapters::CapabilityCard& card, const PayOrder& order) {
  if (std::optional<core::Decline> decline = InquiryDecline(card, order.inquiry)) return decline;
  if (std::optional<core::Decline> decline = RangeDecline(card, order.amount)) return decline;
  return OwedDecline(card.amount_rule, order.amount, order.inquiry);
}

std::optional<core::Decline> BillDecline(const adapters::CapabilityCard& card, core::Money owed) {
  switch (card.amount_rule) {
    case adapters::AmountRule::kFree: return std::nullopt;
    case adapters::AmountRule::kAtLeastOwed: return TooLarge(card, owed);
    case adapters::AmountRule::kExact: return RangeDecline(card, owed);
  }
  return std::nullopt;
}

PaymentFlow::PaymentFlow(Worker* worker, storage::Sequencer* sequencer, const Router* router, ResolverSchedule schedule,
                         size_t max_in_progress)
    : worker_(worker),
      sequencer_(sequencer),
      router_(router),
      max_in_progress_(max_in_progress),
      board_(worker),
      resolver_(worker, sequencer, router, &board_, schedule) {}

absl::Status PaymentFlow::TooMany() {
  return absl::ResourceExhaustedError(
      "too many requests in progress; nothing was done: send the same request again shortly");
}

namespace {

bool CountUpTo(size_t most, std::atomic<size_t>& count) {
  if (count.fetch_add(1, std::memory_order_relaxed) < most) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

bool PaymentFlow::AdmitToPay() {
  if (!CountUpTo(core::kMaxOrdersWaiting, not_begun_)) return false;
  if (CountUpTo(max_in_progress_, *in_progress_)) return true;
  not_begun_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

bool PaymentFlow::TakesOrders() const {
  return not_begun_.load(std::memory_order_relaxed) < core::kMaxOrdersWaiting && in_progress() < max_in_progress_;
}

void PaymentFlow::Pay(PayOrder order, Answer answer) {
  if (!AdmitToPay()) return answer({TooMany(), {}, {}});
  order.arrived = worker_->clock().Steady();
  worker_->Post([this, payment = RunPay(std::move(order), std::move(answer))]() mutable {
    waiting_.push_back(std::move(payment));
    BeginWaiting();
  });
}

size_t PaymentFlow::Pay(absl::Span<std::pair<PayOrder, Answer>> orders) {
  std::vector<asio::awaitable<void>> admitted;
  admitted.reserve(orders.size());
  const core::SteadyTime now = worker_->clock().Steady();
  for (auto& [order, answer] : orders) {
    if (!AdmitToPay()) break;
    order.arrived = now;
    admitted.push_back(RunPay(std::move(order), std::move(answer)));
  }
  const size_t taken = admitted.size();
  if (taken == 0) return 0;
  worker_->Post([this, admitted = std::move(admitted)]() mutable {
    for (asio::awaitable<void>& payment : admitted) waiting_.push_back(std::move(payment));
    BeginWaiting();
  });
  return taken;
}

void PaymentFlow::BeginWaiting() {
  while (!waiting_.empty() && holds_under_way_ < core::kMaxHoldsUnderWay) {
    asio::awaitable<void> payment = std::move(waiting_.front());
    waiting_.pop_front();
    not_begun_.fetch_sub(1, std::memory_order_relaxed);
    worker_->Spawn(std::move(payment));
  }
}

void PaymentFlow::Cancel(CancelOrder order, Answer answer) {
  if (!CountUpTo(max_in_progress_, *in_progress_)) return answer({TooMany(), {}, {}});
  worker_->PostSpawn(RunCancel(std::move(order), std::move(answer)));
}

void PaymentFlow::Inquire(InquiryOrder order, InquiryAnswer answer) {
  if (!CountUpTo(max_in_progress_ + core::kInquiriesBeyond, *in_progress_)) return answer({TooMany(), {}, {}});
  // A customer stands at the counter, and nothing is written for him: before the payments that wait.
  worker_->PostFirst([this, inquiry = RunInquire(std::move(order), std::move(answer))]() mutable {
    worker_->Spawn(std::move(inquiry));
  });
}

namespace {

// Counts an order as in progress for as long as its coroutine runs.
class InProgress {
 public:
  explicit InProgress(std::shared_ptr<std::atomic<size_t>> count) : count_(std::move(count)) {}
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;
  ~InProgress() { count_->fetch_sub(1, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<std::atomic<size_t>> count_;
};

// What a coroutine makes on its way lies in its frame for as long as it runs, so these are functions of their own.

void Refuse(PaymentFlow::Answer& answer, absl::Status status) {
  answer({std::move(status), {}, {}});
}

core::Command HoldFor(PayOrder& order, std::optional<core::Decline> found) {
  return core::AcceptPayment{.station = order.station,
                             .operator_id = std::move(order.operator_id),
                             .request_id = std::move(order.request_id),
                             .biller_id = std::move(order.biller_id),
                             .customer_number = std::move(order.customer_number),
                             .customer_name = std::move(order.inquiry.customer_name),
                             .amount = order.amount,
                             .presented = std::move(found),
                             .refuse_new = std::move(order.refuse_new)};
}

void SetOutcome(core::Command& command, core::PaymentId id, adapters::PayOutcome outcome) {
  command = PayOutcomeFor(id, std::move(outcome));
}

}  // namespace

asio::awaitable<void> PaymentFlow::RunPay(PayOrder order, Answer answer) {
  InProgress in_progress(in_progress_);
  BillerLane* lane = router_->Find(order.biller_id);
  WS_CHECK(lane != nullptr, "the edge lets no unknown biller through");
  BillerLane::Entry entry = co_await lane->Enter(*worker_, order.answer_by);
  if (!entry.place.has_value() && !entry.out_of_service.has_value()) {
    Refuse(answer, TooMany());
    co_return;
  }
  StageTimes times(&stages_, &worker_->clock(), order.arrived);
  times.EndAt(Stage::kQueue, entry.at);
  std::optional<core::Decline> found =
      entry.out_of_service.has_value() ? std::move(entry.out_of_service) : CardDecline(lane->card(), order);

  // Hold: nothing leaves for the biller before this is durable.
  storage::Ticket ticket{.command = HoldFor(order, std::move(found)), .on_reply = {}, .reply = {}};
  ++holds_under_way_;
  co_await TryCommit(*sequencer_, *worker_, ticket);
  --holds_under_way_;
  BeginWaiting();
  if (!ticket.reply.status.ok()) {
    Refuse(answer, std::move(ticket.reply.status));
    co_return;
  }
  times.End(Stage::kCommit);
  const core::Payment& held = std::get<core::Payment>(ticket.reply.value);
  LogStep(ticket.reply.repeated ? "asked for again" : "accepted", held, order.trace);
  const bool send = !ticket.reply.repeated && held.state == core::PaymentState::kHeld;
  if (!send) times.EndAll();
  WaitFor(held, order.answer_by, std::move(answer));
  if (!send) co_return;

  // Send: once, and never again.
  adapters::PayOutcome outcome = co_await lane->Pay(*worker_, held, *std::move(entry.place), order.trace);
  times.End(Stage::kBiller);

  // Record what came of it; the answer leaves once that is durable.
  SetOutcome(ticket.command, held.id, std::move(outcome));
  co_await Commit(*sequencer_, *worker_, ticket);
  WS_CHECK(ticket.reply.status.ok(), std::string(ticket.reply.status.message()));
  times.End(Stage::kCommit);
  times.EndAll();
  Settle(std::get<core::Payment>(std::move(ticket.reply.value)), order.trace);
}

asio::awaitable<void> PaymentFlow::RunCancel(CancelOrder order, Answer answer) {
  InProgress in_progress(in_progress_);
  BillerLane* lane = router_->Find(order.biller_id);
  core::StartCancel start{.station = order.station,
                          .operator_id = std::move(order.operator_id),
                          .payment_id = order.payment_id,
                          .presented = std::nullopt,
                          .refuse_new = std::move(order.refuse_new)};
  if (lane == nullptr || lane->card().cancel == adapters::CancelRule::kNone) {
    start.presented = Because(DeclineReason::kCancelNotSupported,
                              "this biller takes nothing back; back office can adjust it with the biller's reference");
  }
  BillerLane::Entry entry;
  if (!start.presented.has_value()) {
    entry = co_await lane->Enter(*worker_, order.answer_by);
    if (!entry.place.has_value() && !entry.out_of_service.has_value()) {
      answer({TooMany(), {}, {}});
      co_return;
    }
    start.presented = std::move(entry.out_of_service);
  }
  core::Reply started = co_await TryCommit(*sequencer_, *worker_, std::move(start));
  if (!started.status.ok()) {
    answer({std::move(started.status), {}, {}});
    co_return;
  }
  core::Payment payment = std::get<core::Payment>(std::move(started.value));
  LogStep(started.decline.has_value() ? "its cancel is declined" : "to be cancelled", payment, order.trace);
  if (started.decline.has_value()) {
    answer({absl::OkStatus(), std::move(payment), std::move(started.decline)});
    co_return;
  }
  WaitFor(payment, order.answer_by, std::move(answer));
  if (started.repeated) co_return;

  adapters::CancelOutcome outcome = co_await lane->Cancel(*worker_, payment, 0, *std::move(entry.place), order.trace);
  std::optional<core::RecordOutcome> record = CancelOutcomeFor(payment.id, outcome, CancelRepeat::kNo);
  if (!record.has_value()) {
    Settle(std::move(payment), order.trace);
    co_return;
  }
  core::Reply recorded = co_await Commit(*sequencer_, *worker_, *std::move(record));
  WS_CHECK(recorded.status.ok(), std::string(recorded.status.message()));
  Settle(std::get<core::Payment>(std::move(recorded.value)), order.trace);
}

asio::awaitable<void> PaymentFlow::RunInquire(InquiryOrder order, InquiryAnswer answer) {
  InProgress in_progress(in_progress_);
  BillerLane* lane = router_->Find(order.biller_id);
  WS_CHECK(lane != nullptr, "the edge lets no unknown biller through");
  BillerLane::Entry entry = co_await lane->Enter(*worker_, worker_->clock().Steady() + core::kMaxPlaceWait);
  if (!entry.place.has_value() && !entry.out_of_service.has_value()) {
    answer({TooMany(), {}, {}});
    co_return;
  }
  core::AdmitInquiry admit{order.station, order.biller_id};
  core::Reply admitted = co_await TryCommit(*sequencer_, *worker_, std::move(admit));
  if (!admitted.decline.has_value()) admitted.decline = std::move(entry.out_of_service);
  if (!admitted.status.ok() || admitted.decline.has_value()) {
    answer({std::move(admitted.status), std::move(admitted.decline), {}});
    co_return;
  }
  adapters::InquiryRequest request{order.station, std::move(order.customer_number), order.trace};
  adapters::InquiryOutcome outcome = co_await lane->Inquire(*worker_, std::move(request), *std::move(entry.place));
  if (auto* found = std::get_if<adapters::InquiryFound>(&outcome)) {
    // A bill that Pay would not take: said now, before the customer gives cash.
    std::optional<core::Decline> decline = BillDecline(lane->card(), found->owed);
    answer({absl::OkStatus(), std::move(decline), std::move(*found)});
    co_return;
  }
  // Only a refusal is the biller's word. An inquiry changes nothing, so it does not matter whether it arrived.
  core::Decline decline{.reason = DeclineReason::kBillerOutOfService, .biller_code = {}, .text = {}};
  if (const auto* declined = std::get_if<adapters::Declined>(&outcome)) {
    decline = {DeclineReason::kBillerDeclined, declined->biller_code, declined->text};
  } else if (const auto* not_sent = std::get_if<adapters::NotSent>(&outcome)) {
    decline.text = not_sent->cause;
  } else {
    decline.text = std::get<adapters::Unknown>(outcome).cause;
  }
  decline.biller_code = core::CutToUtf8(decline.biller_code, core::kMaxBillerCodeBytes);
  decline.text = core::CutToUtf8(decline.text, core::kMaxReasonBytes);
  LogInquiry(order.station, lane->biller_id(), decline, order.trace);
  answer({absl::OkStatus(), std::move(decline), {}});
}

void PaymentFlow::LateApproval(const std::string& biller_id, core::PaymentId id, adapters::Approved approved,
                               Answer done) {
  BillerLane* lane = router_->Find(biller_id);
  WS_CHECK(lane != nullptr, "a late approval comes from a biller that is configured");
  std::optional<BillerLane::Place> place = lane->EnterLateApproval();
  if (!place.has_value() || !CountUpTo(max_in_progress_, *in_progress_)) return done({TooMany(), {}, {}});
  worker_->PostSpawn(RunLateApproval(biller_id, id, std::move(approved), *std::move(place), std::move(done)));
}

asio::awaitable<void> PaymentFlow::RunLateApproval(std::string biller_id, core::PaymentId id,
                                                   adapters::Approved approved, BillerLane::Place /*place*/,
                                                   Answer done) {
  InProgress in_progress(in_progress_);
  core::RecordOutcome record = ApprovedOutcome(id, std::move(approved));
  record.event = core::PaymentEvent::kLateApproval;
  record.biller_id = std::move(biller_id);
  core::Reply reply = co_await TryCommit(*sequencer_, *worker_, record);
  core::Payment* payment = std::get_if<core::Payment>(&reply.value);
  // The flow has not written down yet that its own request went unanswered: this comes right after.
  while (payment != nullptr && payment->state == core::PaymentState::kHeld) {
    co_await WaitUntil(*worker_, worker_->clock().Steady() + core::kLateApprovalRetry);
    reply = co_await TryCommit(*sequencer_, *worker_, record);
    payment = std::get_if<core::Payment>(&reply.value);
  }
  if (payment == nullptr) {
    done({std::move(reply.status), {}, {}});
    co_return;
  }
  board_.Publish(*payment);
  resolver_.OnMoved(*payment);
  done({std::move(reply.status), std::move(*payment), {}});
}

void PaymentFlow::WaitFor(const core::Payment& payment, WaitBoard::TimePoint answer_by, Answer answer) {
  board_.Wait(payment, answer_by, [answer = std::move(answer)](core::Payment&& reached) mutable {
    answer({absl::OkStatus(), std::move(reached), std::nullopt});
  });
}

void PaymentFlow::Settle(core::Payment&& payment, const core::TraceContext& trace) {
  LogReached(payment, trace, core::LogLevel::kDebug);
  if (HasSettled(payment.state)) {
    board_.Publish(std::move(payment));
    return;
  }
  board_.Publish(payment);
  resolver_.Adopt(std::move(payment), trace);
}

}  // namespace waystation::flow
