#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "switch/core/account.h"
#include "switch/core/payment.h"

// What the ledger can be asked, and what it answers. Shapes (lengths, character sets, ranges) were checked at the edge.
namespace waystation::core {

// --- commands that may add a leg ---
// Where one has `refuse_new` and it is not OK, a request that was accepted before is answered as ever, and one that is
// new is refused with it: the switch takes no new work.
struct RegisterStation {
  StationId station;
  std::string name;
  std::vector<StationId> signing_institutions;
};
struct SetStationStatus {
  StationId station;
  StationStatus status;
  std::string reason;
};
struct GrantCredit {
  StationId station;
  Money credit_limit;
  std::string reason;
};
struct RecordCounterPurchase {
  StationId station;
  std::string request_id;
  Money amount;
  std::string clerk_id;
  absl::Status refuse_new = absl::OkStatus();
};
// Sent at start-up for each biller of the configuration; no leg when it is known.
struct RegisterBiller {
  std::string biller_id;
};
struct SetBillerStatus {
  std::string biller_id;
  bool enabled;
  std::string reason;
};
// The ledger was restored from a backup, or its end was given up, and somebody has confirmed that no other switch works
// on its accounts: it goes on at `sequence`, which must never have been given. The sequencer begins a block with it.
struct ResumeJournal {
  uint64_t sequence;
  std::string confirmed_by;
  std::string reason;
};
struct CloseDay {
  BusinessDate closing;
  BusinessDate opening;
};
// Holds the amount, or declines. `presented` is what the flow found against the biller's card or lane; it stands below
// the station's and the biller's status and above the balance in the order of precedence.
struct AcceptPayment {
  StationId station;
  std::string operator_id;
  std::string request_id;
  std::string biller_id;
  std::string customer_number;
  std::string customer_name;
  Money amount;
  std::optional<Decline> presented;
  absl::Status refuse_new = absl::OkStatus();
};
// What became of a payment at the biller. Refused (kFailedPrecondition, with the payment as it stands) where the
// transition table has no such step; a late approval that changes nothing any more is answered and not recorded.
struct RecordOutcome {
  PaymentId payment_id;
  PaymentEvent event;
  std::optional<Decline> decline;  // with kDeclinedByBiller, kNotSent, kNeverReceived, kCancelRefused
  std::string biller_reference;
  std::string voucher;
  std::string customer_name;
  std::string unknown_cause;
  // The state in which the biller was asked; refused when the payment has moved on since. Null: any.
  std::optional<PaymentState> from = std::nullopt;
  // Whose word it is; refused when the payment is another biller's. Empty: the payment's own, for certain.
  std::string biller_id = {};
};
// A station takes back its own payment. `presented` is what the flow found against the biller's card.
struct StartCancel {
  StationId station;
  std::string operator_id;
  PaymentId payment_id;
  std::optional<Decline> presented;
  absl::Status refuse_new = absl::OkStatus();
};

// One person proposes what is to be done about a payment in REVIEW, another confirms it, and it is posted.
struct ProposeResolution {
  PaymentId payment_id;
  Verdict verdict;
  std::string reason;
  std::string clerk_id;
};
struct ConfirmResolution {
  PaymentId payment_id;
  // What is confirmed, as it was seen: refused when another proposal has taken its place since.
  uint64_t proposal;
  Verdict verdict;
  std::string clerk_id;
};

// --- reads; answered, like everything else, once all that their answers rest on is durable ---
struct ReadAccount {
  StationId station;
};
// Whether the station may ask the biller: answers with a decline, or without.
struct AdmitInquiry {
  StationId station;
  std::string biller_id;
};
// The two lookups of a payment answer kNotFound when it is not in memory: then the index has it, or nobody.
struct ReadPayment {
  PaymentId payment_id;
};
struct ReadPaymentByRequest {
  StationId station;
  std::string request_id;
};
// The station's payments that are in memory, oldest first.
struct ReadOpenPayments {
  StationId station;
};
// A payment's place in the order of station and id.
struct OpenPlace {
  StationId station;
  PaymentId id;
};
// Payments of all stations that are in one of `states`, which are not at rest, in order of station and id, after
// `after`. A page ends at `limit` payments, or after kMaxRowsPerPage looked at.
struct ReadUnsettled {
  std::vector<PaymentState> states;
  std::string biller_id;  // empty: any
  OpenPlace after;
  uint32_t limit;
};
// Station accounts in order of id, after `after`, at most `limit`.
struct ReadStations {
  StationId after;
  uint32_t limit;
};
struct ReadBillers {};
struct ReadBusinessDay {};

using Command =
    std::variant<RegisterStation, SetStationStatus, GrantCredit, RecordCounterPurchase, RegisterBiller, SetBillerStatus,
                 ResumeJournal, CloseDay, AcceptPayment, RecordOutcome, StartCancel, ProposeResolution,
                 ConfirmResolution, AdmitInquiry, ReadAccount, ReadPayment, ReadPaymentByRequest, ReadOpenPayments,
                 ReadUnsettled, ReadStations, ReadBillers, ReadBusinessDay>;

struct Purchase {
  uint64_t sequence = 0;
  StationId station;
  std::string request_id;
  Money amount;
  std::string clerk_id;
  Money balance_after;
  BusinessDate business_date;
  TimePoint time;
  bool operator==(const Purchase&) const = default;
};

// What the index holds about a command's request id or payment id, when memory has nothing: the sequencer looks it up
// so that Decide needs no I/O.
using Prior = std::variant<std::monostate, Payment, Purchase>;

// The payment that Decide needs as Prior when it is not in memory; null for commands that can only be about one that
// is, or about none.
std::optional<PaymentId> PaymentLookedUp(const Command& command);

struct BusinessDay {
  BusinessDate date;
  TimePoint opened_at;
  uint64_t opened_sequence = 0;
};

struct BillerState {
  std::string biller_id;
  bool enabled = true;
  std::string reason;
};

struct UnsettledPage {
  std::vector<Payment> payments;
  std::optional<OpenPlace> next;  // null: there is no more
};

struct Reply {
  // Not OK: refused, nothing changed; the message names the field, its fault and what was expected.
  absl::Status status;
  std::variant<std::monostate, Account, Payment, Purchase, std::vector<Payment>, std::vector<Account>,
               std::vector<BillerState>, BusinessDay, UnsettledPage>
      value;
  // The request had been accepted before; `value` is that first payment or purchase as it stands.
  bool repeated = false;
  // StartCancel: declined, and the payment in `value` stands as it did. AdmitInquiry: declined.
  std::optional<Decline> decline;
  // The last sequence number that `value` reflects.
  uint64_t sequence = 0;
  // Of a read: the last leg without which the answer would be another; at most `sequence`. It may leave once that is
  // durable.
  uint64_t rests_on = 0;
};

}  // namespace waystation::core
