#include "tests/sim/oracle.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/verify.h"

namespace waystation::sim {
namespace {

using core::Money;
using core::Payment;
using core::PaymentState;

// The life of a payment once more, written down apart from the switch's own table.
bool MayFollow(PaymentState from, PaymentState to) {
  const auto is_one_of = [to](std::initializer_list<PaymentState> states) {
    return std::find(states.begin(), states.end(), to) != states.end();
  };
  switch (from) {
    case PaymentState::kHeld:
      return is_one_of({PaymentState::kSucceeded, PaymentState::kDeclined, PaymentState::kUnknown});
    case PaymentState::kUnknown:
      return is_one_of(
          {PaymentState::kSucceeded, PaymentState::kDeclined, PaymentState::kReversing, PaymentState::kReview});
    case PaymentState::kReversing:
      return is_one_of({PaymentState::kReversing, PaymentState::kReversed, PaymentState::kReview});
    case PaymentState::kSucceeded: return is_one_of({PaymentState::kCancelling});
    case PaymentState::kCancelling:
      return is_one_of({PaymentState::kCancelled, PaymentState::kSucceeded, PaymentState::kReview});
    case PaymentState::kReview: return is_one_of({PaymentState::kReview, PaymentState::kAdjusted});
    // A late success: the approval was overtaken. No biller here approves what it has declined, or what it may have
    // denied for good.
    case PaymentState::kReversed: return is_one_of({PaymentState::kReview});
    case PaymentState::kDeclined:
    case PaymentState::kCancelled:
    case PaymentState::kAdjusted: return false;
  }
  return false;
}

enum class Column { kNone, kReserved, kForwarded, kCaptured };

// Where its money must stand.
Column ColumnFor(const Payment& payment) {
  PaymentState state = payment.state;
  for (auto at = payment.history.rbegin(); state == PaymentState::kReview; ++at) state = at->state;
  if (state == PaymentState::kAdjusted && payment.resolution.has_value()) {
    return payment.resolution->verdict == core::Verdict::kChargeStation ? Column::kCaptured : Column::kNone;
  }
  switch (state) {
    case PaymentState::kHeld: return Column::kReserved;
    case PaymentState::kUnknown:
    case PaymentState::kReversing: return Column::kForwarded;
    case PaymentState::kSucceeded:
    case PaymentState::kCancelling: return Column::kCaptured;
    case PaymentState::kDeclined:
    case PaymentState::kReversed:
    case PaymentState::kCancelled:
    case PaymentState::kReview:
    case PaymentState::kAdjusted: return Column::kNone;
  }
  return Column::kNone;
}

// Whether the books owe the biller its amount.
bool TookEffect(const Payment& payment) {
  if (payment.state != PaymentState::kAdjusted) return ColumnFor(payment) == Column::kCaptured;
  return payment.resolution->verdict != core::Verdict::kRelease;
}

std::string Text(const core::Account& a) {
  return fmt::format("balance {}, reserved {}, forwarded {}, credit {}, {} {}, {} {}", a.balance.fen(),
                     a.reserved.fen(), a.forwarded.fen(), a.credit_limit.fen(), core::Name(a.status), a.status_reason,
                     a.biller_enabled ? "enabled" : "disabled", a.opened.ToString());
}

std::string NameOf(const core::Account& a) {
  return fmt::format("{} {}{}", core::Name(a.kind), a.station.number(), a.biller_id);
}

std::string Text(const Payment& p) {
  std::string text = fmt::format("payment {} of station {}, request {}, {} fen to {}:", p.id.ToString(),
                                 p.station.ToString(), p.request_id, p.amount.fen(), p.biller_id);
  for (const core::StateChange& change : p.history) {
    text += fmt::format(" {}@{}", core::Name(change.state), change.sequence);
  }
  if (!p.unknown_cause.empty()) text += fmt::format(" ({})", p.unknown_cause);
  return text;
}

}  // namespace

std::string FaultOf(const core::Ledger& ledger) {
  if (ledger.SumOfBalances() != Money()) return fmt::format("the sum is {} fen", ledger.SumOfBalances().fen());
  std::map<core::StationId, std::pair<Money, Money>> held;
  ledger.ForEachOpen([&](const Payment& payment) {
    const Column column = ColumnFor(payment);
    if (column == Column::kReserved) held[payment.station].first += payment.amount;
    if (column == Column::kForwarded) held[payment.station].second += payment.amount;
  });
  std::string fault;
  ledger.ForEachAccount([&](const core::Account& account) {
    if (account.kind != core::AccountKind::kStation) return;
    const auto& [reserved, forwarded] = held[account.station];
    if (account.available() < Money())
      fault = fmt::format("{}: available below zero: {}", NameOf(account), Text(account));
    if (account.reserved != reserved || account.forwarded != forwarded) {
      fault = fmt::format("{}: {}; its open holds are {} reserved, {} forwarded", NameOf(account), Text(account),
                          reserved.fen(), forwarded.fen());
    }
  });
  return fault;
}

std::string DifferenceOf(const core::Ledger& a, const core::Ledger& b) {
  if (a.last_sequence() != b.last_sequence()) {
    return fmt::format("one is at leg {}, the other at {}", a.last_sequence(), b.last_sequence());
  }
  if (a.business_day().date != b.business_day().date ||
      a.business_day().opened_sequence != b.business_day().opened_sequence)
    return fmt::format("the business days differ: {} {}", a.business_day().date.ToString(),
                       b.business_day().date.ToString());
  const auto accounts_of = [](const core::Ledger& ledger) {
    std::map<std::string, std::string> accounts;
    ledger.ForEachAccount([&](const core::Account& account) { accounts.emplace(NameOf(account), Text(account)); });
    return accounts;
  };
  const auto accounts_a = accounts_of(a);
  const auto accounts_b = accounts_of(b);
  if (accounts_a.size() != accounts_b.size()) return "they have not the same accounts";
  for (const auto& [name, text] : accounts_a) {
    auto it = accounts_b.find(name);
    if (it == accounts_b.end()) return fmt::format("only one has the account {}", name);
    if (it->second != text) return fmt::format("{}: {}; the other: {}", name, text, it->second);
  }
  std::vector<const Payment*> open_a;
  std::vector<const Payment*> open_b;
  a.ForEachOpen([&](const Payment& payment) { open_a.push_back(&payment); });
  b.ForEachOpen([&](const Payment& payment) { open_b.push_back(&payment); });
  if (open_a.size() != open_b.size())
    return fmt::format("{} open payments; the other: {}", open_a.size(), open_b.size());
  for (size_t i = 0; i < open_a.size(); ++i) {
    if (*open_a[i] != *open_b[i]) return fmt::format("{}; the other: {}", Text(*open_a[i]), Text(*open_b[i]));
  }
  return "";
}

Oracle::Oracle(Report* report) : report_(report) {}

bool Oracle::Apply(std::string_view sealed_block) {
  absl::StatusOr<storage::OpenedBlock> block = storage::OpenNextBlock(sealed_block, &position_);
  if (!block.ok()) {
    report_->Broken(fmt::format("the chain is broken: {}", std::string(block.status().message())));
    return false;
  }
  if (ledger_ == nullptr) ledger_ = std::make_unique<core::Ledger>(block->stamp.business_date);
  for (const core::Leg& leg : block->legs) {
    // Nothing is forgotten, so a request that is accepted a second time contradicts it too.
    if (absl::Status status = ledger_->Apply(leg, block->stamp); !status.ok()) {
      report_->Broken(fmt::format("the journal contradicts itself: {}", std::string(status.message())));
      return false;
    }
    Note(leg);
  }
  return true;
}

void Oracle::Note(const core::Leg& leg) {
  core::PaymentId id;
  if (std::holds_alternative<core::PaymentAccepted>(leg.fact)) {
    id = core::PaymentId::FromNumber(leg.sequence);
  } else if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) {
    id = moved->payment_id;
  } else if (const auto* proposed = std::get_if<core::ResolutionProposed>(&leg.fact)) {
    payments_.insert_or_assign(proposed->payment_id, *ledger_->FindPayment(proposed->payment_id));
  } else if (const auto* purchased = std::get_if<core::CounterPurchased>(&leg.fact)) {
    purchased_[purchased->station] += purchased->amount;
    purchase_keys_.insert(core::RequestKey(purchased->station, purchased->request_id));
  }
  if (id == core::PaymentId()) return;
  const Payment& payment = *ledger_->FindPayment(id);
  if (payment.history.size() > 1) {
    const PaymentState before = payment.history[payment.history.size() - 2].state;
    if (!MayFollow(before, payment.state)) report_->Broken(fmt::format("no such step: {}", Text(payment)));
    if (payment.state == PaymentState::kReview && payment.unknown_cause.empty())
      report_->Broken(fmt::format("REVIEW that does not say why: {}", Text(payment)));
  } else if (!requests_.emplace(core::RequestKey(payment.station, payment.request_id), id).second) {
    report_->Broken(fmt::format("one request became two payments: {}", Text(payment)));
  }
  payments_.insert_or_assign(id, payment);
}

