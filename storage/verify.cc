#include "storage/verify.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "storage/block.h"
#include "storage/index.h"
#include "storage/leg_codec.h"
#include "storage/snapshot.h"
#include "switch/core/ledger.h"
#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

class Verifier {
 public:
  Verifier(const CommitLog& log, const RowReader& rows, const absl::StatusOr<std::optional<HighWaterMark>>& mark)
      : log_(log), rows_(rows), mark_(mark) {}

  absl::StatusOr<VerifyReport> Run() {
    absl::StatusOr<std::optional<SnapshotPosition>> snapshot = ReadSnapshotPosition(rows_);
    if (!snapshot.ok()) {
      Fault(std::string(snapshot.status().message()));
    } else if (snapshot->has_value()) {
      snapshot_ = **snapshot;
      report_.snapshot_sequence = snapshot_->chain.last_sequence;
    }
    absl::Status read =
        log_.ReadBlocks(1, [&](uint64_t first, std::string_view bytes) { return OnBlock(first, bytes); });
    if (!read.ok()) Fault(std::string(read.message()));
    CompareHighWater();
    if (ledger_.has_value()) CompareTotals();
    if (whole_ && read.ok()) {
      if (snapshot_.has_value() && !snapshot_compared_) {
        Fault(fmt::format("the snapshot is of leg {}, and no block ends there; the journal ends at {}",
                          report_.snapshot_sequence, report_.last_sequence));
      }
      if (absl::Status status = CountRows(); !status.ok()) return status;
    }
    return std::move(report_);
  }

 private:
  void Fault(std::string fault) {
    ++report_.fault_count;
    if (report_.faults.size() < core::kMaxFaultsListed) report_.faults.push_back(std::move(fault));
  }

  bool OnBlock(uint64_t key, std::string_view bytes) {
    absl::StatusOr<OpenedBlock> block = OpenNextBlock(bytes, &position_);
    if (!block.ok()) return Break(std::string(block.status().message()));
    if (block->header.first_sequence() != key) {
      return Break(fmt::format("block at sequence {}: is stored under {}", block->header.first_sequence(), key));
    }
    if (!ledger_.has_value()) ledger_.emplace(block->stamp.business_date);
    for (const core::Leg& leg : block->legs) {
      absl::Status status = ledger_->Apply(leg, block->stamp);
      if (!status.ok()) return Break(std::string(status.message()));
      CompareIndex(leg);
    }
    ledger_->ForgetAtRest(position_.last_sequence);
    ++report_.blocks;
    report_.legs += block->legs.size();
    report_.last_sequence = position_.last_sequence;
    if (snapshot_.has_value() && snapshot_->chain.last_sequence == position_.last_sequence) CompareSnapshot();
    return true;
  }

  bool Break(std::string fault) {
    Fault(std::move(fault));
    whole_ = false;
    return false;
  }

