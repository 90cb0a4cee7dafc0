#include "storage/snapshot.h"

#include <string>
#include <utility>

#include "fmt/format.h"
#include "storage/key.h"
#include "storage/leg_codec.h"

namespace waystation::storage {
namespace {

constexpr char kAccount = 'a';
constexpr char kOpenPayment = 'o';
constexpr char kLedger = 'z';

std::string AccountKey(const core::Account& account) {
  std::string key{kAccount, static_cast<char>(account.kind)};
  if (account.kind == core::AccountKind::kStation) AppendNumber(&key, account.station.number());
  key += account.biller_id;
  return key;
}

std::string OpenPaymentKey(core::PaymentId id) {
  std::string key{kOpenPayment};
  AppendNumber(&key, id.number());
  return key;
}

// Visits the rows under one tag, parsed as `Record`.
template <typename Record, typename Visit>
absl::Status ForEachRecord(const RowReader& rows, char tag, Visit visit) {
  absl::Status status;
  const std::string first{tag};
  absl::Status scan =
      rows.Scan(Table::kSnapshot, first, PastPrefix(first), [&](std::string_view, std::string_view value) {
        Record record;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          status = absl::DataLossError("a snapshot row does not parse");
        } else {
          status = visit(record);
        }
        return status.ok();
      });
  return status.ok() ? scan : status;
}

// Whether the stored block is the one that `snapshot` was made of.
absl::Status CheckEndsAt(const ChainPosition& snapshot, std::string_view sealed_block) {
  const absl::StatusOr<OpenedBlock> block = OpenBlock(sealed_block);
  if (!block.ok()) return block.status();
  const uint64_t end = block->legs.back().sequence;
  if (end < snapshot.last_sequence) {
    return absl::DataLossError(
        fmt::format("the snapshot is newer than the journal: it is of leg {}, the journal ends at {}",
                    snapshot.last_sequence, end));
  }
  if (end > snapshot.last_sequence || block->sha256 != snapshot.sha256) {
    return absl::DataLossError(
        fmt::format("the snapshot at leg {} was made of another block than the journal has", snapshot.last_sequence));
  }
  return absl::OkStatus();
}

}  // namespace

void AddSnapshotRows(const ChainPosition& position, core::Ledger* ledger, RowBatch* rows) {
  const core::Ledger::Changes changes = ledger->TakeChanges();
  pb::AccountRecord account_record;
  std::string value;
  for (const core::Account* account : changes.accounts) {
    account_record.Clear();
    EncodeAccount(*account, &account_record);
    account_record.SerializeToString(&value);
    rows->Put(Table::kSnapshot, AccountKey(*account), value);
  }
  // First what left, then what is there: a payment may have done both.
  for (core::PaymentId id : changes.no_longer_open) rows->Delete(Table::kSnapshot, OpenPaymentKey(id));
  for (const core::Payment* payment : changes.open) {
    pb::PaymentRecord record;
    EncodePayment(*payment, &record);
    rows->Put(Table::kSnapshot, OpenPaymentKey(payment->id), record.SerializeAsString());
  }
  pb::LedgerRecord ledger_record;
  ledger_record.set_format_version(kJournalFormatVersion);
  ledger_record.set_sequence(position.last_sequence);
  ledger_record.set_business_date(ledger->business_day().date.number());
  ledger_record.set_day_opened_at_ms(ledger->business_day().opened_at.time_since_epoch().count());
  ledger_record.set_day_opened_sequence(ledger->business_day().opened_sequence);
  ledger_record.set_block_sha256(std::string(AsText(position.sha256)));
  ledger_record.set_block_time_ms(position.time.time_since_epoch().count());
  rows->Put(Table::kSnapshot, std::string_view(&kLedger, 1), ledger_record.SerializeAsString());
}