void Oracle::OnDurable(std::string_view sealed_block) {
  if (!Apply(sealed_block)) return;
  if (std::string fault = FaultOf(*ledger_); !fault.empty()) report_->Broken(std::move(fault));
}

void Oracle::OnSent(std::string_view operation, PaymentState expected, const adapters::PaymentRequest& request) {
  const Payment* payment = Find(request.payment_id);
  if (payment == nullptr) {
    report_->Broken(fmt::format("{} of payment {} is on the wire, and nothing of it is durable", operation,
                                request.payment_id.ToString()));
  } else if (payment->state != expected || payment->amount != request.amount) {
    report_->Broken(
        fmt::format("{} of {} fen is on the wire; durable is {}", operation, request.amount.fen(), Text(*payment)));
  }
}

void Oracle::OnAnswer(const Payment& payment) {
  CheckAnswered(payment);
  auto [it, is_new] = answered_.try_emplace(payment.id, payment);
  if (!is_new && payment.history.size() > it->second.history.size()) it->second = payment;
}

void Oracle::CheckAnswered(const Payment& answered) {
  const Payment* payment = Find(answered.id);
  if (payment == nullptr) {
    report_->Broken(fmt::format("was answered and is not durable: {}", Text(answered)));
    return;
  }
  const auto& history = payment->history;
  const bool is_part = answered.history.size() <= history.size() &&
                       std::equal(answered.history.begin(), answered.history.end(), history.begin()) &&
                       answered.state == answered.history.back().state;
  // What is proposed about it may change without a step of its own.
  Payment same_proposal = answered;
  same_proposal.resolution = payment->resolution;
  const bool same = answered.history.size() < history.size() || same_proposal == *payment;
  if (!is_part || !same || answered.amount != payment->amount || answered.request_id != payment->request_id) {
    report_->Broken(fmt::format("was answered: {}; durable is: {}", Text(answered), Text(*payment)));
  }
}