  void CompareIndex(const core::Leg& leg) {
    const core::Payment* payment = nullptr;
    if (std::holds_alternative<core::PaymentAccepted>(leg.fact)) {
      payment = ledger_->FindPayment(core::PaymentId::FromNumber(leg.sequence));
    } else if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) {
      payment = ledger_->FindPayment(moved->payment_id);
    } else if (const auto* purchased = std::get_if<core::CounterPurchased>(&leg.fact)) {
      ++request_rows_;
      const std::string key = core::RequestKey(purchased->station, purchased->request_id);
      CompareRequest(key, leg.sequence, *ledger_->FindPurchase(key));
    }
    if (payment != nullptr && core::IsAtRest(payment->state)) ComparePayment(*payment);
  }

  void ComparePayment(const core::Payment& payment) {
    size_t rests = 0;
    for (const core::StateChange& change : payment.history) rests += core::IsAtRest(change.state) ? 1 : 0;
    if (rests == 1) {
      ++report_.payments_at_rest;
      ++request_rows_;
    }
    absl::StatusOr<std::optional<std::string>> row = rows_.Get(Table::kPayments, PaymentRowKey(payment));
    if (!row.ok() || !row->has_value()) {
      Fault(fmt::format("payment {}: its index row is missing", payment.id.ToString()));
      return;
    }
    pb::PaymentRecord record;
    absl::StatusOr<core::Payment> stored =
        record.ParseFromString(**row) ? DecodePayment(record) : absl::DataLossError("does not parse");
    if (!stored.ok()) {
      Fault(fmt::format("payment {}: its index row is damaged: {}", payment.id.ToString(),
                        std::string(stored.status().message())));
      return;
    }
    // A payment that comes to rest again has the row of its last rest.
    if (stored->last_sequence() > payment.last_sequence()) return;
    if (*stored != payment) {
      Fault(fmt::format("payment {}: its index row differs from the journal at leg {}", payment.id.ToString(),
                        payment.last_sequence()));
      return;
    }
    ++matched_rows_;
    CompareLaterRows(payment);
    CompareRequest(core::RequestKey(payment.station, payment.request_id), payment.last_sequence(), payment);
  }

  // The rows under the dates of later changes; the payment's own row and its request's were compared.
  void CompareLaterRows(const core::Payment& payment) {
    for (const core::StateChange& change : payment.history) {
      if (change.business_date != payment.business_date) later_rows_.emplace(payment.id, change.business_date);
    }
    RowBatch expected;
    AddPaymentRows(payment, &expected);
    const std::string own = PaymentRowKey(payment);
    expected.ForEach([&](Table table, bool, std::string_view key, std::string_view value) {
      if (table != Table::kPayments || key == own) return;
      absl::StatusOr<std::optional<std::string>> row = rows_.Get(table, key);
      if (!row.ok() || *row != value) {
        Fault(
            fmt::format("payment {}: a row of a change on a later date is missing or damaged", payment.id.ToString()));
      }
    });
  }

  template <typename T>
  void CompareRequest(const std::string& key, uint64_t sequence, const T& expected) {
    absl::StatusOr<core::Prior> prior = Index(&log_, &rows_).FindRequest(key);
    if (!prior.ok()) {
      Fault(fmt::format("leg {}: its request row is damaged: {}", sequence, std::string(prior.status().message())));
    } else if (const T* stored = std::get_if<T>(&*prior); stored == nullptr) {
      Fault(fmt::format("leg {}: its request row is missing or leads elsewhere", sequence));
    } else if (*stored != expected) {
      Fault(fmt::format("leg {}: its request row leads to something else", sequence));
    }
  }

  void CompareSnapshot() {
    snapshot_compared_ = true;
    if (snapshot_->chain.sha256 != position_.sha256) {
      Fault(fmt::format("snapshot at leg {}: was made of another block than the journal has", position_.last_sequence));
    }
    if (snapshot_->day.date != ledger_->business_day().date) {
      Fault(fmt::format("snapshot at leg {}: says business date {}, the journal {}", position_.last_sequence,
                        snapshot_->day.date.ToString(), ledger_->business_day().date.ToString()));
    } else if (snapshot_->day.opened_at != ledger_->business_day().opened_at ||
               snapshot_->day.opened_sequence != ledger_->business_day().opened_sequence) {
      Fault(fmt::format("snapshot at leg {}: says that {} was opened by leg {}, the journal by leg {}",
                        position_.last_sequence, snapshot_->day.date.ToString(), snapshot_->day.opened_sequence,
                        ledger_->business_day().opened_sequence));
    }
    core::Ledger stored(snapshot_->day.date);
    absl::Status status =
        ForEachSnapshotAccount(rows_, [&](core::Account a) { return stored.RestoreAccount(std::move(a)); });
    if (!status.ok())
      return Fault(fmt::format("snapshot at leg {}: {}", position_.last_sequence, std::string(status.message())));
    status = ForEachSnapshotPayment(rows_, [&](core::Payment p) { return stored.RestoreOpenPayment(std::move(p)); });
    if (!status.ok())
      return Fault(fmt::format("snapshot at leg {}: {}", position_.last_sequence, std::string(status.message())));
    CompareSnapshotAccounts(stored);
    CompareSnapshotPayments(stored);
  }

  static std::map<std::string, std::string> AccountRecords(const core::Ledger& ledger) {
    std::map<std::string, std::string> records;
    ledger.ForEachAccount([&](const core::Account& account) {
      pb::AccountRecord record;
      EncodeAccount(account, &record);
      records.emplace(
          fmt::format("{} {}", core::Name(account.kind),
                      account.kind == core::AccountKind::kStation ? account.station.ToString() : account.biller_id),
          record.SerializeAsString());
    });
    return records;
  }

  void CompareSnapshotAccounts(const core::Ledger& stored) {
    const std::map<std::string, std::string> expected = AccountRecords(*ledger_);
    std::map<std::string, std::string> found = AccountRecords(stored);
    for (const auto& [name, record] : expected) {
      auto it = found.find(name);
      if (it == found.end()) {
        Fault(fmt::format("snapshot at leg {}: account {} is missing", position_.last_sequence, name));
        continue;
      }
      if (it->second != record) {
        Fault(fmt::format("snapshot at leg {}: account {} differs from the journal", position_.last_sequence, name));
      }
      found.erase(it);
    }
    for (const auto& [name, record] : found) {
      Fault(fmt::format("snapshot at leg {}: account {} is not in the journal", position_.last_sequence, name));
    }
  }

  void CompareSnapshotPayments(const core::Ledger& stored) {
    uint64_t open = 0;
    ledger_->ForEachOpen([&](const core::Payment& payment) {
      ++open;
      const core::Payment* row = stored.FindPayment(payment.id);
      if (row == nullptr || *row != payment) {
        Fault(fmt::format("snapshot at leg {}: open payment {} is missing or differs", position_.last_sequence,
                          payment.id.ToString()));
      }
    });
    if (stored.payments_in_memory() > open) {
      Fault(fmt::format("snapshot at leg {}: {} open payments too many", position_.last_sequence,
                        stored.payments_in_memory() - open));
    }
  }

  void CompareHighWater() {
    if (!mark_.ok()) return Fault(std::string(mark_.status().message()));
    if (!mark_->has_value()) return;
    if ((*mark_)->slot_damaged) Fault("the high-water mark: one of its two slots is damaged; the next start mends it");
    const absl::Status held = CheckHighWater(log_, position_, (*mark_)->position);
    // Of what lies behind a break nothing is known.
    if (!held.ok() && whole_) Fault(std::string(held.message()));
  }

  void CompareTotals() {
    const core::Money sum = ledger_->SumOfBalances();
    if (sum != core::Money()) Fault(fmt::format("the balances sum to {} fen; expected 0", sum.fen()));
    std::map<core::StationId, core::AccountAfter> held;
    ledger_->ForEachOpen([&](const core::Payment& payment) {
      ++report_.payments_open;
      core::AccountAfter& figures = held[payment.station];
      if (payment.column() == core::MoneyColumn::kReserved) figures.reserved += payment.amount;
      if (payment.column() == core::MoneyColumn::kForwarded) figures.forwarded += payment.amount;
    });
    ledger_->ForEachAccount([&](const core::Account& account) {
      ++report_.accounts;
      if (account.kind != core::AccountKind::kStation) return;
      auto it = held.find(account.station);
      const core::AccountAfter figures = it == held.end() ? core::AccountAfter{} : it->second;
      if (account.reserved != figures.reserved || account.forwarded != figures.forwarded) {
        Fault(fmt::format("station {}: reserved {} and forwarded {} fen; its open payments come to {} and {}",
                          account.station.ToString(), account.reserved.fen(), account.forwarded.fen(),
                          figures.reserved.fen(), figures.forwarded.fen()));
      }
    });
  }

  absl::Status CountRows() {
    uint64_t accepted = 0;
    uint64_t later = 0;
    uint64_t requests = 0;
    const std::string all_from;
    const std::string all_past(32, '\xff');
    absl::Status status = rows_.Scan(Table::kPayments, all_from, all_past, [&](std::string_view key, std::string_view) {
      ++(key.starts_with('p') ? accepted : later);
      return true;
    });
    if (!status.ok()) return status;
    status = rows_.Scan(Table::kRequests, all_from, all_past, [&](std::string_view, std::string_view) {
      ++requests;
      return true;
    });
    if (!status.ok()) return status;
    auto compare = [this](std::string_view what, uint64_t found, uint64_t expected) {
      if (found != expected) Fault(fmt::format("{} {} are stored; the journal gives {}", found, what, expected));
    };
    compare("payment rows", accepted, report_.payments_at_rest);
    compare("payment rows that agree", matched_rows_, report_.payments_at_rest);
    compare("rows of later changes", later, later_rows_.size());
    compare("request rows", requests, request_rows_);
    return absl::OkStatus();
  }

  const CommitLog& log_;
  const RowReader& rows_;
  const absl::StatusOr<std::optional<HighWaterMark>>& mark_;
  VerifyReport report_;
  ChainPosition position_;
  std::optional<core::Ledger> ledger_;
  std::optional<SnapshotPosition> snapshot_;
  bool snapshot_compared_ = false;
  bool whole_ = true;
  uint64_t request_rows_ = 0;
  uint64_t matched_rows_ = 0;
  std::set<std::pair<core::PaymentId, core::BusinessDate>> later_rows_;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(const CommitLog& log, const RowReader& rows,
                                    const absl::StatusOr<std::optional<HighWaterMark>>& mark) {
  return Verifier(log, rows, mark).Run();
}

}  // namespace waystation::storage
