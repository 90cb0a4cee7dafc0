#include "switch/core/ledger.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"
#include "switch/core/money_move.h"

namespace waystation::core {
namespace {

absl::Status Contradiction(const Leg& leg, std::string_view fault) {
  return absl::DataLossError(fmt::format("leg {}: {}", leg.sequence, fault));
}

AccountAfter FiguresOf(const Account& account) {
  return {account.balance, account.reserved, account.forwarded};
}

std::string Text(const AccountAfter& after) {
  return fmt::format("balance {}, reserved {}, forwarded {}", after.balance.fen(), after.reserved.fen(),
                     after.forwarded.fen());
}

absl::Status Differs(const Leg& leg, const AccountAfter& expected, const AccountAfter& found) {
  return Contradiction(leg, fmt::format("the account would stand at {}; the leg says {}", Text(expected), Text(found)));
}

}  // namespace

AccountAfter Moved(AccountAfter figures, Money amount, MoneyColumn from, MoneyColumn to) {
  switch (from) {
    case MoneyColumn::kNone: break;
    case MoneyColumn::kReserved: figures.reserved -= amount; break;
    case MoneyColumn::kForwarded: figures.forwarded -= amount; break;
    case MoneyColumn::kCaptured: figures.balance += amount; break;
  }
  switch (to) {
    case MoneyColumn::kNone: break;
    case MoneyColumn::kReserved: figures.reserved += amount; break;
    case MoneyColumn::kForwarded: figures.forwarded += amount; break;
    case MoneyColumn::kCaptured: figures.balance -= amount; break;
  }
  return figures;
}

Ledger::Ledger(BusinessDate first_date) : day_{.date = first_date, .opened_at = {}, .opened_sequence = 0} {
  for (AccountKind kind :
       {AccountKind::kBankClearing, AccountKind::kCounterClearing, AccountKind::kCommission, AccountKind::kSuspense}) {
    Account account;
    account.kind = kind;
    AddAccount(std::move(account));
  }
}

absl::Status Ledger::Apply(const Leg& leg, const BlockStamp& stamp) {
  const bool resumed = std::holds_alternative<JournalResumed>(leg.fact) && leg.sequence > last_sequence_;
  if (leg.sequence != last_sequence_ + 1 && !resumed) {
    return Contradiction(leg, fmt::format("follows leg {}; expected {}", last_sequence_, last_sequence_ + 1));
  }
  if (stamp.business_date != day_.date) {
    return Contradiction(leg, fmt::format("is of business date {}, but {} is open", stamp.business_date.ToString(),
                                          day_.date.ToString()));
  }
  absl::Status status = std::visit([&](const auto& fact) { return Make(fact, leg, stamp); }, leg.fact);
  if (status.ok()) last_sequence_ = leg.sequence;
  return status;
}

absl::Status Ledger::Make(const StationRegistered& f, const Leg& leg, const BlockStamp& stamp) {
  if (Station(f.station) != nullptr) return Contradiction(leg, "registers a station that exists");
  Account account;
  account.kind = AccountKind::kStation;
  account.station = f.station;
  account.name = f.name;
  account.signing_institutions = f.signing_institutions;
  account.opened = stamp.business_date;
  account.status_set_by = leg.sequence;
  Touch(AddAccount(std::move(account)), leg);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const StationStatusSet& f, const Leg& leg, const BlockStamp&) {
  Account* station = Station(f.station);
  if (station == nullptr) return Contradiction(leg, "names a station that does not exist");
  const bool new_reason = station->status == f.status && station->status_reason != f.reason;
  if (!new_reason && !CanFollow(station->status, f.status)) {
    return Contradiction(leg, "takes a step that the station's life lacks");
  }
  station->status = f.status;
  station->status_reason = f.reason;
  station->status_set_by = leg.sequence;
  Touch(*station, leg);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const CreditGranted& f, const Leg& leg, const BlockStamp&) {
  Account* station = Station(f.station);
  if (station == nullptr) return Contradiction(leg, "names a station that does not exist");
  if (f.after != FiguresOf(*station)) return Differs(leg, FiguresOf(*station), f.after);
  station->credit_limit = f.credit_limit;
  if (station->available() < Money()) return Contradiction(leg, "leaves the available balance below zero");
  Touch(*station, leg);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const CounterPurchased& f, const Leg& leg, const BlockStamp& stamp) {
  Account* station = Station(f.station);
  if (station == nullptr) return Contradiction(leg, "names a station that does not exist");
  if (f.amount <= Money()) return Contradiction(leg, "purchases an amount that is not positive");
  const RequestName request{f.station, f.request_id};
  if (requests_.contains(request)) return Contradiction(leg, "records a request a second time");
  AccountAfter expected = FiguresOf(*station);
  expected.balance += f.amount;
  if (f.after != expected) return Differs(leg, expected, f.after);
  Post(SystemAccount(AccountKind::kCounterClearing), *station, f.amount, leg);

  requests_[Request{f.station, f.request_id}] = Purchase{.sequence = leg.sequence,
                                                         .station = f.station,
                                                         .request_id = f.request_id,
                                                         .amount = f.amount,
                                                         .clerk_id = f.clerk_id,
                                                         .balance_after = station->balance,
                                                         .business_date = stamp.business_date,
                                                         .time = stamp.time};
  resting_.push_back({leg.sequence, Request{f.station, f.request_id}});
  return absl::OkStatus();
}

absl::Status Ledger::Make(const BillerRegistered& f, const Leg& leg, const BlockStamp&) {
  if (Payable(f.biller_id) != nullptr) return Contradiction(leg, "registers a biller that exists");
  Account account;
  account.kind = AccountKind::kBillerPayable;
  account.biller_id = f.biller_id;
  account.status_set_by = leg.sequence;
  Touch(AddAccount(std::move(account)), leg);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const BillerStatusSet& f, const Leg& leg, const BlockStamp&) {
  Account* payable = Payable(f.biller_id);
  if (payable == nullptr) return Contradiction(leg, "names a biller that does not exist");
  payable->biller_enabled = f.enabled;
  payable->status_reason = f.reason;
  payable->status_set_by = leg.sequence;
  Touch(*payable, leg);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const JournalResumed&, const Leg&, const BlockStamp&) {
  return absl::OkStatus();
}

absl::Status Ledger::Make(const DayCut& f, const Leg& leg, const BlockStamp& stamp) {
  if (f.closed != day_.date) return Contradiction(leg, "closes a date that is not open");
  if (f.opened <= f.closed) return Contradiction(leg, "opens a date that is not later");
  day_ = {.date = f.opened, .opened_at = stamp.time, .opened_sequence = leg.sequence};
  return absl::OkStatus();
}

absl::Status Ledger::Make(const PaymentAccepted& f, const Leg& leg, const BlockStamp& stamp) {
  Account* station = Station(f.station);
  Account* payable = Payable(f.biller_id);
  if (station == nullptr) return Contradiction(leg, "names a station that does not exist");
  if (payable == nullptr) return Contradiction(leg, "names a biller that does not exist");
  if (f.amount <= Money()) return Contradiction(leg, "pays an amount that is not positive");
  const RequestName request{f.station, f.request_id};
  if (requests_.contains(request)) return Contradiction(leg, "accepts a request a second time");

  const PaymentState state = f.decline.has_value() ? PaymentState::kDeclined : PaymentState::kHeld;
  const AccountAfter expected = Moved(FiguresOf(*station), f.amount, MoneyColumn::kNone, ColumnOf(state, state));
  if (f.after != expected) return Differs(leg, expected, f.after);
  if (absl::Status status = SetFigures(*station, *payable, expected, leg); !status.ok()) return status;

  Held& held = AddPayment(PaymentId::FromNumber(leg.sequence), request);
  Payment& payment = held.payment;
  payment.id = PaymentId::FromNumber(leg.sequence);
  payment.station = f.station;
  payment.operator_id = f.operator_id;
  payment.request_id = f.request_id;
  payment.biller_id = f.biller_id;
  payment.customer_number = f.customer_number;
  payment.customer_name = f.customer_name;
  payment.amount = f.amount;
  payment.state = state;
  payment.decline = f.decline;
  payment.business_date = stamp.business_date;
  payment.history.push_back({leg.sequence, state, stamp.time, stamp.business_date});
  MarkChanged(held, leg.sequence);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const PaymentMoved& f, const Leg& leg, const BlockStamp& stamp) {
  auto it = payments_.find(f.payment_id);
  if (it == payments_.end() && f.reopened.has_value()) {
    const RequestName request{f.reopened->station, f.reopened->request_id};
    if (f.reopened->id != f.payment_id) return Contradiction(leg, "reopens another payment");
    if (!IsAtRest(f.reopened->state)) return Contradiction(leg, "reopens a payment that is not at rest");
    if (requests_.contains(request)) return Contradiction(leg, "reopens a payment whose request is another's");
    AddPayment(f.payment_id, request).payment = *f.reopened;
    it = payments_.find(f.payment_id);
  }
  if (it == payments_.end()) return Contradiction(leg, "moves a payment that is not open");
  Held& held = it->second;
  Payment& payment = held.payment;
  if (f.reopened.has_value() && *f.reopened != payment) return Contradiction(leg, "reopens another payment");
  if (payment.station != f.station) return Contradiction(leg, "moves a payment of another station");
  if (NextState(payment.state, f.event) != f.state) {
    return Contradiction(
        leg, fmt::format("moves a payment from {} by \"{}\" to {}", Name(payment.state), Name(f.event), Name(f.state)));
  }
  Account* station = Station(payment.station);
  Account* payable = Payable(payment.biller_id);
  if (station == nullptr || payable == nullptr) return Contradiction(leg, "moves a payment of no account");
  if ((f.event == PaymentEvent::kAdjusted) != f.resolution.has_value()) {
    return Contradiction(leg, "adjusts without a resolution, or has one for something else");
  }
  const AccountAfter expected =
      Moved(FiguresOf(*station), payment.amount, payment.column(), ColumnAfter(payment, f.state, f.resolution));
  if (f.after != expected) return Differs(leg, expected, f.after);
  if (absl::Status status = SetFigures(*station, *payable, expected, leg); !status.ok()) return status;

  if (f.resolution.has_value()) {
    if (f.resolution->verdict == Verdict::kWriteOff) {
      Post(SystemAccount(AccountKind::kSuspense), *payable, payment.amount, leg);
    }
    payment.resolution = f.resolution;
  }

  // What was proposed without knowing of it is not confirmed in its light.
  if (f.event == PaymentEvent::kLateApproval) payment.resolution.reset();

  payment.state = f.state;
  payment.decline = f.decline;
  payment.unknown_cause = f.unknown_cause;
  if (!f.biller_reference.empty()) payment.biller_reference = f.biller_reference;
  if (!f.voucher.empty()) payment.voucher = f.voucher;
  if (!f.customer_name.empty()) payment.customer_name = f.customer_name;
  payment.history.push_back({leg.sequence, f.state, stamp.time, stamp.business_date});
  MarkChanged(held, leg.sequence);
  return absl::OkStatus();
}

absl::Status Ledger::Make(const ResolutionProposed& f, const Leg& leg, const BlockStamp&) {
  auto it = payments_.find(f.payment_id);
  if (it == payments_.end()) return Contradiction(leg, "proposes a resolution of a payment that is not open");
  Payment& payment = it->second.payment;
  if (payment.station != f.station) return Contradiction(leg, "proposes a resolution of a payment of another station");
  if (payment.state != PaymentState::kReview) {
    return Contradiction(leg, "proposes a resolution of a payment that is not in REVIEW");
  }
  if (f.resolution.sequence != 0 && f.resolution.sequence != leg.sequence) {
    return Contradiction(leg, "proposes a resolution under the number of another leg");
  }
  payment.resolution = f.resolution;
  MarkChanged(it->second, leg.sequence);
  return absl::OkStatus();
}

void Ledger::MakeReply(const Leg& leg, Reply* reply) const {
  reply->status = absl::OkStatus();
  reply->repeated = false;
  reply->decline.reset();
  reply->sequence = leg.sequence;
  struct Visitor {
    const Ledger& ledger;
    const Leg& leg;
    decltype(Reply::value)& value;

    void operator()(const StationRegistered& f) const { value = *ledger.FindStation(f.station); }
    void operator()(const StationStatusSet& f) const { value = *ledger.FindStation(f.station); }
    void operator()(const CreditGranted& f) const { value = *ledger.FindStation(f.station); }
    void operator()(const CounterPurchased& f) const { value = *ledger.FindPurchase({f.station, f.request_id}); }
    void operator()(const BillerRegistered&) const { value = std::monostate(); }
    void operator()(const BillerStatusSet&) const { value = std::monostate(); }
    void operator()(const DayCut&) const { value = ledger.day_; }
    void operator()(const JournalResumed&) const { value = std::monostate(); }
    void operator()(const PaymentAccepted&) const { Set(PaymentId::FromNumber(leg.sequence)); }
    void operator()(const PaymentMoved& f) const { Set(f.payment_id); }
    void operator()(const ResolutionProposed& f) const { Set(f.payment_id); }

    // Copied once, into the strings that are there already where there are.
    void Set(PaymentId id) const {
      const Payment& payment = *ledger.FindPayment(id);
      if (auto* before = std::get_if<Payment>(&value)) {
        *before = payment;
      } else {
        value.emplace<Payment>(payment);
      }
    }
  };
  std::visit(Visitor{*this, leg, reply->value}, leg.fact);
}

void Ledger::ForgetAtRest(uint64_t durable_sequence) {
  while (!resting_.empty() && resting_.front().sequence <= durable_sequence) {
    const Resting& front = resting_.front();
    if (const PaymentId* id = std::get_if<PaymentId>(&front.what)) {
      auto it = payments_.find(*id);
      // It may have been reopened since; then its next rest is queued further back.
      if (it != payments_.end() && it->second.payment.last_sequence() == front.sequence) {
        const Payment& payment = it->second.payment;
        requests_.erase(RequestName{payment.station, payment.request_id});
        payments_by_station_.erase({payment.station, payment.id});
        payments_.erase(it);
      }
    } else {
      requests_.erase(std::get<Request>(front.what));
    }
    resting_.pop_front();
  }
}

const Payment* Ledger::FindPayment(PaymentId id) const {
  auto it = payments_.find(id);
  return it == payments_.end() ? nullptr : &it->second.payment;
}

const Account* Ledger::FindStation(StationId station) const {
  auto it = stations_.find(station);
  return it == stations_.end() ? nullptr : &accounts_[it->second];
}

const Purchase* Ledger::FindPurchase(const RequestName& request) const {
  auto it = requests_.find(request);
  return it == requests_.end() ? nullptr : std::get_if<Purchase>(&it->second);
}

bool Ledger::HasRequest(const RequestName& request) const {
  return requests_.contains(request);
}

Money Ledger::SumOfBalances() const {
  Money sum;
  for (const Account& account : accounts_) sum += account.balance;
  return sum;
}

void Ledger::ForEachAccount(absl::FunctionRef<void(const Account&)> visit) const {
  for (const Account& account : accounts_) visit(account);
}

void Ledger::ForEachOpen(absl::FunctionRef<void(const Payment&)> visit) const {
  for (const auto& [station, id] : payments_by_station_) {
    const Payment& payment = payments_.at(id).payment;
    if (!IsAtRest(payment.state)) visit(payment);
  }
}

Ledger::Changes Ledger::TakeChanges() {
  Changes changes;
  // As they lie in memory, which since the last start is their order in the snapshot too: rows in order cost the store
  // a fraction of the others.
  std::sort(dirty_accounts_.begin(), dirty_accounts_.end());
  changes.accounts.reserve(dirty_accounts_.size());
  for (uint32_t index : dirty_accounts_) {
    changes.accounts.push_back(&accounts_[index]);
    account_dirty_[index] = false;
  }
  dirty_accounts_.clear();
  changes.no_longer_open = std::exchange(lost_snapshot_rows_, {});
  // A cancel may have opened it again since: it stands among the open ones then.
  std::erase_if(changes.no_longer_open, [&](PaymentId id) { return dirty_payments_.contains(id); });
  for (PaymentId id : dirty_payments_) {
    Held& held = payments_.at(id);
    held.has_snapshot_row = true;
    changes.open.push_back(&held.payment);
  }
  dirty_payments_.clear();
  // A hash table's order is another in each process; what is written is not to depend on it.
  std::sort(changes.open.begin(), changes.open.end(), [](const Payment* a, const Payment* b) { return a->id < b->id; });
  return changes;
}

absl::Status Ledger::RestoreAccount(Account account) {
  switch (account.kind) {
    case AccountKind::kStation:
      if (Station(account.station) != nullptr) return absl::DataLossError("a station stands twice in the snapshot");
      AddAccount(std::move(account));
      return absl::OkStatus();
    case AccountKind::kBillerPayable:
      if (Payable(account.biller_id) != nullptr) return absl::DataLossError("a biller stands twice in the snapshot");
      AddAccount(std::move(account));
      return absl::OkStatus();
    case AccountKind::kBankClearing:
    case AccountKind::kCounterClearing:
    case AccountKind::kCommission:
    case AccountKind::kSuspense: SystemAccount(account.kind).balance = account.balance; return absl::OkStatus();
  }
  return absl::DataLossError("an account of no known kind stands in the snapshot");
}

absl::Status Ledger::RestoreOpenPayment(Payment payment) {
  if (payments_.contains(payment.id) || IsAtRest(payment.state)) {
    return absl::DataLossError(
        fmt::format("payment {} in the snapshot is not open, or stands twice", payment.id.ToString()));
  }
  Held& held = AddPayment(payment.id, {payment.station, payment.request_id});
  held.payment = std::move(payment);
  held.has_snapshot_row = true;
  return absl::OkStatus();
}

void Ledger::RestorePosition(uint64_t last_sequence, const BusinessDay& day) {
  last_sequence_ = last_sequence;
  day_ = day;
}

Account* Ledger::Station(StationId station) {
  return const_cast<Account*>(std::as_const(*this).FindStation(station));
}

const Account* Ledger::Payable(std::string_view biller_id) const {
  auto it = payables_.find(biller_id);
  return it == payables_.end() ? nullptr : &accounts_[it->second];
}

Account* Ledger::Payable(std::string_view biller_id) {
  return const_cast<Account*>(std::as_const(*this).Payable(biller_id));
}

Account& Ledger::SystemAccount(AccountKind kind) {
  // The constructor made them, before any other.
  for (Account& account : accounts_) {
    if (account.kind == kind) return account;
  }
  WS_CHECK(false, "no such system account");
  return accounts_.front();
}

Account& Ledger::AddAccount(Account account) {
  const uint32_t index = static_cast<uint32_t>(accounts_.size());
  account.index = index;
  if (account.kind == AccountKind::kStation) {
    stations_.emplace(account.station, index);
    stations_in_order_.insert(account.station);
  }
  if (account.kind == AccountKind::kBillerPayable) payables_.emplace(account.biller_id, index);
  accounts_.push_back(std::move(account));
  account_dirty_.push_back(false);
  return accounts_.back();
}

void Ledger::Touch(Account& account, const Leg& leg) {
  account.changed_by = leg.sequence;
  if (account_dirty_[account.index]) return;
  account_dirty_[account.index] = true;
  dirty_accounts_.push_back(account.index);
}

void Ledger::Post(Account& from, Account& to, Money amount, const Leg& leg) {
  from.balance -= amount;
  to.balance += amount;
  Touch(from, leg);
  Touch(to, leg);
}

absl::Status Ledger::SetFigures(Account& station, Account& payable, const AccountAfter& after, const Leg& leg) {
  if (after.reserved < Money() || after.forwarded < Money()) {
    return Contradiction(leg, "leaves less than nothing held");
  }
  if (after.balance != station.balance) Post(station, payable, station.balance - after.balance, leg);
  station.reserved = after.reserved;
  station.forwarded = after.forwarded;
  if (station.available() < Money()) return Contradiction(leg, "leaves the available balance below zero");
  Touch(station, leg);
  return absl::OkStatus();
}

Ledger::Held& Ledger::AddPayment(PaymentId id, const RequestName& request) {
  requests_[Request{request.station, std::string(request.request_id)}] = id;
  payments_by_station_.emplace(request.station, id);
  return payments_[id];
}

void Ledger::MarkChanged(Held& held, uint64_t sequence) {
  held.changed_by = sequence;
  if (!IsAtRest(held.payment.state)) {
    dirty_payments_.insert(held.payment.id);
    return;
  }
  dirty_payments_.erase(held.payment.id);
  if (std::exchange(held.has_snapshot_row, false)) lost_snapshot_rows_.push_back(held.payment.id);
  resting_.push_back({sequence, held.payment.id});
}

}  // namespace waystation::core