void Oracle::OnShown(uint64_t sequence) {
  if (sequence > position_.last_sequence) {
    report_->Broken(fmt::format("leg {} was shown; durable are those to {}", sequence, position_.last_sequence));
  }
}

void Oracle::CheckLive(const core::Ledger& live) {
  if (ledger_ == nullptr || live.last_sequence() != position_.last_sequence) return;
  if (std::string fault = FaultOf(live); !fault.empty()) return report_->Broken("in memory: " + fault);
  const std::string difference = DifferenceOf(live, *ledger_);
  if (!difference.empty()) report_->Broken("replay does not give what is in memory: " + difference);
}

void Oracle::Reload(const storage::MemoryCommitLog& stored) {
  const uint64_t before = position_.last_sequence;
  ledger_.reset();
  position_ = {};
  payments_.clear();
  requests_.clear();
  purchased_.clear();
  purchase_keys_.clear();
  const absl::Status read = stored.ReadBlocks(1, [&](uint64_t, std::string_view bytes) { return Apply(bytes); });
  if (!read.ok()) report_->Broken(std::string(read.message()));
  if (!report_->broken().empty()) return;
  if (position_.last_sequence < before) {
    report_->Broken(fmt::format("the journal ends at {}; durable were those to {}", position_.last_sequence, before));
  }
  for (const auto& [id, payment] : answered_) CheckAnswered(payment);
  CheckBalances();
}

