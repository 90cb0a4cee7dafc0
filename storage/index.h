#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "storage/commit_log.h"
#include "storage/rows.h"
#include "switch/core/command.h"
#include "switch/core/ledger.h"
#include "switch/core/leg.h"
#include "switch/core/payment.h"

// The index of payments at rest and of request ids. Its rows are derived from the journal, and are written in the batch
// of the block in which the payment comes to rest; what is not at rest is in the ledger's memory.
//
//   kRequests   station (8 bytes, big-endian), request id                       -> journal.v1.RequestRecord
//   kPayments   'p', station (8), business date of acceptance (4), id (8)       -> journal.v1.PaymentRecord
//   kPayments   'l', station (8), business date of a later change (4), id (8)   -> business date of acceptance (4)
namespace waystation::storage {

// Adds the rows of a payment that has come to rest.
void AddPaymentRows(const core::Payment& payment, RowBatch* rows);
void AddPurchaseRows(const core::Purchase& purchase, RowBatch* rows);

// Adds the rows that are due after `leg`, which was just applied to `ledger`. Returns the payment that the leg is
// about, null when it is about none.
const core::Payment* AddRowsAfter(const core::Ledger& ledger, const core::Leg& leg, RowBatch* rows);

// The key of the payment's own row, for verify.
std::string PaymentRowKey(const core::Payment& payment);

// Looks up what is at rest. Any thread. kDataLoss when a row is damaged, or leads to something else;
// kUnavailable when the disk did not give it.
class Index {
 public:
  // Both outlive the index.
  Index(const CommitLog* log, const RowReader* rows) : log_(log), rows_(rows) {}

  // What the request became; monostate when the index does not know it. `key` is core::RequestKey.
  absl::StatusOr<core::Prior> FindRequest(const std::string& key) const;
  // The same of each of `keys`.
  std::vector<absl::StatusOr<core::Prior>> FindRequests(absl::Span<const std::string> keys) const;

  // Null when there is no such payment at rest. Reads the journal at the payment's first leg.
  absl::StatusOr<std::optional<core::Payment>> FindPayment(core::PaymentId id) const;

  // Payments that were accepted from `from` to `to` (inclusive), newest first, until `visit` returns false. With
  // `before`, only those that stand after it in that order.
  struct Place {
    core::BusinessDate date;
    core::PaymentId id;
  };
  using Visit = absl::FunctionRef<bool(const core::Payment&)>;
  absl::Status ForEachAccepted(core::StationId station, core::BusinessDate from, core::BusinessDate to,
                               const std::optional<Place>& before, Visit visit) const;

  // Payments that were accepted, or changed later, on `date`. Each once; in no promised order.
  absl::Status ForEachChanged(core::StationId station, core::BusinessDate date, Visit visit) const;

  // The first business date on or after `date` on which a payment of the station that is at rest was accepted or
  // changed; null when there is none.
  absl::StatusOr<std::optional<core::BusinessDate>> NextDate(core::StationId station, core::BusinessDate date) const;

  // Whether the journal has a leg `sequence`: not one that is past its end, nor one whose number it passed over when it
  // was resumed after a restore.
  absl::StatusOr<bool> HasLeg(uint64_t sequence) const;

  // The business date of the leg `sequence`, or of the first leg after it that the journal has; null past its end.
  absl::StatusOr<std::optional<core::BusinessDate>> DateOf(uint64_t sequence) const;

 private:
  absl::StatusOr<core::Prior> OfRequest(const std::string& key, const RowReader::Row& row) const;
  absl::StatusOr<std::optional<core::Payment>> ReadRow(const std::string& key) const;

  const CommitLog* log_;
  const RowReader* rows_;
};

}  // namespace waystation::storage
