#include "tests/crash/business.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "tests/storage/running_ledger.h"

namespace waystation::crash {
namespace {

using core::Money;
using core::PaymentEvent;
using core::PaymentState;

constexpr uint64_t kStations = 3;
constexpr const char* kBillers[] = {"gas", "mobile"};
constexpr size_t kBatch = 256;

core::StationId StationNumber(uint64_t number) {
  return core::StationId::FromNumber(440'106'000'001 + number);
}

std::vector<core::Command> Opening() {
  std::vector<core::Command> commands;
  for (const char* biller : kBillers) commands.push_back(core::RegisterBiller{biller});
  for (uint64_t i = 0; i < kStations; ++i) {
    commands.push_back(core::RegisterStation{StationNumber(i), fmt::format("Shop {}", i), {StationNumber(9)}});
    commands.push_back(core::SetStationStatus{StationNumber(i), core::StationStatus::kApproved, ""});
    commands.push_back(core::SetStationStatus{StationNumber(i), core::StationStatus::kActive, ""});
  }
  return commands;
}

core::RecordOutcome Outcome(const core::Payment& payment, PaymentEvent event) {
  core::RecordOutcome outcome;
  outcome.payment_id = payment.id;
  outcome.event = event;
  if (event == PaymentEvent::kApproved) outcome.biller_reference = fmt::format("B{}", payment.id.number());
  if (event == PaymentEvent::kOutcomeUnknown) outcome.unknown_cause = "no answer in time";
  if (event == PaymentEvent::kDeclinedByBiller || event == PaymentEvent::kNeverReceived ||
      event == PaymentEvent::kCancelRefused) {
    outcome.decline = core::Decline{core::DeclineReason::kBillerDeclined, "E7", "no"};
  }
  return outcome;
}

std::string Describe(const core::Payment& payment) {
  std::string text = fmt::format("payment {} {}", payment.id.number(), payment.request_id);
  for (const core::StateChange& change : payment.history) {
    text += fmt::format(" {}:{}", change.sequence, Name(change.state));
  }
  return text;
}

// Whether `now` can be what became of `before`.
bool Follows(const core::Payment& before, const core::Payment& now) {
  if (before.id != now.id || before.request_id != now.request_id || before.amount != now.amount) return false;
  if (before.history.size() == now.history.size()) return before == now;
  return before.history.size() < now.history.size() &&
         std::equal(before.history.begin(), before.history.end(), now.history.begin());
}

}  // namespace

void Business::Fault(const std::string& what) {
  faults_.push_back(what);
}

bool Business::IsOpen(const Entry& entry) const {
  return entry.seen.has_value() && !core::IsAtRest(entry.seen->state);
}

void Business::Open(LedgerSession& session) {
  const std::vector<core::Command> opening = Opening();
  while (opened_ < opening.size()) {
    const Replies replies = Ask(session, {opening[opened_]});
    if (!replies[0].has_value()) return;
    ++opened_;
  }
}

core::Command Business::NewPayment() {
  Entry entry;
  entry.request = {.station = StationNumber(Below(kStations)),
                   .operator_id = fmt::format("{:010}", Below(3)),
                   .request_id = fmt::format("R{}", entries_.size()),
                   .biller_id = kBillers[Below(std::size(kBillers))],
                   .customer_number = fmt::format("138{:08}", Below(1000)),
                   .customer_name = Below(2) == 0 ? "" : "*明",
                   .amount = Money::Fen(static_cast<int64_t>(1 + Below(40'000))),
                   .presented = std::nullopt};
  if (Below(12) == 0) entry.request.presented = core::Decline{core::DeclineReason::kAmountTooSmall, "", "too small"};
  by_request_[entry.request.request_id] = entries_.size();
  entries_.push_back(entry);
  return entry.request;
}

core::Command Business::NewPurchase() {
  const core::RecordCounterPurchase request{StationNumber(Below(kStations)), fmt::format("P{}", bought_.size()),
                                            Money::Fen(static_cast<int64_t>(50'000 + Below(90'000))), "clerk"};
  by_request_[request.request_id] = bought_.size();
  bought_.push_back({request, std::nullopt});
  return request;
}

core::Command Business::NewCredit() {
  const core::GrantCredit grant{StationNumber(Below(kStations)), Money::Fen(static_cast<int64_t>(10'000 * Below(4))),
                                "season"};
  credit_[grant.station].asked.push_back(grant.credit_limit);
  return grant;
}

std::optional<core::Command> Business::NextStep(Entry& entry, bool may_cancel) {
  const core::Payment& payment = *entry.seen;
  switch (payment.state) {
    case PaymentState::kHeld:
      if (entry.biller == Biller::kApproves) return Outcome(payment, PaymentEvent::kApproved);
      if (entry.biller == Biller::kDeclines) return Outcome(payment, PaymentEvent::kDeclinedByBiller);
      return Outcome(payment, PaymentEvent::kOutcomeUnknown);
    case PaymentState::kUnknown:
      if (Below(4) == 0) return Outcome(payment, PaymentEvent::kReversalStarted);
      return Outcome(payment, entry.done ? PaymentEvent::kApproved : PaymentEvent::kNeverReceived);
    case PaymentState::kReversing: entry.done = false; return Outcome(payment, PaymentEvent::kReversalConfirmed);
    case PaymentState::kCancelling:
      if (entry.done && Below(4) == 0) return Outcome(payment, PaymentEvent::kCancelRefused);
      entry.done = false;
      return Outcome(payment, PaymentEvent::kCancelConfirmed);
    case PaymentState::kSucceeded:
      if (!may_cancel) return std::nullopt;
      return core::StartCancel{payment.station, "0000000002", payment.id, std::nullopt};
    default: return std::nullopt;
  }
}

void Business::DrawOne(std::vector<core::Command>* batch, std::vector<bool>* busy) {
  const uint64_t draw = Below(100);
  if (draw < 45) {
    batch->push_back(NewPayment());
  } else if (draw < 88 && !entries_.empty()) {
    // One of the newest, or any; one step at a time.
    const uint64_t back = Below(Below(4) == 0 ? entries_.size() : std::min<uint64_t>(entries_.size(), 20));
    const size_t at = entries_.size() - 1 - back;
    busy->resize(entries_.size());
    if (!entries_[at].seen.has_value() || (*busy)[at]) return;
    (*busy)[at] = true;
    if (Below(8) == 0) {
      batch->push_back(entries_[at].request);
    } else if (std::optional<core::Command> step = NextStep(entries_[at], Below(4) == 0)) {
      batch->push_back(*std::move(step));
    }
  } else if (draw < 95) {
    batch->push_back(NewPurchase());
  } else if (draw < 98) {
    batch->push_back(NewCredit());
  } else if (date_.has_value() && !day_cut_asked_) {
    day_cut_asked_ = true;
    batch->push_back(core::CloseDay{*date_, date_->NextDay()});
  }
}

void Business::Work(LedgerSession& session) {
  Open(session);
  const uint64_t size = Below(40) == 0 ? 150 + Below(200) : 1 + Below(10);
  std::vector<core::Command> batch;
  std::vector<bool> busy(entries_.size());
  while (batch.size() < size) DrawOne(&batch, &busy);
  if (session.goes_on()) Ask(session, batch);
  clock_.Advance(std::chrono::milliseconds(Below(5'000)));
}

Business::Replies Business::Ask(LedgerSession& session, const std::vector<core::Command>& commands) {
  Replies replies = session.Do(commands);
  for (size_t i = 0; i < commands.size(); ++i) {
    const bool refused = replies[i].has_value() && absl::IsUnavailable(replies[i]->status) && lookups_may_fail_();
    if (replies[i].has_value() && !refused) {
      ++answers_;
      Note(commands[i], *replies[i]);
    } else {
      ++unanswered_;
    }
  }
  return replies;
}

void Business::Note(const core::Command& command, const core::Reply& reply) {
  if (const auto* accept = std::get_if<core::AcceptPayment>(&command)) {
    NotePayment(accept->request_id, reply);
  } else if (const auto* outcome = std::get_if<core::RecordOutcome>(&command)) {
    NotePayment(entries_[by_id_.at(outcome->payment_id)].request.request_id, reply);
  } else if (const auto* cancel = std::get_if<core::StartCancel>(&command)) {
    NotePayment(entries_[by_id_.at(cancel->payment_id)].request.request_id, reply);
  } else if (const auto* purchase = std::get_if<core::RecordCounterPurchase>(&command)) {
    NotePurchase(purchase->request_id, reply);
  } else if (const auto* grant = std::get_if<core::GrantCredit>(&command)) {
    Credit& credit = credit_[grant->station];
    // Refused where too little would be left available.
    if (reply.status.ok()) credit.answered = grant->credit_limit;
    credit.asked.erase(std::find(credit.asked.begin(), credit.asked.end(), grant->credit_limit));
  } else if (std::holds_alternative<core::CloseDay>(command)) {
    if (!reply.status.ok()) return Fault("a day cut was refused: " + std::string(reply.status.message()));
    NoteDay(std::get<core::BusinessDay>(reply.value));
    ++day_cuts_;
  }
}

void Business::NotePayment(const std::string& request_id, const core::Reply& reply) {
  Entry& entry = entries_[by_request_.at(request_id)];
  const auto* payment = std::get_if<core::Payment>(&reply.value);
  if (!reply.status.ok() || payment == nullptr) {
    return Fault(fmt::format("{} ({}): {}", request_id, entry.seen.has_value() ? Describe(*entry.seen) : "not answered",
                             std::string(reply.status.message())));
  }
  if (entry.seen.has_value() && !Follows(*entry.seen, *payment)) {
    Fault(fmt::format("an answer is lost or was changed: {}; now {}", Describe(*entry.seen), Describe(*payment)));
  }
  const bool is_new = !reply.repeated && payment->history.size() == 1;
  entry.seen = *payment;
  by_id_[payment->id] = by_request_.at(request_id);
  if (is_new && payment->state == PaymentState::kHeld) SendToBiller(entry);
  if (core::IsAtRest(payment->state) && entry.done != (payment->state == PaymentState::kSucceeded)) {
    Fault(fmt::format("{}; but the biller {}", Describe(*payment), entry.done ? "did it" : "did not do it"));
  }
}

void Business::SendToBiller(Entry& entry) {
  if (std::exchange(entry.sent, true)) return Fault("sent to the biller twice: " + Describe(*entry.seen));
  static constexpr Biller kAll[] = {Biller::kApproves, Biller::kApproves,      Biller::kApproves,
                                    Biller::kDeclines, Biller::kSilentAndDone, Biller::kSilentAndLost};
  entry.biller = kAll[Below(std::size(kAll))];
  entry.done = entry.biller == Biller::kApproves || entry.biller == Biller::kSilentAndDone;
}

void Business::NotePurchase(const std::string& request_id, const core::Reply& reply) {
  Bought& bought = bought_[by_request_.at(request_id)];
  const auto* purchase = std::get_if<core::Purchase>(&reply.value);
  if (!reply.status.ok() || purchase == nullptr) {
    return Fault(fmt::format("{}: {}", request_id, std::string(reply.status.message())));
  }
  if (bought.seen.has_value() && *bought.seen != *purchase) {
    Fault(fmt::format("purchase {} was leg {} and is leg {}, or has other content", request_id, bought.seen->sequence,
                      purchase->sequence));
  }
  bought.seen = *purchase;
}

void Business::NoteDay(const core::BusinessDay& day) {
  const bool may_be_next = day_cut_asked_ && date_.has_value() && day.date == date_->NextDay();
  if (date_.has_value() && day.date != *date_ && !may_be_next) {
    Fault(fmt::format("the business date was {} and is {}", date_->ToString(), day.date.ToString()));
  }
  date_ = day.date;
  day_cut_asked_ = false;
}

void Business::Check(LedgerSession& session) {
  Open(session);
  std::vector<core::Command> again;
  for (const Entry& entry : entries_) again.push_back(entry.request);
  for (const Bought& bought : bought_) again.push_back(bought.request);
  for (size_t from = 0; from < again.size() && session.goes_on(); from += kBatch) {
    const size_t to = std::min(again.size(), from + kBatch);
    Ask(session, {again.begin() + static_cast<ptrdiff_t>(from), again.begin() + static_cast<ptrdiff_t>(to)});
  }
  // A request that was refused, and not asked again, is not in the books.
  const bool all_answered =
      std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.seen.has_value(); }) &&
      std::all_of(bought_.begin(), bought_.end(), [](const Bought& bought) { return bought.seen.has_value(); });
  if (session.goes_on() && (all_answered || !lookups_may_fail_())) CheckAccounts(session);
}

void Business::CheckAccounts(LedgerSession& session) {
  std::vector<core::Command> reads{core::ReadBusinessDay{}};
  for (uint64_t i = 0; i < kStations; ++i) {
    reads.push_back(core::ReadAccount{StationNumber(i)});
    reads.push_back(core::ReadOpenPayments{StationNumber(i)});
  }
  const Replies replies = Ask(session, reads);
  for (const std::optional<core::Reply>& reply : replies) {
    if (!reply.has_value()) return;
    if (!reply->status.ok()) Fault(std::string(reply->status.message()));
  }
  if (!faults_.empty()) return;
  NoteDay(std::get<core::BusinessDay>(replies[0]->value));
  for (uint64_t i = 0; i < kStations; ++i) {
    CheckAccount(std::get<core::Account>(replies[1 + 2 * i]->value));
    CheckOpen(StationNumber(i), std::get<std::vector<core::Payment>>(replies[2 + 2 * i]->value));
  }
}

void Business::CheckAccount(const core::Account& account) {
  Money balance;
  Money reserved;
  Money forwarded;
  for (const Bought& bought : bought_) {
    if (bought.request.station == account.station) balance += bought.request.amount;
  }
  for (const Entry& entry : entries_) {
    if (entry.request.station != account.station) continue;
    switch (entry.seen->column()) {
      case core::MoneyColumn::kNone: break;
      case core::MoneyColumn::kReserved: reserved += entry.request.amount; break;
      case core::MoneyColumn::kForwarded: forwarded += entry.request.amount; break;
      case core::MoneyColumn::kCaptured: balance -= entry.request.amount; break;
    }
  }
  if (account.balance != balance || account.reserved != reserved || account.forwarded != forwarded) {
    Fault(fmt::format("station {}: balance {}, reserved {}, forwarded {} fen; the books say {}, {}, {}",
                      account.station.ToString(), account.balance.fen(), account.reserved.fen(),
                      account.forwarded.fen(), balance.fen(), reserved.fen(), forwarded.fen()));
  }
  Credit& credit = credit_[account.station];
  if (account.credit_limit != credit.answered &&
      std::find(credit.asked.begin(), credit.asked.end(), account.credit_limit) == credit.asked.end()) {
    Fault(fmt::format("station {}: credit limit {} fen; {} was granted", account.station.ToString(),
                      account.credit_limit.fen(), credit.answered.fen()));
  }
  credit = {account.credit_limit, {}};
  if (account.available() < Money()) Fault(fmt::format("station {}: below zero", account.station.ToString()));
}

void Business::CheckOpen(core::StationId station, const std::vector<core::Payment>& open) {
  size_t expected = 0;
  for (const Entry& entry : entries_) expected += IsOpen(entry) && entry.request.station == station ? 1 : 0;
  size_t found = 0;
  for (const core::Payment& payment : open) {
    if (core::IsAtRest(payment.state)) continue;
    ++found;
    const auto it = by_id_.find(payment.id);
    if (it == by_id_.end() || entries_[it->second].seen != payment) {
      Fault("open, and nobody's or another's: " + Describe(payment));
    }
  }
  if (found != expected) {
    Fault(fmt::format("station {}: {} open payments; the books say {}", station.ToString(), found, expected));
  }
}

void Business::Settle(LedgerSession& session) {
  while (session.goes_on() && faults_.empty()) {
    std::vector<core::Command> batch;
    for (Entry& entry : entries_) {
      if (batch.size() == kBatch || !IsOpen(entry)) continue;
      if (std::optional<core::Command> step = NextStep(entry, false)) batch.push_back(*std::move(step));
    }
    if (batch.empty()) break;
    Ask(session, batch);
  }
  Check(session);
}

}  // namespace waystation::crash
