#include "tests/crash/station_client.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "switch/core/payment.h"

namespace waystation::crash {
namespace {

using e2e::Answer;
using e2e::Api;

constexpr int64_t kPurchaseFen = 50'000;
constexpr int kNeverResolved = 94;
// Both are approved 2 s after the deadline, by the switch's own process: not, when it was killed before. Until then a
// query finds out nothing about the one, and the other is freed as never received.
constexpr int kApprovedLate = 88;
constexpr int kApprovedAfterDenial = 89;
constexpr uint32_t kPageSize = 500;

// What an answer says for as long as nothing happens: when the resolver acts next moves on with its attempts.
std::string LastingText(v1::Payment payment) {
  payment.clear_next_action_at_ms();
  return payment.SerializeAsString();
}

int EndingOf(const v1::PayRequest& request) {
  const std::string& number = request.customer_number();
  return std::stoi(number.substr(number.size() - 2));
}

// Its money was freed, and a late approval has brought it to a person.
bool IsLateSuccess(const v1::Payment& payment) {
  return payment.state() == v1::PAYMENT_STATE_REVIEW && !payment.biller_reference().empty() &&
         std::any_of(payment.history().begin(), payment.history().end(),
                     [](const v1::StateChange& change) { return change.state() == v1::PAYMENT_STATE_DECLINED; });
}

// Nothing more happens to it unless the station asks.
bool HasEnded(v1::PaymentState state) {
  return core::IsAtRest(static_cast<core::PaymentState>(state));
}

bool MayFollow(v1::PaymentState from, v1::PaymentState to) {
  return std::any_of(core::kAllPaymentEvents.begin(), core::kAllPaymentEvents.end(), [&](core::PaymentEvent event) {
    return core::NextState(static_cast<core::PaymentState>(from), event) == static_cast<core::PaymentState>(to);
  });
}

}  // namespace

StationClient::StationClient(int number, uint64_t seed, Tally* tally, Report report, std::function<void()> on_answer)
    : station_(e2e::StationNumber(number)),
      number_(number),
      tally_(tally),
      report_(std::move(report)),
      on_answer_(std::move(on_answer)),
      random_(seed) {}

void StationClient::Fault(const std::string& what) const {
  report_(fmt::format("station {}: {}", station_, what));
}

void StationClient::Open(const Api& api) {
  const grpc::Status status = e2e::OpenStation(api, station_, 0);
  if (!status.ok()) Fault("can't be opened: " + status.error_message());
}

void StationClient::Work(const Api& api) {
  round_begin_ = entries_.size();
  while (!tally_->killed) {
    const int roll = Roll(100);
    if (roll < 70 && !purchases_.empty()) {
      PaySomething(api);
    } else if (roll < 82) {
      CancelSomething(api);
    } else if (roll < 90) {
      RepeatSomething(api);
    } else {
      PutMoneyIn(api);
    }
  }
}

bool StationClient::Answered(const grpc::Status& status, const std::string& what) {
  if (status.ok()) {
    ++tally_->answers;
    on_answer_();
    return true;
  }
  if (tally_->killed) {
    ++tally_->unanswered;
  } else {
    Fault(fmt::format("{}: {}", what, status.error_message()));
  }
  return false;
}

void StationClient::PaySomething(const Api& api) {
  static constexpr const char* kBillers[] = {"mobile", "electricity", "gas"};
  const std::string biller = kBillers[Roll(3)];
  const int ending = Roll(10) < 6 ? Roll(88) : 88 + Roll(12);
  const std::string customer = e2e::CustomerNumber(biller, Roll(100'000), ending);
  v1::PayRequest request = e2e::PayRequestFor(station_, fmt::format("request-{}-{}", number_, entries_.size()), biller,
                                              customer, 2'000 + Roll(3'000));
  if (biller == "gas") {
    const Answer<v1::InquireResponse> inquiry = e2e::Inquire(api, station_, biller, customer);
    if (!Answered(inquiry.status, "inquire") || inquiry.value.has_decline()) return;
    request.set_amount_fen(inquiry.value.answer().owed_fen());
    request.set_inquiry_token(inquiry.value.answer().inquiry_token());
  }
  static constexpr uint32_t kWaits[] = {0, 5, 1'000};
  request.set_wait_ms(kWaits[Roll(3)]);
  Entry& entry = entries_.emplace_back(Entry{request, std::nullopt, false});
  const Answer<v1::PayResponse> answer = e2e::Pay(api, request);
  if (Answered(answer.status, "pay " + request.request_id())) Enter(entry, answer.value.payment());
}

void StationClient::CancelSomething(const Api& api) {
  if (entries_.size() == round_begin_) return;
  Entry& entry = entries_[round_begin_ + static_cast<size_t>(Roll(static_cast<int>(entries_.size() - round_begin_)))];
  if (!entry.seen.has_value() || entry.seen->state() != v1::PAYMENT_STATE_SUCCEEDED) return;
  entry.cancel_unanswered = true;
  const Answer<v1::CancelResponse> answer = e2e::Cancel(api, station_, entry.seen->payment_id());
  if (!Answered(answer.status, "cancel " + entry.seen->payment_id())) return;
  entry.cancel_unanswered = false;
  Enter(entry, answer.value.payment());
}

void StationClient::RepeatSomething(const Api& api) {
  if (entries_.empty()) return;
  Entry& entry = entries_[static_cast<size_t>(Roll(static_cast<int>(entries_.size())))];
  const Answer<v1::PayResponse> answer = e2e::Pay(api, entry.request);
  if (Answered(answer.status, "repeat " + entry.request.request_id())) Enter(entry, answer.value.payment());
}

void StationClient::PutMoneyIn(const Api& api) {
  const std::string id = fmt::format("purchase-{}", purchases_.size());
  purchases_[id] = std::nullopt;
  const Answer<v1::CounterPurchase> answer = e2e::Purchase(api, station_, id, kPurchaseFen);
  if (Answered(answer.status, id)) purchases_[id] = answer.value;
}

void StationClient::Enter(Entry& entry, const v1::Payment& payment) {
  const auto fault = [&](const std::string& what) {
    Fault(fmt::format("{}: {}; was {{{}}}, is {{{}}}", entry.request.request_id(), what,
                      entry.seen.has_value() ? entry.seen->ShortDebugString() : "", payment.ShortDebugString()));
  };
  if (payment.request_id() != entry.request.request_id() || payment.amount_fen() != entry.request.amount_fen() ||
      payment.customer_number() != entry.request.customer_number()) {
    fault("an answer about another payment");
  }
  if (payment.history().empty()) return fault("no history");
  for (int i = 1; i < payment.history_size(); ++i) {
    if (!MayFollow(payment.history(i - 1).state(), payment.history(i).state())) fault("a step that can't happen");
  }
  if (entry.seen.has_value()) {
    const v1::Payment& before = *entry.seen;
    if (payment.payment_id() != before.payment_id()) fault("another payment id");
    if (payment.history_size() < before.history_size()) return fault("an answer was forgotten");
    for (int i = 0; i < before.history_size(); ++i) {
      if (payment.history(i).SerializeAsString() != before.history(i).SerializeAsString()) fault("history was changed");
    }
    if (!before.biller_reference().empty() && payment.biller_reference() != before.biller_reference()) {
      fault("another biller reference");
    }
    if (payment.sequence() == before.sequence() && LastingText(payment) != LastingText(before)) {
      fault("another answer about the same state");
    }
  }
  entry.seen = payment;
}

void StationClient::CheckEntry(const Api& api, Entry& entry) {
  if (entry.seen.has_value()) {
    const Answer<v1::Payment> found = e2e::GetPaymentByRequest(api, station_, entry.request.request_id());
    if (!found.ok()) {
      return Fault(
          fmt::format("{} was answered and is lost: {}", entry.request.request_id(), found.status.error_message()));
    }
    Enter(entry, found.value);
  }
  // Also for those that were answered: a repeat never pays twice.
  const Answer<v1::PayResponse> again = e2e::Pay(api, entry.request);
  if (!again.ok()) return Fault(entry.request.request_id() + " sent again: " + again.status.error_message());
  Enter(entry, again.value.payment());
  if (entry.cancel_unanswered) {
    const Answer<v1::CancelResponse> cancel = e2e::Cancel(api, station_, entry.seen->payment_id());
    if (!cancel.ok()) return Fault("cancel sent again: " + cancel.status.error_message());
    Enter(entry, cancel.value.payment());
    entry.cancel_unanswered = false;
  }
}

void StationClient::Settle(const Api& api, Entry& entry, const std::function<bool(v1::PaymentState)>& settled) {
  if (!entry.seen.has_value() || settled(entry.seen->state())) return;
  e2e::Watch watch(api, station_, entry.seen->sequence());
  while (std::optional<v1::PaymentEvent> event = watch.Next()) {
    if (event->payment().payment_id() != entry.seen->payment_id()) continue;
    Enter(entry, event->payment());
    if (!settled(entry.seen->state())) continue;
    ++tally_->resolved;
    return;
  }
  Fault("never settled: " + entry.seen->ShortDebugString());
}

void StationClient::CheckPurchases(const Api& api) {
  for (auto& [id, seen] : purchases_) {
    const Answer<v1::CounterPurchase> again = e2e::Purchase(api, station_, id, kPurchaseFen);
    if (!again.ok()) {
      Fault(id + " sent again: " + again.status.error_message());
    } else if (seen.has_value() && again.value.SerializeAsString() != seen->SerializeAsString()) {
      Fault(fmt::format("{} was {{{}}}, is {{{}}}", id, seen->ShortDebugString(), again.value.ShortDebugString()));
    } else {
      seen = again.value;
    }
  }
}

bool StationClient::LookAtOpen(const Api& api) {
  bool moved = false;
  for (Entry& entry : entries_) {
    if (EndingOf(entry.request) != kApprovedLate || !entry.seen.has_value() || HasEnded(entry.seen->state())) continue;
    const uint64_t before = entry.seen->sequence();
    const Answer<v1::Payment> found = e2e::GetPaymentByRequest(api, station_, entry.request.request_id());
    if (!found.ok()) {
      Fault(entry.request.request_id() + " is lost: " + found.status.error_message());
      continue;
    }
    Enter(entry, found.value);
    moved |= entry.seen->sequence() != before;
  }
  return moved;
}

void StationClient::CheckAccount(const Api& api) {
  // An approval may come late in the middle of this: the account is that of a time at which none did.
  LookAtOpen(api);
  Answer<v1::Account> account = e2e::GetAccount(api, station_);
  while (LookAtOpen(api)) account = e2e::GetAccount(api, station_);
  int64_t balance = kPurchaseFen * static_cast<int64_t>(purchases_.size());
  int64_t forwarded = 0;
  for (const Entry& entry : entries_) {
    if (!entry.seen.has_value()) continue;
    const int64_t amount = entry.request.amount_fen();
    if (entry.seen->state() == v1::PAYMENT_STATE_SUCCEEDED) balance -= amount;
    // The ones that nobody can find out about.
    if (!HasEnded(entry.seen->state()) && !IsLateSuccess(*entry.seen)) forwarded += amount;
  }
  if (account.value.balance_fen() == balance && account.value.reserved_fen() == 0 &&
      account.value.forwarded_fen() == forwarded && account.value.available_fen() == balance - forwarded) {
    return;
  }
  Fault(fmt::format("the books say balance {}, forwarded {}; the account is {{{}}} {}", balance, forwarded,
                    account.value.ShortDebugString(), account.status.error_message()));
}

bool StationClient::IsOfThisLife(const Entry& entry) const {
  return entry.seen->accepted_at_ms() >= life_began_ms_;
}

bool StationClient::HasRightEnd(const Entry& entry, v1::PaymentState state) const {
  // The process that has denied it, and lives, approves it too; but for one that the switch declined and never sent.
  const bool sent = entry.seen->history(0).state() != v1::PAYMENT_STATE_DECLINED;
  if (EndingOf(entry.request) == kApprovedAfterDenial && sent && IsOfThisLife(entry))
    return state == v1::PAYMENT_STATE_REVIEW;
  return HasEnded(state) || state == v1::PAYMENT_STATE_REVIEW;
}

void StationClient::CheckRound(const Api& api) {
  using std::chrono::system_clock;
  life_began_ms_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
  for (size_t i = round_begin_; i < entries_.size(); ++i) CheckEntry(api, entries_[i]);
  for (size_t i = round_begin_; i < entries_.size(); ++i) {
    const int ending = EndingOf(entries_[i].request);
    const bool open = ending == kNeverResolved || ending == kApprovedLate;
    const bool late = ending == kApprovedAfterDenial;
    Settle(api, entries_[i], [open, late](v1::PaymentState state) {
      return HasEnded(state) || (open && state != v1::PAYMENT_STATE_HELD) ||
             (late && state == v1::PAYMENT_STATE_REVIEW);
    });
  }
  CheckPurchases(api);
  CheckAccount(api);
}

void StationClient::CheckAll(const Api& api) {
  for (Entry& entry : entries_) CheckEntry(api, entry);
  for (Entry& entry : entries_) {
    Settle(api, entry, [&](v1::PaymentState state) { return HasRightEnd(entry, state); });
    if (!entry.seen.has_value()) continue;
    ++tally_->payments;
    if (entry.seen->state() == v1::PAYMENT_STATE_CANCELLED) ++tally_->cancelled;
    if (entry.seen->state() != v1::PAYMENT_STATE_REVIEW) continue;
    ++tally_->in_review;
    const int ending = EndingOf(entry.request);
    const bool is_late_success = IsLateSuccess(*entry.seen);
    if (is_late_success) ++tally_->late_successes;
    const bool is_right = ending == kNeverResolved ||
                          // Only where the process was killed that would have had the approval.
                          (ending == kApprovedLate && !IsOfThisLife(entry)) ||
                          (ending == kApprovedAfterDenial && is_late_success);
    if (!is_right) Fault("in REVIEW: " + entry.seen->ShortDebugString());
  }
  CheckAccount(api);
  CheckList(api);
}

void StationClient::CheckJournal(const JournalBooks& journal) const {
  const auto found = journal.stations.find(station_);
  const JournalBooks::Station station = found == journal.stations.end() ? JournalBooks::Station() : found->second;
  for (const auto& [request_id, times] : station.request_ids) {
    if (times != 1) Fault(fmt::format("the journal accepted {} {} times", request_id, times));
  }
  if (station.payments.size() != entries_.size() || station.request_ids.size() != entries_.size() + purchases_.size()) {
    Fault(fmt::format("the journal has {} payments and {} request ids; {} payments and {} purchases were asked for",
                      station.payments.size(), station.request_ids.size(), entries_.size(), purchases_.size()));
  }
  for (const Entry& entry : entries_) {
    const auto payment = station.payments.find(entry.seen->payment_id());
    if (payment == station.payments.end()) {
      Fault("not in the journal: " + entry.seen->ShortDebugString());
      continue;
    }
    const auto& history = entry.seen->history();
    const bool same =
        payment->second.request_id == entry.request.request_id() &&
        payment->second.amount_fen == entry.request.amount_fen() && payment->second.captures <= 1 &&
        std::equal(history.begin(), history.end(), payment->second.states.begin(), payment->second.states.end(),
                   [](const auto& change, uint32_t state) { return change.state() == static_cast<int>(state); });
    if (!same) {
      Fault(fmt::format("the journal has states {} and {} captures of {}", fmt::join(payment->second.states, ", "),
                        payment->second.captures, entry.seen->ShortDebugString()));
    }
  }
}

void StationClient::CheckList(const Api& api) {
  v1::ListPaymentsRequest request;
  request.set_station_id(station_);
  request.set_from_date("2026-11-20");
  request.set_to_date("2027-11-20");
  request.set_page_size(kPageSize);
  std::set<std::string> request_ids;
  size_t listed = 0;
  do {
    const Answer<v1::ListPaymentsResponse> page =
        e2e::Call(api.payments.get(), &v1::PaymentService::Stub::ListPayments, request);
    if (!page.ok()) return Fault("list: " + page.status.error_message());
    for (const v1::Payment& payment : page.value.payments()) request_ids.insert(payment.request_id());
    listed += static_cast<size_t>(page.value.payments_size());
    request.set_page_token(page.value.next_page_token());
  } while (!request.page_token().empty());
  if (listed != entries_.size() || request_ids.size() != entries_.size()) {
    Fault(fmt::format("{} payments are listed with {} request ids; {} were asked for", listed, request_ids.size(),
                      entries_.size()));
  }
}

}  // namespace waystation::crash