absl::StatusOr<std::optional<SnapshotPosition>> ReadSnapshotPosition(const RowReader& rows) {
  absl::StatusOr<std::optional<std::string>> row = rows.Get(Table::kSnapshot, std::string_view(&kLedger, 1));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::nullopt;
  pb::LedgerRecord record;
  if (!record.ParseFromString(**row)) return absl::DataLossError("the snapshot's ledger row does not parse");
  if (record.format_version() > kJournalFormatVersion) {
    return absl::UnimplementedError(
        fmt::format("the snapshot is of format {}; this program reads up to {}, use a newer one",
                    record.format_version(), kJournalFormatVersion));
  }
  const auto date = core::BusinessDate::FromNumber(record.business_date());
  SnapshotPosition position;
  if (!date.ok() || record.block_sha256().size() != position.chain.sha256.size()) {
    return absl::DataLossError("the snapshot's ledger row has no business date or no hash");
  }
  position.chain.last_sequence = record.sequence();
  std::copy(record.block_sha256().begin(), record.block_sha256().end(), position.chain.sha256.begin());
  position.chain.time = core::TimePoint(std::chrono::milliseconds(record.block_time_ms()));
  position.day = {*date, core::TimePoint(std::chrono::milliseconds(record.day_opened_at_ms())),
                  record.day_opened_sequence()};
  return position;
}

absl::Status ForEachSnapshotAccount(const RowReader& rows, absl::FunctionRef<absl::Status(core::Account)> visit) {
  return ForEachRecord<pb::AccountRecord>(rows, kAccount, [&](const pb::AccountRecord& record) -> absl::Status {
    absl::StatusOr<core::Account> account = DecodeAccount(record);
    return account.ok() ? visit(*std::move(account)) : account.status();
  });
}

absl::Status ForEachSnapshotPayment(const RowReader& rows, absl::FunctionRef<absl::Status(core::Payment)> visit) {
  return ForEachRecord<pb::PaymentRecord>(rows, kOpenPayment, [&](const pb::PaymentRecord& record) -> absl::Status {
    absl::StatusOr<core::Payment> payment = DecodePayment(record);
    return payment.ok() ? visit(*std::move(payment)) : payment.status();
  });
}

absl::StatusOr<Recovered> Recover(const CommitLog& log, const RowReader& rows, core::Ledger* ledger) {
  Recovered recovered;
  absl::StatusOr<std::optional<SnapshotPosition>> snapshot = ReadSnapshotPosition(rows);
  if (!snapshot.ok()) return snapshot.status();
  bool dated = snapshot->has_value();
  if (dated) {
    absl::Status status =
        ForEachSnapshotAccount(rows, [&](core::Account account) { return ledger->RestoreAccount(std::move(account)); });
    if (!status.ok()) return status;
    status = ForEachSnapshotPayment(
        rows, [&](core::Payment payment) { return ledger->RestoreOpenPayment(std::move(payment)); });
    if (!status.ok()) return status;
    recovered.position = (*snapshot)->chain;
    recovered.snapshot_sequence = recovered.position.last_sequence;
    ledger->RestorePosition(recovered.snapshot_sequence, (*snapshot)->day);
  }

  absl::Status status;
  bool met = recovered.snapshot_sequence == 0;  // the journal reaches to the snapshot
  absl::Status read = log.ReadBlocks(recovered.snapshot_sequence + 1, [&](uint64_t first, std::string_view bytes) {
    // The block that ends at the snapshot comes first when nothing follows it. Otherwise the chain shows that the two
    // belong together.
    if (!std::exchange(met, true) && first <= recovered.snapshot_sequence) {
      status = CheckEndsAt(recovered.position, bytes);
      return status.ok();
    }
    absl::StatusOr<OpenedBlock> block = OpenNextBlock(bytes, &recovered.position);
    if (!block.ok()) {
      status = block.status();
      return false;
    }
    // A new ledger opened on the date of its first block.
    if (!std::exchange(dated, true)) {
      ledger->RestorePosition(0, {.date = block->stamp.business_date, .opened_at = {}, .opened_sequence = 0});
    }
    for (const core::Leg& leg : block->legs) {
      status = ledger->Apply(leg, block->stamp);
      if (!status.ok()) return false;
    }
    recovered.legs_replayed += block->legs.size();
    ledger->ForgetAtRest(recovered.position.last_sequence);
    return true;
  });
  if (status.ok()) status = read;
  if (!status.ok()) return status;
  if (!met) return absl::DataLossError("the snapshot is newer than the journal, which is empty");
  return recovered;
}

}  // namespace waystation::storage
