#include "tests/sim/biller.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "boost/asio/associated_executor.hpp"
#include "boost/asio/async_result.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace waystation::sim {

namespace asio = boost::asio;

std::string_view Name(Operation operation) {
  switch (operation) {
    case Operation::kInquire: return "inquiry";
    case Operation::kPay: return "pay";
    case Operation::kQuery: return "query";
    case Operation::kReverse: return "reverse";
    case Operation::kCancel: return "cancel";
    case Operation::kProbe: return "probe";
  }
  return "";
}

namespace {

std::string_view NameOf(const Biller::Answer& answer) {
  struct Visitor {
    std::string_view operator()(const adapters::InquiryFound&) const { return "found"; }
    std::string_view operator()(const adapters::Approved&) const { return "approved"; }
    std::string_view operator()(const adapters::Declined&) const { return "declined"; }
    std::string_view operator()(const adapters::NotSent&) const { return "not sent"; }
    std::string_view operator()(const adapters::Unknown&) const { return "unknown"; }
    std::string_view operator()(const adapters::NeverReceived&) const { return "never heard of it"; }
    std::string_view operator()(const adapters::TakenBack&) const { return "taken back"; }
  };
  if (std::holds_alternative<bool>(answer)) return "here";
  return std::visit(
      [](const auto& outcome) -> std::string_view {
        if constexpr (std::is_same_v<std::decay_t<decltype(outcome)>, bool>) {
          return "";
        } else {
          return std::visit(Visitor(), outcome);
        }
      },
      answer);
}

// Null: the operation has no such answer.
std::optional<Biller::Answer> NotSentOf(Operation operation) {
  const adapters::NotSent not_sent{"connection refused"};
  switch (operation) {
    case Operation::kInquire: return adapters::InquiryOutcome(not_sent);
    case Operation::kPay: return adapters::PayOutcome(not_sent);
    case Operation::kCancel: return adapters::CancelOutcome(not_sent);
    case Operation::kQuery:
    case Operation::kReverse:
    case Operation::kProbe: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Biller::Biller(std::string id, adapters::CapabilityCard card, EventQueue* events, Random* random, Report* report,
               std::chrono::milliseconds slowest_request)
    : id_(std::move(id)),
      card_(std::move(card)),
      events_(events),
      random_(random),
      report_(report),
      slowest_request_(slowest_request) {}

void Biller::GoDown(std::chrono::milliseconds time) {
  report_->Trace(id_, "is down for {} ms", time.count());
  down_until_ = events_->now() + time;
}

void Biller::Send(Operation operation, const adapters::PaymentRequest& request, OnAnswer on_answer) {
  const std::optional<Answer> not_sent = NotSentOf(operation);
  if (not_sent.has_value() && (random_->Chance(trouble_.not_sent) || (IsDown() && random_->Chance(500)))) {
    events_->After(random_->Millis(0, 20),
                   [on_answer = std::move(on_answer), answer = *not_sent] { on_answer(answer); });
    return;
  }
  if (IsDown() || random_->Chance(trouble_.lost_requests)) {
    report_->Trace(id_, "{} {} is lost", Name(operation), request.payment_id.number());
    return;
  }
  std::chrono::milliseconds on_its_way = random_->Millis(1, 30);
  if (random_->Chance(trouble_.slow_requests)) {
    // Often for nearly as long as can be: what is decided by then is decided too early.
    const int64_t slowest = slowest_request_.count();
    on_its_way = random_->Millis(random_->Chance(500) ? 1 : std::max<int64_t>(1, slowest - 200), slowest);
  }
  events_->After(on_its_way, [this, operation, request, on_answer = std::move(on_answer)] {
    const Answer answer = Process(operation, request);
    const bool lost = IsDown() || random_->Chance(trouble_.lost_answers);
    report_->Trace(id_, "{} {}: {}{}", Name(operation), request.payment_id.number(), NameOf(answer),
                   lost ? ", an answer that is lost" : "");
    if (lost) return;
    std::chrono::milliseconds takes = random_->Millis(1, 60);
    if (random_->Chance(trouble_.late_answers)) takes = random_->Millis(1, 2 * card_.time_limit.count());
    events_->After(takes, [on_answer, answer] { on_answer(answer); });
    if (random_->Chance(trouble_.twice)) {
      events_->After(takes + random_->Millis(0, 500), [on_answer, answer] { on_answer(answer); });
    }
  });
}

Biller::Answer Biller::Process(Operation operation, const adapters::PaymentRequest& request) {
  const adapters::Declined refused{"9", "kept"};
  switch (operation) {
    case Operation::kInquire: return adapters::InquiryOutcome(adapters::InquiryFound{"Z**", request.amount});
    case Operation::kPay: return Pay(request, &books_[request.payment_id]);
    case Operation::kQuery: return Query(request, books_[request.payment_id]);
    case Operation::kReverse: return Reverse(request, &books_[request.payment_id]);
    case Operation::kCancel:
      if (!TakeBack(request, &books_[request.payment_id])) return adapters::CancelOutcome(refused);
      return adapters::CancelOutcome(adapters::TakenBack{});
    case Operation::kProbe: return true;
  }
  return adapters::PayOutcome(adapters::Unknown{""});
}

adapters::PayOutcome Biller::Pay(const adapters::PaymentRequest& request, Entry* entry) {
  if (entry->asked) report_->Broken(fmt::format("payment {} was sent twice", request.payment_id.ToString()));
  entry->asked = true;
  if (entry->reversed_before) return adapters::Declined{"8", "was reversed before it came"};
  if (random_->Chance(trouble_.declines)) return adapters::Declined{"5", "no such customer"};
  entry->approved = true;
  ++entry->effects;
  return adapters::Approved{fmt::format("B{}", request.payment_id.number()), "", ""};
}

adapters::QueryOutcome Biller::Query(const adapters::PaymentRequest& request, const Entry& entry) {
  if (!card_.query_denial_is_final && random_->Chance(trouble_.false_denials)) return adapters::NeverReceived{};
  if (!entry.asked) return adapters::NeverReceived{};
  if (!entry.approved) return adapters::Declined{"5", "no such customer"};
  return adapters::Approved{fmt::format("B{}", request.payment_id.number()), "", ""};
}

adapters::ReverseOutcome Biller::Reverse(const adapters::PaymentRequest& request, Entry* entry) {
  if (!keeps_advice_ && !entry->asked) return adapters::NeverReceived{};
  if (!card_.query_denial_is_final && random_->Chance(trouble_.false_denials)) return adapters::NeverReceived{};
  if (!TakeBack(request, entry)) return adapters::Declined{"9", "kept"};
  return adapters::TakenBack{};
}

bool Biller::TakeBack(const adapters::PaymentRequest& request, Entry* entry) {
  if (!entry->asked) {
    entry->reversed_before = true;
    return true;
  }
  if (entry->effects == entry->taken_back) return true;
  // The same answer whenever it is asked.
  constexpr uint64_t kSpread = 7'919;
  if (request.payment_id.number() * kSpread % 1'000 < trouble_.refuses_back) return false;
  ++entry->taken_back;
  return true;
}

BillerLink::BillerLink(Biller* biller, Life life, Random* random, Oracle* oracle)
    : biller_(biller), life_(std::move(life)), random_(random), oracle_(oracle) {}

bool BillerLink::Finish(uint64_t call, const Biller::Answer* answer) {
  auto it = waiting_.find(call);
  if (it == waiting_.end()) return false;
  Waiting waiting = std::move(it->second);
  waiting_.erase(it);
  waiting(answer);
  return true;
}

void BillerLink::OnLate(const adapters::PaymentRequest& request, const Biller::Answer& answer) {
  const auto* outcome = std::get_if<adapters::PayOutcome>(&answer);
  const auto* approved = outcome == nullptr ? nullptr : std::get_if<adapters::Approved>(outcome);
  if (approved != nullptr && late_ != nullptr) {
    late_->OnLateApproval(request.station, request.payment_id, *approved, [](bool) {});
  }
}

namespace {

template <typename Outcome>
Outcome NoAnswer() {
  if constexpr (std::is_same_v<Outcome, bool>) {
    return false;
  } else {
    return adapters::Unknown{"no answer in time"};
  }
}

}  // namespace

template <typename Outcome>
asio::awaitable<Outcome> BillerLink::Ask(Operation operation, adapters::PaymentRequest request,
                                         adapters::Deadline deadline) {
  if (random_->Chance(biller_->trouble().adapter_faults)) {
    if (random_->Chance(500)) biller_->Send(operation, request, [](const Biller::Answer&) {});
    throw std::runtime_error("out of sockets");
  }
  auto initiate = [this, operation, &request, deadline](auto handler) {
    const uint64_t call = ++calls_;
    const auto executor = asio::get_associated_executor(handler);
    waiting_.emplace(call, [executor, handler = std::move(handler)](const Biller::Answer* answer) mutable {
      Outcome outcome = answer == nullptr ? NoAnswer<Outcome>() : std::get<Outcome>(*answer);
      asio::post(executor, [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
        std::move(handler)(std::move(outcome));
      });
    });
    core::SteadyTime ends = deadline;
    // Up to several times its time limit too late.
    if (random_->Chance(biller_->trouble().overdue)) ends += random_->Millis(1, 5 * card().time_limit.count());
    life_.At(ends, [this, call] { Finish(call, nullptr); });
    biller_->Send(operation, request, [this, life = life_, call, request](const Biller::Answer& answer) {
      // The second of two answers, or one that came too late.
      if (life.lives() && !Finish(call, &answer)) OnLate(request, answer);
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Outcome)>(initiate, asio::use_awaitable);
}

asio::awaitable<adapters::InquiryOutcome> BillerLink::Inquire(adapters::InquiryRequest request,
                                                              adapters::Deadline deadline) {
  adapters::PaymentRequest inquiry;
  inquiry.customer_number = std::move(request.customer_number);
  return Ask<adapters::InquiryOutcome>(Operation::kInquire, std::move(inquiry), deadline);
}

asio::awaitable<adapters::PayOutcome> BillerLink::Pay(adapters::PaymentRequest request, adapters::Deadline deadline) {
  if (oracle_ != nullptr) oracle_->OnSent("pay", core::PaymentState::kHeld, request);
  return Ask<adapters::PayOutcome>(Operation::kPay, std::move(request), deadline);
}

asio::awaitable<adapters::QueryOutcome> BillerLink::Query(adapters::PaymentRequest request,
                                                          adapters::Deadline deadline) {
  if (oracle_ != nullptr) oracle_->OnSent("query", core::PaymentState::kUnknown, request);
  return Ask<adapters::QueryOutcome>(Operation::kQuery, std::move(request), deadline);
}

asio::awaitable<adapters::ReverseOutcome> BillerLink::Reverse(adapters::PaymentRequest request,
                                                              adapters::Deadline deadline) {
  if (oracle_ != nullptr) oracle_->OnSent("reverse", core::PaymentState::kReversing, request);
  return Ask<adapters::ReverseOutcome>(Operation::kReverse, std::move(request), deadline);
}

asio::awaitable<adapters::CancelOutcome> BillerLink::Cancel(adapters::PaymentRequest request,
                                                            adapters::Deadline deadline) {
  if (oracle_ != nullptr) oracle_->OnSent("cancel", core::PaymentState::kCancelling, request);
  return Ask<adapters::CancelOutcome>(Operation::kCancel, std::move(request), deadline);
}

asio::awaitable<bool> BillerLink::Probe(adapters::Deadline deadline) {
  return Ask<bool>(Operation::kProbe, {}, deadline);
}

}  // namespace waystation::sim
