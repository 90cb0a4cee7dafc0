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
  Verifier(const CommitLog& log, const RowReader& rows, const absl::StatusOr<std::optional<HighWaterMark>>* mark)
      : log_(log), rows_(rows), mark_(mark) {}

  absl::StatusOr<VerifyReport> Run() {
    absl::StatusOr<std::optional<SnapshotPosition>> snapshot = ReadSnapshotPosition(rows_);
    if (!snapshot.ok()) {
      if (Unreadable(snapshot.status())) return unreadable_;
      Fault(std::string(snapshot.status().message()));
    } else if (snapshot->has_value()) {
      snapshot_ = **snapshot;
      report_.snapshot_sequence = snapshot_->chain.last_sequence;
    }
    absl::Status read =
        log_.ReadBlocks(1, [&](uint64_t first, std::string_view bytes) { return OnBlock(first, bytes); });
    if (Unreadable(read)) return unreadable_;
    if (!read.ok()) {
      Break(fmt::format("after leg {}: {}", position_.last_sequence, std::string(read.message())));
    }
    CompareHighWater();
    if (ledger_.has_value()) CompareTotals();
    if (whole_) {
      if (snapshot_.has_value() && !snapshot_compared_) {
        Fault(fmt::format("the snapshot is of leg {}, and no block ends there; the journal ends at {}",
                          report_.snapshot_sequence, report_.last_sequence));
      }
      if (!snapshot_.has_value() && snapshot.ok()) CheckNoSnapshot();
      CountRows();
    }
    if (!unreadable_.ok()) return unreadable_;
    return std::move(report_);
  }

 private:
  // Whether it is the disk that failed: that says nothing of what is stored, and the verdict is none.
  bool Unreadable(const absl::Status& status) {
    if (!absl::IsUnavailable(status)) return false;
    if (unreadable_.ok()) unreadable_ = status;
    return true;
  }

  void Fault(std::string fault) {
    ++report_.fault_count;
    if (report_.faults.size() < core::kMaxFaultsListed) report_.faults.push_back(std::move(fault));
  }

  bool OnBlock(uint64_t key, std::string_view bytes) {
    absl::StatusOr<OpenedBlock> block = OpenNextBlock(bytes, &position_);
    if (!block.ok()) return BreakAt(key, block.status());
    if (block->header.first_sequence() != key) {
      return Break(fmt::format("block at sequence {}: is stored under {}", block->header.first_sequence(), key));
    }
    if (!ledger_.has_value()) ledger_.emplace(block->stamp.business_date);
    for (const core::Leg& leg : block->legs) {
      absl::Status status = ledger_->Apply(leg, block->stamp);
      if (!status.ok()) return BreakAt(key, status);
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
    report_.journal_damaged = true;
    whole_ = false;
    return false;
  }

  bool BreakAt(uint64_t key, const absl::Status& fault) {
    const std::string text(fault.message());
    return Break(text.starts_with("block at sequence") ? text : fmt::format("block at sequence {}: {}", key, text));
  }

  // Each row that the leg makes is stored so, byte for byte.
  void CompareIndex(const core::Leg& leg) {
    expected_.Clear();
    const core::Payment* payment = AddRowsAfter(*ledger_, leg, &expected_);
    if (expected_.empty()) return;
    size_t rests = 1;
    if (payment != nullptr) {
      rests = 0;
      for (const core::StateChange& change : payment->history) {
        rests += core::IsAtRest(change.state) ? 1 : 0;
        if (change.business_date != payment->business_date) later_rows_.emplace(payment->id, change.business_date);
      }
      if (rests == 1) ++report_.payments_at_rest;
    }
    if (rests == 1) ++request_rows_;
    const std::string subject = fmt::format(
        "leg {}: {}", leg.sequence, payment == nullptr ? "" : fmt::format("payment {}: ", payment->id.ToString()));
    expected_.ForEach([&](Table table, bool, std::string_view key, std::string_view value) {
      const bool own = payment != nullptr && table == Table::kPayments && key == PaymentRowKey(*payment);
      const std::string_view what = table == Table::kRequests ? "its request row"
                                    : own                     ? "its index row"
                                                              : "its row of a change on a later date";
      const absl::StatusOr<std::optional<std::string>> row = rows_.Get(table, key);
      if (!row.ok()) {
        if (Unreadable(row.status())) return;
        Fault(fmt::format("{}{} can't be read: {}", subject, what, std::string(row.status().message())));
      } else if (!row->has_value()) {
        Fault(fmt::format("{}{} is missing", subject, what));
      } else if (own) {
        CompareOwnRow(subject, *payment, **row, value);
      } else if (*row != value) {
        Fault(fmt::format("{}{} differs from the journal", subject, what));
      }
    });
  }

  void CompareOwnRow(const std::string& subject, const core::Payment& payment, const std::string& row,
                     std::string_view expected) {
    if (row == expected) {
      later_rests_.erase(payment.id);
      return;
    }
    pb::PaymentRecord record;
    const absl::StatusOr<core::Payment> stored =
        record.ParseFromString(row) ? DecodePayment(record) : absl::DataLossError("does not parse");
    if (!stored.ok()) {
      Fault(fmt::format("{}its index row is damaged: {}", subject, std::string(stored.status().message())));
    } else if (stored->last_sequence() > payment.last_sequence()) {
      // A payment that comes to rest again has the row of its last rest.
      later_rests_[payment.id] = stored->last_sequence();
    } else {
      Fault(fmt::format("{}its index row differs from the journal at leg {}", subject, payment.last_sequence()));
    }
  }

  void CompareSnapshot() {
    snapshot_compared_ = true;
    const std::string subject = fmt::format("snapshot at leg {}: ", position_.last_sequence);
    if (snapshot_->chain.sha256 != position_.sha256) {
      Fault(subject + "was made of another block than the journal has");
    }
    RowBatch expected;
    AddSnapshotRows(position_, &*ledger_, &expected);
    std::map<std::string, std::string, std::less<>> stored;
    const absl::Status scan =
        ScanAll(Table::kSnapshot, [&](std::string_view key, std::string_view value) { stored.emplace(key, value); });
    if (Unreadable(scan)) return;
    if (!scan.ok()) return Fault(subject + std::string(scan.message()));
    expected.ForEach([&](Table, bool, std::string_view key, std::string_view value) {
      const auto it = stored.find(key);
      if (it == stored.end()) {
        Fault(fmt::format("{}{} is missing", subject, DescribeSnapshotKey(key)));
        return;
      }
      const bool same = IsSnapshotPositionKey(key) ? SamePosition(it->second, value) : it->second == value;
      if (!same) Fault(fmt::format("{}{} differs from the journal", subject, DescribeSnapshotKey(key)));
      stored.erase(it);
    });
    for (const auto& [key, value] : stored) {
      Fault(fmt::format("{}{} is not in the journal", subject, DescribeSnapshotKey(key)));
    }
  }

  // The format that the snapshot was written in may be an older one.
  static bool SamePosition(const std::string& stored, std::string_view expected) {
    pb::LedgerRecord a;
    pb::LedgerRecord b;
    if (!a.ParseFromString(stored) || a.format_version() == 0 || !b.ParseFromString(std::string(expected)))
      return false;
    b.set_format_version(a.format_version());
    return b.SerializeAsString() == stored;
  }

  absl::Status ScanAll(Table table, absl::FunctionRef<void(std::string_view key, std::string_view value)> visit) const {
    const std::string past_all(core::kMaxRequestIdBytes + 32, '\xff');
    return rows_.Scan(table, "", past_all, [&](std::string_view key, std::string_view value) {
      visit(key, value);
      return true;
    });
  }

  void CompareHighWater() {
    if (mark_ == nullptr || Unreadable(mark_->status())) return;
    if (!mark_->ok()) {
      Break(std::string(mark_->status().message()));
      return;
    }
    const std::optional<HighWaterMark>& mark = **mark_;
    if (mark.has_value() && mark->slot_damaged) {
      Fault("the high-water mark: one of its two slots is damaged; the next start mends it");
    }
    // Of what lies behind a break nothing is known.
    if (!whole_) return;
    const absl::Status held = CheckHighWater(log_, position_, mark);
    if (!held.ok() && !Unreadable(held)) Break(std::string(held.message()));
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

  void CheckNoSnapshot() {
    uint64_t rows = 0;
    const absl::Status scan = ScanAll(Table::kSnapshot, [&](std::string_view, std::string_view) { ++rows; });
    if (!scan.ok() && !Unreadable(scan)) Fault("the snapshot: " + std::string(scan.message()));
    if (rows > 0) Fault(fmt::format("the snapshot has {} rows, and none that says at which leg", rows));
  }

  // None too many, either.
  void CountRows() {
    for (const auto& [id, sequence] : later_rests_) {
      Fault(fmt::format("payment {}: its index row is of leg {}, at which the journal does not have it", id.ToString(),
                        sequence));
    }
    uint64_t accepted = 0;
    uint64_t later = 0;
    uint64_t requests = 0;
    absl::Status status = ScanAll(
        Table::kPayments, [&](std::string_view key, std::string_view) { ++(key.starts_with('p') ? accepted : later); });
    if (!status.ok() && !Unreadable(status)) Fault("the payment rows: " + std::string(status.message()));
    const absl::Status scan = ScanAll(Table::kRequests, [&](std::string_view, std::string_view) { ++requests; });
    if (!scan.ok() && !Unreadable(scan)) Fault("the request rows: " + std::string(scan.message()));
    if (!status.ok() || !scan.ok()) return;
    auto compare = [this](std::string_view what, uint64_t found, uint64_t expected) {
      if (found != expected) Fault(fmt::format("{} {} are stored; the journal gives {}", found, what, expected));
    };
    compare("payment rows", accepted, report_.payments_at_rest);
    compare("rows of later changes", later, later_rows_.size());
    compare("request rows", requests, request_rows_);
  }

  const CommitLog& log_;
  const RowReader& rows_;
  const absl::StatusOr<std::optional<HighWaterMark>>* const mark_;  // null: not looked at
  VerifyReport report_;
  absl::Status unreadable_;
  ChainPosition position_;
  std::optional<core::Ledger> ledger_;
  std::optional<SnapshotPosition> snapshot_;
  bool snapshot_compared_ = false;
  bool whole_ = true;
  RowBatch expected_;  // kept from leg to leg, so that its memory is
  uint64_t request_rows_ = 0;
  // The stored row is of a later rest than the one that was last replayed: of which leg.
  std::map<core::PaymentId, uint64_t> later_rests_;
  std::set<std::pair<core::PaymentId, core::BusinessDate>> later_rows_;
};

}  // namespace

absl::StatusOr<VerifyReport> Verify(const CommitLog& log, const RowReader& rows) {
  return Verifier(log, rows, nullptr).Run();
}

absl::StatusOr<VerifyReport> Verify(const CommitLog& log, const RowReader& rows,
                                    const absl::StatusOr<std::optional<HighWaterMark>>& mark) {
  return Verifier(log, rows, &mark).Run();
}

}  // namespace waystation::storage
