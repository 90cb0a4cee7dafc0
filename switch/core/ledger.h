#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "switch/core/account.h"
#include "switch/core/command.h"
#include "switch/core/leg.h"
#include "switch/core/payment.h"

namespace waystation::core {

struct Decision {
  // Null: nothing to record (a read, a repeated request, a refusal).
  std::optional<Leg> leg;
  // Complete when `leg` is null; otherwise MakeReply completes it after Apply.
  Reply reply;
};

// The station accounts, the billers' payable accounts, and the payments that are not at rest: a deterministic state
// machine in memory. Decide says what a command leads to, Apply makes it so; live operation and replay run the same
// Apply. Neither reads a clock, does I/O, or is random.
//
// Threads: one at a time (the sequencer's, or that of start-up and verify).
//
// Payments at rest leave memory when ForgetAtRest is told that their last leg is durable; until then they are found
// here, from then on in the index. Their number is bounded by the blocks in flight.
//
// Invariants, checked where they could first break: the sum over all accounts is zero (every posting has two sides);
// available >= 0 after every hold; reserved and forwarded are never negative; each hold ends once (the transition
// table).
class Ledger {
 public:
  // A new ledger that opens on `first_date`; a snapshot or the journal then says otherwise.
  explicit Ledger(BusinessDate first_date);

  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // What `command` leads to, given what the index holds about it. Changes nothing.
  Decision Decide(const Command& command, const Prior& prior) const;

  // Makes `leg` so. Not OK: the leg contradicts the ledger (a damaged journal); the ledger is then not to be used.
  absl::Status Apply(const Leg& leg, const BlockStamp& stamp);

  // The reply to a command whose leg was just applied.
  void MakeReply(const Leg& leg, Reply* reply) const;

  // Drops the payments and purchases whose last leg is at or before `durable_sequence` and that are at rest.
  void ForgetAtRest(uint64_t durable_sequence);

  uint64_t last_sequence() const { return last_sequence_; }
  const BusinessDay& business_day() const { return day_; }

  // Null when not in memory.
  const Payment* FindPayment(PaymentId id) const;
  const Account* FindStation(StationId station) const;
  const Purchase* FindPurchase(const RequestName& request) const;
  bool HasRequest(const RequestName& request) const;
  size_t payments_in_memory() const { return payments_.size(); }

  // Zero, or the ledger is broken.
  Money SumOfBalances() const;
  void ForEachAccount(absl::FunctionRef<void(const Account&)> visit) const;
  // Payments not at rest, in order of station and id.
  void ForEachOpen(absl::FunctionRef<void(const Payment&)> visit) const;

  // --- snapshots ---
  // What changed since the last call: what the next snapshot must write.
  struct Changes {
    std::vector<const Account*> accounts;
    std::vector<const Payment*> open;       // changed and not at rest
    std::vector<PaymentId> no_longer_open;  // had a snapshot row and are at rest now
  };
  Changes TakeChanges();

  // Loading a snapshot, before anything else.
  absl::Status RestoreAccount(Account account);
  absl::Status RestoreOpenPayment(Payment payment);
  void RestorePosition(uint64_t last_sequence, const BusinessDay& day);

 private:
  struct Held {
    Payment payment;
    bool has_snapshot_row = false;
    // The last leg that changed it, a proposal too, which is no step of its history; 0: none since it was restored.
    uint64_t changed_by = 0;
  };
  // A request in memory, which is looked up without a copy of its name.
  struct Request {
    StationId station;
    std::string request_id;
    // NOLINTNEXTLINE(google-explicit-constructor): hash and equality take either
    operator RequestName() const { return {station, request_id}; }
  };
  struct RequestHash {
    using is_transparent = void;
    size_t operator()(const RequestName& name) const { return absl::HashOf(name); }
  };
  struct SameRequest {
    using is_transparent = void;
    bool operator()(const RequestName& a, const RequestName& b) const { return a == b; }
  };
  struct Resting {
    uint64_t sequence;
    std::variant<PaymentId, Request> what;  // a payment, or the request of a purchase
  };