void Oracle::CheckBalances() {
  if (ledger_ == nullptr) return;
  std::map<core::StationId, Money> expected = purchased_;
  std::map<std::string, Money> owed;
  for (const auto& [id, payment] : payments_) {
    if (TookEffect(payment)) owed[payment.biller_id] += payment.amount;
    if (ColumnFor(payment) == Column::kCaptured) expected[payment.station] -= payment.amount;
  }
  ledger_->ForEachAccount([&](const core::Account& account) {
    Money right = account.balance;
    if (account.kind == core::AccountKind::kStation) right = expected[account.station];
    if (account.kind == core::AccountKind::kBillerPayable) right = owed[account.biller_id];
    if (account.balance != right) {
      report_->Broken(
          fmt::format("{}: {}; its purchases and payments make {}", NameOf(account), Text(account), right.fen()));
    }
  });
}

void Oracle::CheckRecovered(const core::Ledger& recovered) {
  if (ledger_ == nullptr) return;
  if (std::string fault = FaultOf(recovered); !fault.empty()) return report_->Broken("recovered: " + fault);
  const std::string difference = DifferenceOf(recovered, *ledger_);
  if (!difference.empty()) report_->Broken("start-up does not give what the journal says: " + difference);
}

void Oracle::CheckStored(const storage::MemoryCommitLog& stored) {
  const absl::StatusOr<storage::VerifyReport> verified = storage::Verify(stored, stored);
  if (!verified.ok()) return report_->Broken(std::string(verified.status().message()));
  if (!verified->clean()) report_->Broken("verify: " + verified->faults.front());
}

void Oracle::CheckSettled() {
  for (const auto& [id, payment] : payments_) {
    if (!core::IsAtRest(payment.state) && payment.state != PaymentState::kReview) {
      report_->Broken("forgotten: " + Text(payment));
    }
  }
}

void Oracle::CheckBooks(core::PaymentId id, int effects, int taken_back) {
  const Payment* payment = Find(id);
  if (payment == nullptr) {
    report_->Broken(fmt::format("the biller has payment {}, and the journal has not", id.ToString()));
    return;
  }
  if (effects > 1) report_->Broken(fmt::format("{} effects at the biller: {}", effects, Text(*payment)));
  if (payment->state == PaymentState::kReview) return;  // which says why
  const int due = TookEffect(*payment) ? 1 : 0;
  if (effects - taken_back != due) {
    report_->Broken(
        fmt::format("the biller has {} effects, {} of them taken back: {}", effects, taken_back, Text(*payment)));
  }
}

const Payment* Oracle::Find(core::PaymentId id) const {
  auto it = payments_.find(id);
  return it == payments_.end() ? nullptr : &it->second;
}

const Payment* Oracle::FindRequest(core::StationId station, const std::string& request_id) const {
  auto it = requests_.find(core::RequestKey(station, request_id));
  return it == requests_.end() ? nullptr : Find(it->second);
}

}  // namespace waystation::sim
