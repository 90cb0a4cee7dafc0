#include "storage/index.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/block.h"
#include "storage/key.h"
#include "storage/leg_codec.h"

namespace waystation::storage {
namespace {

constexpr char kAccepted = 'p';
constexpr char kLater = 'l';
constexpr size_t kDateAt = 1 + sizeof(uint64_t);
constexpr size_t kIdAt = kDateAt + sizeof(uint32_t);
constexpr size_t kPaymentKeySize = kIdAt + sizeof(uint64_t);

std::string DayKey(char tag, core::StationId station, uint32_t date) {
  std::string key;
  key.reserve(kPaymentKeySize);
  key.push_back(tag);
  AppendNumber(&key, station.number());
  AppendNumber(&key, date);
  return key;
}

std::string PaymentKey(char tag, core::StationId station, core::BusinessDate date, core::PaymentId id) {
  std::string key = DayKey(tag, station, date.number());
  AppendNumber(&key, id.number());
  return key;
}

absl::StatusOr<core::Payment> ParsePayment(std::string_view value) {
  pb::PaymentRecord record;
  if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError("a payment row does not parse");
  }
  return DecodePayment(record);
}

// Keeps the first failure of a visitor that can only say "go on" or "stop".
struct VisitStatus {
  absl::Status status;
  bool Stop(absl::Status failure) {
    status = std::move(failure);
    return false;
  }
  absl::Status Or(absl::Status scan) const { return status.ok() ? scan : status; }
};

}  // namespace

std::string PaymentRowKey(const core::Payment& payment) {
  return PaymentKey(kAccepted, payment.station, payment.business_date, payment.id);
}

void AddPaymentRows(const core::Payment& payment, RowBatch* rows) {
  // Kept from row to row, so that its memory is.
  static thread_local WireWriter value;
  value.Clear();
  EncodePayment(payment, &value);
  rows->Put(Table::kPayments, PaymentRowKey(payment), value.bytes());

  core::BusinessDate last = payment.business_date;
  for (const core::StateChange& change : payment.history) {
    if (change.business_date == last) continue;
    last = change.business_date;
    std::string accepted;
    AppendNumber(&accepted, payment.business_date.number());
    rows->Put(Table::kPayments, PaymentKey(kLater, payment.station, last, payment.id), accepted);
  }

  value.Clear();
  EncodePointer(payment, &value);
  rows->Put(Table::kRequests, core::RequestKey(payment.station, payment.request_id), value.bytes());
}

void AddPurchaseRows(const core::Purchase& purchase, RowBatch* rows) {
  WireWriter value;
  EncodePurchase(purchase, &value);
  rows->Put(Table::kRequests, core::RequestKey(purchase.station, purchase.request_id), value.bytes());
}

const core::Payment* AddRowsAfter(const core::Ledger& ledger, const core::Leg& leg, RowBatch* rows) {
  const core::Payment* payment = nullptr;
  if (std::holds_alternative<core::PaymentAccepted>(leg.fact)) {
    payment = ledger.FindPayment(core::PaymentId::FromNumber(leg.sequence));
  } else if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) {
    payment = ledger.FindPayment(moved->payment_id);
  } else if (const auto* purchased = std::get_if<core::CounterPurchased>(&leg.fact)) {
    AddPurchaseRows(*ledger.FindPurchase({purchased->station, purchased->request_id}), rows);
  }
  if (payment != nullptr && core::IsAtRest(payment->state)) AddPaymentRows(*payment, rows);
  return payment;
}

absl::StatusOr<core::Prior> Index::FindRequest(const std::string& key) const {
  return OfRequest(key, rows_->Get(Table::kRequests, key));
}

std::vector<absl::StatusOr<core::Prior>> Index::FindRequests(absl::Span<const std::string> keys) const {
  const std::vector<RowReader::Row> rows = rows_->GetEach(Table::kRequests, keys);
  std::vector<absl::StatusOr<core::Prior>> found;
  found.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) found.push_back(OfRequest(keys[i], rows[i]));
  return found;
}

absl::StatusOr<core::Prior> Index::OfRequest(const std::string& key, const RowReader::Row& row) const {
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::monostate();
  pb::RequestRecord request;
  if (!request.ParseFromString(**row)) return absl::DataLossError("a request row does not parse");
  if (request.has_purchase()) {
    absl::StatusOr<core::Purchase> purchase = DecodePurchase(request.purchase());
    if (!purchase.ok()) return purchase.status();
    if (core::RequestKey(purchase->station, purchase->request_id) != key) {
      return absl::DataLossError("a request row has the purchase of another request");
    }
    return *std::move(purchase);
  }
  const auto date = core::BusinessDate::FromNumber(request.payment().business_date());
  if (!date.ok()) return absl::DataLossError("a request row has no date");
  const auto station = core::StationId::FromNumber(ReadNumber<uint64_t>(key));
  const auto id = core::PaymentId::FromNumber(request.payment().payment_id());
  absl::StatusOr<std::optional<core::Payment>> payment = ReadRow(PaymentKey(kAccepted, station, *date, id));
  if (!payment.ok()) return payment.status();
  if (!payment->has_value()) {
    return absl::DataLossError(fmt::format("payment {} has a request row and no payment row", id.ToString()));
  }
  if (core::RequestKey((*payment)->station, (*payment)->request_id) != key) {
    return absl::DataLossError(fmt::format("a request row leads to payment {} of another request", id.ToString()));
  }
  return **std::move(payment);
}