  // Decide, one a command (decide.cc).
  Decision On(const RegisterStation& c, const Prior&) const;
  Decision On(const SetStationStatus& c, const Prior&) const;
  Decision On(const GrantCredit& c, const Prior&) const;
  Decision On(const RecordCounterPurchase& c, const Prior& prior) const;
  Decision On(const RegisterBiller& c, const Prior&) const;
  Decision On(const SetBillerStatus& c, const Prior&) const;
  Decision On(const ResumeJournal& c, const Prior&) const;
  Decision On(const CloseDay& c, const Prior&) const;
  Decision On(const AcceptPayment& c, const Prior& prior) const;
  Decision On(const RecordOutcome& c, const Prior& prior) const;
  Decision On(const StartCancel& c, const Prior& prior) const;
  Decision On(const ProposeResolution& c, const Prior& prior) const;
  Decision On(const ConfirmResolution& c, const Prior& prior) const;
  Decision On(const AdmitInquiry& c, const Prior&) const;
  Decision On(const ReadAccount& c, const Prior&) const;
  Decision On(const ReadPayment& c, const Prior&) const;
  Decision On(const ReadPaymentByRequest& c, const Prior&) const;
  Decision On(const ReadOpenPayments& c, const Prior&) const;
  Decision On(const ReadUnsettled& c, const Prior&) const;
  Decision On(const ReadStations& c, const Prior&) const;
  Decision On(const ReadBillers& c, const Prior&) const;
  Decision On(const ReadBusinessDay& c, const Prior&) const;

  template <typename OneFact>
  Decision Record(OneFact fact) const;
  std::optional<Decline> AdmissionDecline(const AcceptPayment& c, const Account& station, const Account& payable) const;
  std::optional<Decline> CancelDecline(const StartCancel& c, const Payment& payment, const Account& station,
                                       const Account& payable) const;

  // Apply, one a fact (ledger.cc).
  absl::Status Make(const StationRegistered& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const StationStatusSet& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const CreditGranted& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const CounterPurchased& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const BillerRegistered& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const BillerStatusSet& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const DayCut& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const PaymentAccepted& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const PaymentMoved& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const ResolutionProposed& f, const Leg& leg, const BlockStamp& stamp);
  absl::Status Make(const JournalResumed& f, const Leg& leg, const BlockStamp& stamp);

  Account* Station(StationId station);
  Account* Payable(std::string_view biller_id);
  const Account* Payable(std::string_view biller_id) const;
  Account& SystemAccount(AccountKind kind);
  Account& AddAccount(Account account);
  void Touch(Account& account, const Leg& leg);
  void Post(Account& from, Account& to, Money amount, const Leg& leg);
  absl::Status SetFigures(Account& station, Account& payable, const AccountAfter& after, const Leg& leg);
  // Without the payment, which the caller fills in.
  Held& AddPayment(PaymentId id, const RequestName& request);
  void MarkChanged(Held& held, uint64_t sequence);
  static Decision AnswerWith(const Held& held);

  std::deque<Account> accounts_;  // at Account::index, for ever
  std::vector<bool> account_dirty_;
  std::vector<uint32_t> dirty_accounts_;
  // Found by its id several times a payment, and listed in order.
  absl::flat_hash_map<StationId, uint32_t> stations_;
  absl::btree_set<StationId> stations_in_order_;
  absl::btree_map<std::string, uint32_t, std::less<>> payables_;
  absl::flat_hash_map<PaymentId, Held> payments_;
  absl::btree_set<std::pair<StationId, PaymentId>> payments_by_station_;
  absl::flat_hash_map<Request, std::variant<PaymentId, Purchase>, RequestHash, SameRequest> requests_;
  std::deque<Resting> resting_;
  absl::flat_hash_set<PaymentId> dirty_payments_;
  std::vector<PaymentId> lost_snapshot_rows_;
  uint64_t last_sequence_ = 0;
  BusinessDay day_;
};

}  // namespace waystation::core
