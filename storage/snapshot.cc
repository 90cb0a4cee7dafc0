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

std::string KeyOf(const core::Account& account) {
  return AccountKey(account);
}
std::string KeyOf(const core::Payment& payment) {
  return OpenPaymentKey(payment.id);
}

// Restores the rows under one tag into the ledger: each parsed as `Record`, decoded, and standing under its own key.
template <typename Record, typename Decode, typename Restore>
absl::Status RestoreRows(const RowReader& rows, char tag, Decode decode, Restore restore) {
  absl::Status status;
  const std::string first{tag};
  absl::Status scan =
      rows.Scan(Table::kSnapshot, first, PastPrefix(first), [&](std::string_view key, std::string_view value) {
        Record record;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          status = absl::DataLossError("does not parse");
        } else if (auto decoded = decode(record); !decoded.ok()) {
          status = decoded.status();
        } else if (KeyOf(*decoded) != key) {
          status = absl::DataLossError("holds " + DescribeSnapshotKey(KeyOf(*decoded)));
        } else {
          status = restore(*std::move(decoded));
        }
        if (!status.ok()) {
          status =
              absl::DataLossError(fmt::format("the snapshot's row of {}: {}; switchctl journal rebuild-index makes "
                                              "the snapshot anew",
                                              DescribeSnapshotKey(key), std::string(status.message())));
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

std::string DescribeSnapshotKey(std::string_view key) {
  const auto number = [&](size_t at) { return ReadNumber<uint64_t>(key.substr(at)); };
  if (key.size() == 1 + sizeof(uint64_t) && key[0] == kOpenPayment) return fmt::format("open payment {}", number(1));
  if (IsSnapshotPositionKey(key)) return "the ledger's position";
  const auto kind = key.size() < 2 ? std::nullopt : core::AccountKindFromNumber(static_cast<uint8_t>(key[1]));
  if (key.starts_with(kAccount) && kind == core::AccountKind::kStation && key.size() == 2 + sizeof(uint64_t)) {
    return fmt::format("account {} {:012}", core::Name(*kind), number(2));
  }
  if (key.starts_with(kAccount) && kind.has_value() && *kind != core::AccountKind::kStation) {
    return fmt::format("account {}{}{}", core::Name(*kind), key.size() > 2 ? " " : "", key.substr(2));
  }
  std::string hex;
  for (const char byte : key) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return fmt::format("an unknown kind (key {})", hex);
}

bool IsSnapshotPositionKey(std::string_view key) {
  return key == std::string_view(&kLedger, 1);
}

void AddSnapshotRows(const ChainPosition& position, core::Ledger* ledger, RowBatch* rows) {
  const core::Ledger::Changes changes = ledger->TakeChanges();
  WireWriter value;
  for (const core::Account* account : changes.accounts) {
    value.Clear();
    EncodeAccount(*account, &value);
    rows->Put(Table::kSnapshot, AccountKey(*account), value.bytes());
  }
  // First what left, then what is there: a payment may have done both.
  for (core::PaymentId id : changes.no_longer_open) rows->Delete(Table::kSnapshot, OpenPaymentKey(id));
  for (const core::Payment* payment : changes.open) {
    value.Clear();
    EncodePayment(*payment, &value);
    rows->Put(Table::kSnapshot, OpenPaymentKey(payment->id), value.bytes());
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

absl::StatusOr<Recovered> Recover(const CommitLog& log, const RowReader& rows, core::Ledger* ledger) {
  Recovered recovered;
  absl::StatusOr<std::optional<SnapshotPosition>> snapshot = ReadSnapshotPosition(rows);
  if (!snapshot.ok()) return snapshot.status();
  bool dated = snapshot->has_value();
  if (dated) {
    absl::Status status = RestoreRows<pb::AccountRecord>(rows, kAccount, DecodeAccount, [&](core::Account account) {
      return ledger->RestoreAccount(std::move(account));
    });
    if (!status.ok()) return status;
    status = RestoreRows<pb::PaymentRecord>(rows, kOpenPayment, DecodePayment, [&](core::Payment payment) {
      return ledger->RestoreOpenPayment(std::move(payment));
    });
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
