#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "switch/core/ledger.h"

namespace waystation::core {

struct JournalEntry {
  Leg leg;
  BlockStamp stamp;
};

// The rows of the newest snapshot, as a store would hold them.
struct SnapshotRows {
  std::map<std::string, Account> accounts;  // by AccountKey
  std::map<PaymentId, Payment> open;
  uint64_t last_sequence = 0;
  BusinessDay day;
};

// A ledger with what storage keeps for it: the journal, the index that Prior is looked up in, and a snapshot; all in
// memory. Opens on 2026-11-21 and gives each leg a block of its own, a second after the one before.
class LedgerWorld {
 public:
  LedgerWorld();

  struct Answer {
    Reply reply;
    std::optional<Leg> leg;
  };
  // Decides, and applies what was decided, as the sequencer does. Internal, when Decide's own leg is refused by Apply.
  Answer Do(const Command& command);

  // All legs so far are durable: payments and purchases at rest leave memory and stand in the index from now on.
  void ForgetAtRest();
  // Brings the snapshot up to date, from what changed since the last time. Empty, or what is wrong with the rows.
  std::vector<std::string> TakeSnapshot();

  // The payment as memory has it, or else the index; null when neither does.
  const Payment* Find(PaymentId id) const;

  const Ledger& ledger() const { return *ledger_; }
  const std::vector<JournalEntry>& journal() const { return journal_; }
  const SnapshotRows& snapshot() const { return snapshot_; }

 private:
  Prior PriorOf(const Command& command) const;
  Prior PriorOfRequest(StationId station, const std::string& request_id) const;

  std::unique_ptr<Ledger> ledger_;
  std::vector<JournalEntry> journal_;
  SnapshotRows snapshot_;
  std::vector<std::variant<Payment, Purchase>> not_indexed_;
  std::map<PaymentId, Payment> payment_rows_;
  std::map<std::string, std::variant<PaymentId, Purchase>> request_rows_;  // by RequestKey
};

BusinessDate FirstDate();

// The stamp of the leg with this sequence number.
BlockStamp StampOf(uint64_t sequence, BusinessDate date);

// "station 440106000001", "biller payable mobile", "suspense".
std::string AccountKey(const Account& account);

// Writes to `rows` what `ledger` changed since the last time. Empty, or what is wrong with the rows then.
std::vector<std::string> UpdateSnapshot(Ledger& ledger, SnapshotRows& rows);

// A ledger from the rows and the part of the journal that follows them. DataLoss as Restore* and Apply say.
absl::StatusOr<std::unique_ptr<Ledger>> Recover(const SnapshotRows& rows, const std::vector<JournalEntry>& journal);

// A ledger from the journal alone.
absl::StatusOr<std::unique_ptr<Ledger>> Replay(const std::vector<JournalEntry>& journal);

// All that a ledger must have again after a restart, a line each: day, accounts, open payments. Equal text, equal
// ledgers.
std::string Describe(const Ledger& ledger);

// What is wrong with a ledger's books, a line each: the sum over all accounts, figures below zero, and held money that
// differs from the open payments.
std::vector<std::string> FaultsOfBooks(const Ledger& ledger);

// What is wrong with a journal's holds, told from the figures alone: each is taken once, at acceptance, in full, and
// ends at most once, in full; nothing else changes what is held.
std::vector<std::string> FaultsOfHolds(const std::vector<JournalEntry>& journal);

// The station's figures that stand in the leg; null for a leg without.
const AccountAfter* AfterOf(const Leg& leg);
AccountAfter* AfterOf(Leg& leg);

}  // namespace waystation::core
