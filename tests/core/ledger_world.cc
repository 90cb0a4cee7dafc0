#include "tests/core/ledger_world.h"

#include "fmt/format.h"

namespace waystation::core {
namespace {

std::string Figures(const AccountAfter& after) {
  return fmt::format("balance {} reserved {} forwarded {}", FormatYuan(after.balance), FormatYuan(after.reserved),
                     FormatYuan(after.forwarded));
}

std::string Describe(const Account& a) {
  std::string text = fmt::format("{} credit {} {} \"{}\" name \"{}\" opened {} enabled {} signed",
                                 Figures({a.balance, a.reserved, a.forwarded}), FormatYuan(a.credit_limit),
                                 Name(a.status), a.status_reason, a.name, a.opened.ToString(), a.biller_enabled);
  for (StationId institution : a.signing_institutions) text += " " + institution.ToString();
  return text;
}

std::string Describe(const Payment& p) {
  std::string text = fmt::format("payment {} {} {} {} {} {} \"{}\" {} {} ref {} voucher {} cause {} of {}",
                                 p.id.ToString(), p.station.ToString(), p.operator_id, p.request_id, p.biller_id,
                                 p.customer_number, p.customer_name, FormatYuan(p.amount), Name(p.state),
                                 p.biller_reference, p.voucher, p.unknown_cause, p.business_date.ToString());
  if (p.decline.has_value()) {
    text += fmt::format(" {} {} {}", Name(p.decline->reason), p.decline->biller_code, p.decline->text);
  }
  if (p.resolution.has_value()) {
    text += fmt::format(" {} by {} and {}: {}", Name(p.resolution->verdict), p.resolution->proposed_by,
                        p.resolution->confirmed_by, p.resolution->reason);
  }
  for (const StateChange& change : p.history) {
    text += fmt::format(" {}:{}@{}/{}", change.sequence, Name(change.state), change.time.time_since_epoch().count(),
                        change.business_date.ToString());
  }
  return text;
}

// Of a leg with figures.
StationId StationOf(const Leg& leg) {
  return std::visit(
      [](const auto& fact) {
        if constexpr (requires { fact.after; }) {
          return fact.station;
        } else {
          return StationId();
        }
      },
      leg.fact);
}

absl::Status ApplyAll(const std::vector<JournalEntry>& journal, Ledger& ledger) {
  for (const JournalEntry& entry : journal) {
    if (entry.leg.sequence <= ledger.last_sequence()) continue;
    if (absl::Status status = ledger.Apply(entry.leg, entry.stamp); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

BusinessDate FirstDate() {
  return *BusinessDate::FromNumber(20261121);
}

BlockStamp StampOf(uint64_t sequence, BusinessDate date) {
  return {.time = FirstDate().days() + std::chrono::seconds(sequence), .business_date = date};
}

std::string AccountKey(const Account& account) {
  std::string key(Name(account.kind));
  if (account.kind == AccountKind::kStation) key += " " + account.station.ToString();
  if (account.kind == AccountKind::kBillerPayable) key += " " + account.biller_id;
  return key;
}

LedgerWorld::LedgerWorld() : ledger_(std::make_unique<Ledger>(FirstDate())) {
  snapshot_.day = ledger_->business_day();
}

LedgerWorld::Answer LedgerWorld::Do(const Command& command) {
  Decision decision = ledger_->Decide(command, PriorOf(command));
  if (!decision.leg.has_value()) return {std::move(decision.reply), std::nullopt};

  const BlockStamp stamp = StampOf(decision.leg->sequence, ledger_->business_day().date);
  if (const absl::Status applied = ledger_->Apply(*decision.leg, stamp); !applied.ok()) {
    decision.reply.status = absl::InternalError(applied.message());
    return {std::move(decision.reply), std::nullopt};
  }
  journal_.push_back({*decision.leg, stamp});
  Reply reply;
  ledger_->MakeReply(*decision.leg, &reply);
  if (const Payment* payment = std::get_if<Payment>(&reply.value); payment != nullptr && IsAtRest(payment->state)) {
    not_indexed_.emplace_back(*payment);
  }
  if (const Purchase* purchase = std::get_if<Purchase>(&reply.value)) not_indexed_.emplace_back(*purchase);
  return {std::move(reply), std::move(decision.leg)};
}

Prior LedgerWorld::PriorOfRequest(StationId station, const std::string& request_id) const {
  if (ledger_->HasRequest({station, request_id})) return {};
  const auto row = request_rows_.find(RequestKey(station, request_id));
  if (row == request_rows_.end()) return {};
  if (const PaymentId* id = std::get_if<PaymentId>(&row->second)) return payment_rows_.at(*id);
  return std::get<Purchase>(row->second);
}

Prior LedgerWorld::PriorOf(const Command& command) const {
  if (const auto* c = std::get_if<AcceptPayment>(&command)) return PriorOfRequest(c->station, c->request_id);
  if (const auto* c = std::get_if<RecordCounterPurchase>(&command)) return PriorOfRequest(c->station, c->request_id);
  if (const std::optional<PaymentId> id = PaymentLookedUp(command); id.has_value()) {
    const auto row = payment_rows_.find(*id);
    if (ledger_->FindPayment(*id) == nullptr && row != payment_rows_.end()) return row->second;
  }
  return {};
}

void LedgerWorld::ForgetAtRest() {
  ledger_->ForgetAtRest(ledger_->last_sequence());
  for (const auto& row : not_indexed_) {
    if (const Payment* payment = std::get_if<Payment>(&row)) {
      payment_rows_[payment->id] = *payment;
      request_rows_[RequestKey(payment->station, payment->request_id)] = payment->id;
    } else {
      const Purchase& purchase = std::get<Purchase>(row);
      request_rows_[RequestKey(purchase.station, purchase.request_id)] = purchase;
    }
  }
  not_indexed_.clear();
}

std::vector<std::string> LedgerWorld::TakeSnapshot() {
  return UpdateSnapshot(*ledger_, snapshot_);
}

const Payment* LedgerWorld::Find(PaymentId id) const {
  if (const Payment* payment = ledger_->FindPayment(id)) return payment;
  const auto row = payment_rows_.find(id);
  return row == payment_rows_.end() ? nullptr : &row->second;
}

std::vector<std::string> UpdateSnapshot(Ledger& ledger, SnapshotRows& rows) {
  const Ledger::Changes changes = ledger.TakeChanges();
  for (const Account* account : changes.accounts) rows.accounts[AccountKey(*account)] = *account;
  for (const Payment* payment : changes.open) rows.open[payment->id] = *payment;
  // Last, so that a payment that stands in both lists loses its row, and is missed below.
  for (PaymentId id : changes.no_longer_open) rows.open.erase(id);
  rows.last_sequence = ledger.last_sequence();
  rows.day = ledger.business_day();

  std::map<PaymentId, Payment> open;
  ledger.ForEachOpen([&](const Payment& payment) { open[payment.id] = payment; });
  std::vector<std::string> faults;
  for (const auto& [id, payment] : open) {
    const auto row = rows.open.find(id);
    if (row == rows.open.end()) faults.push_back("the snapshot lacks " + Describe(payment));
    if (row != rows.open.end() && row->second != payment) faults.push_back("the snapshot has old " + Describe(payment));
  }
  for (const auto& [id, payment] : rows.open) {
    if (!open.contains(id)) faults.push_back("the snapshot still has " + Describe(payment));
  }
  return faults;
}

absl::StatusOr<std::unique_ptr<Ledger>> Recover(const SnapshotRows& rows, const std::vector<JournalEntry>& journal) {
  auto ledger = std::make_unique<Ledger>(FirstDate());
  for (const auto& [key, account] : rows.accounts) {
    if (absl::Status status = ledger->RestoreAccount(account); !status.ok()) return status;
  }
  for (const auto& [id, payment] : rows.open) {
    if (absl::Status status = ledger->RestoreOpenPayment(payment); !status.ok()) return status;
  }
  ledger->RestorePosition(rows.last_sequence, rows.day);
  if (absl::Status status = ApplyAll(journal, *ledger); !status.ok()) return status;
  return ledger;
}

absl::StatusOr<std::unique_ptr<Ledger>> Replay(const std::vector<JournalEntry>& journal) {
  auto ledger = std::make_unique<Ledger>(FirstDate());
  for (const JournalEntry& entry : journal) {
    if (absl::Status status = ledger->Apply(entry.leg, entry.stamp); !status.ok()) return status;
  }
  return ledger;
}

std::string Describe(const Ledger& ledger) {
  const BusinessDay& day = ledger.business_day();
  std::string text = fmt::format("leg {}, {} open since {} (leg {})\n", ledger.last_sequence(), day.date.ToString(),
                                 day.opened_at.time_since_epoch().count(), day.opened_sequence);
  // In order of key: an account's place in memory is not part of what it is.
  std::map<std::string, std::string> accounts;
  ledger.ForEachAccount([&](const Account& account) { accounts[AccountKey(account)] = Describe(account); });
  for (const auto& [key, account] : accounts) text += key + ": " + account + "\n";
  ledger.ForEachOpen([&](const Payment& payment) { text += Describe(payment) + "\n"; });
  return text;
}

std::vector<std::string> FaultsOfBooks(const Ledger& ledger) {
  std::vector<std::string> faults;
  if (ledger.SumOfBalances() != Money()) {
    faults.push_back("the sum over all accounts is " + FormatYuan(ledger.SumOfBalances()));
  }
  std::map<StationId, Money> reserved;
  std::map<StationId, Money> forwarded;
  ledger.ForEachOpen([&](const Payment& payment) {
    if (payment.column() == MoneyColumn::kReserved) reserved[payment.station] += payment.amount;
    if (payment.column() == MoneyColumn::kForwarded) forwarded[payment.station] += payment.amount;
  });
  ledger.ForEachAccount([&](const Account& account) {
    const auto fault = [&](std::string_view what, Money amount) {
      faults.push_back(fmt::format("{}: {} {}", AccountKey(account), what, FormatYuan(amount)));
    };
    if (account.kind != AccountKind::kStation) return;
    if (account.available() < Money()) fault("available is", account.available());
    if (account.reserved < Money()) fault("reserved is", account.reserved);
    if (account.forwarded < Money()) fault("forwarded is", account.forwarded);
    if (account.reserved != reserved[account.station])
      fault("reserved differs from its payments by", account.reserved - reserved[account.station]);
    if (account.forwarded != forwarded[account.station])
      fault("forwarded differs from its payments by", account.forwarded - forwarded[account.station]);
  });
  return faults;
}

std::vector<std::string> FaultsOfHolds(const std::vector<JournalEntry>& journal) {
  struct Hold {
    Money amount;
    Money left;
  };
  std::vector<std::string> faults;
  std::map<StationId, Money> held;
  std::map<PaymentId, Hold> holds;
  for (const JournalEntry& entry : journal) {
    const AccountAfter* after = AfterOf(entry.leg);
    if (after == nullptr) continue;
    const auto fault = [&](std::string_view what) {
      faults.push_back(fmt::format("leg {}: {}", entry.leg.sequence, what));
    };
    Money& before = held[StationOf(entry.leg)];
    const Money change = after->reserved + after->forwarded - before;
    before += change;

    if (const auto* f = std::get_if<PaymentAccepted>(&entry.leg.fact)) {
      if (change != (f->decline.has_value() ? Money() : f->amount)) fault("holds another amount than it accepts");
      holds[PaymentId::FromNumber(entry.leg.sequence)] = {f->amount, change};
    } else if (const auto* moved = std::get_if<PaymentMoved>(&entry.leg.fact)) {
      Hold& hold = holds[moved->payment_id];
      if (change != Money() && change != -hold.amount) fault("holds more, or ends a part of a hold");
      if (change != Money() && hold.left != hold.amount) fault("ends a hold that had ended, or never was");
      hold.left += change;
    } else if (change != Money()) {
      fault("changes what is held, but is no payment's");
    }
  }
  return faults;
}

const AccountAfter* AfterOf(const Leg& leg) {
  return std::visit(
      [](const auto& fact) -> const AccountAfter* {
        if constexpr (requires { fact.after; }) {
          return &fact.after;
        } else {
          return nullptr;
        }
      },
      leg.fact);
}

AccountAfter* AfterOf(Leg& leg) {
  return const_cast<AccountAfter*>(AfterOf(static_cast<const Leg&>(leg)));
}

}  // namespace waystation::core