absl::StatusOr<std::optional<core::Payment>> Index::FindPayment(core::PaymentId id) const {
  std::string key;
  VisitStatus visited;
  absl::Status read = log_->ReadBlocks(id.number(), [&](uint64_t first_sequence, std::string_view bytes) {
    if (first_sequence > id.number()) return false;
    absl::StatusOr<OpenedBlock> block = OpenBlock(bytes);
    if (!block.ok()) return visited.Stop(block.status());
    const size_t at = id.number() - first_sequence;
    if (at >= block->legs.size()) return false;
    if (const auto* accepted = std::get_if<core::PaymentAccepted>(&block->legs[at].fact)) {
      key = PaymentKey(kAccepted, accepted->station, block->stamp.business_date, id);
    }
    return false;
  });
  if (read = visited.Or(read); !read.ok()) return read;
  if (key.empty()) return std::nullopt;
  return ReadRow(key);
}

absl::Status Index::ForEachAccepted(core::StationId station, core::BusinessDate from, core::BusinessDate to,
                                    const std::optional<Place>& before, Visit visit) const {
  const std::string first = DayKey(kAccepted, station, from.number());
  std::string past = DayKey(kAccepted, station, to.number() + 1);
  if (before.has_value()) past = std::min(past, PaymentKey(kAccepted, station, before->date, before->id));
  VisitStatus visited;
  return visited.Or(rows_->ScanBackward(Table::kPayments, first, past, [&](std::string_view, std::string_view value) {
    absl::StatusOr<core::Payment> payment = ParsePayment(value);
    if (!payment.ok()) return visited.Stop(payment.status());
    return visit(*payment);
  }));
}

absl::Status Index::ForEachChanged(core::StationId station, core::BusinessDate date, Visit visit) const {
  std::vector<std::string> later;
  VisitStatus visited;
  absl::Status status = rows_->Scan(
      Table::kPayments, DayKey(kLater, station, date.number()), DayKey(kLater, station, date.number() + 1),
      [&](std::string_view key, std::string_view value) {
        const auto accepted =
            core::BusinessDate::FromNumber(value.size() == sizeof(uint32_t) ? ReadNumber<uint32_t>(value) : 0);
        if (key.size() != kPaymentKeySize || !accepted.ok()) {
          return visited.Stop(absl::DataLossError("a row of a later change is damaged"));
        }
        const auto id = ReadNumber<uint64_t>(key.substr(kIdAt));
        later.push_back(PaymentKey(kAccepted, station, *accepted, core::PaymentId::FromNumber(id)));
        return true;
      });
  if (status = visited.Or(status); !status.ok()) return status;
  for (const std::string& key : later) {
    absl::StatusOr<std::optional<core::Payment>> payment = ReadRow(key);
    if (!payment.ok()) return payment.status();
    if (payment->has_value() && !visit(**payment)) return absl::OkStatus();
  }
  return ForEachAccepted(station, date, date, std::nullopt, visit);
}

absl::StatusOr<std::optional<core::BusinessDate>> Index::NextDate(core::StationId station,
                                                                  core::BusinessDate date) const {
  std::optional<core::BusinessDate> next;
  for (char tag : {kAccepted, kLater}) {
    std::string past(1, tag);
    AppendNumber(&past, station.number() + 1);
    absl::Status status = rows_->Scan(
        Table::kPayments, DayKey(tag, station, date.number()), past, [&](std::string_view key, std::string_view) {
          const auto found = core::BusinessDate::FromNumber(ReadNumber<uint32_t>(key.substr(kDateAt)));
          if (found.ok() && (!next || *found < *next)) next = *found;
          return false;
        });
    if (!status.ok()) return status;
  }
  return next;
}

absl::StatusOr<bool> Index::HasLeg(uint64_t sequence) const {
  bool has = false;
  VisitStatus visited;
  absl::Status status = log_->ReadBlocks(sequence, [&](uint64_t, std::string_view bytes) {
    absl::StatusOr<OpenedBlock> block = OpenBlock(bytes);
    if (!block.ok()) return visited.Stop(block.status());
    has = block->legs.front().sequence <= sequence && sequence <= block->legs.back().sequence;
    return false;
  });
  if (status = visited.Or(status); !status.ok()) return status;
  return has;
}

absl::StatusOr<std::optional<core::BusinessDate>> Index::DateOf(uint64_t sequence) const {
  std::optional<core::BusinessDate> date;
  VisitStatus visited;
  absl::Status status = log_->ReadBlocks(sequence, [&](uint64_t, std::string_view bytes) {
    absl::StatusOr<OpenedBlock> block = OpenBlock(bytes);
    if (!block.ok()) return visited.Stop(block.status());
    if (block->legs.back().sequence < sequence) return true;
    date = block->stamp.business_date;
    return false;
  });
  if (status = visited.Or(status); !status.ok()) return status;
  return date;
}

absl::StatusOr<std::optional<core::Payment>> Index::ReadRow(const std::string& key) const {
  absl::StatusOr<std::optional<std::string>> row = rows_->Get(Table::kPayments, key);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::nullopt;
  absl::StatusOr<core::Payment> payment = ParsePayment(**row);
  if (!payment.ok()) return payment.status();
  return *std::move(payment);
}

}  // namespace waystation::storage
