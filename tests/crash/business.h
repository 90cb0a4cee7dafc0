#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "switch/core/command.h"
#include "tests/crash/ledger_session.h"
#include "tests/storage/manual_clock.h"

namespace waystation::crash {

// The counters of a few stations and the billers behind the switch, over all restarts of one ledger: what was asked,
// what was answered, and what the billers did. Requests leave for a biller as the switch's would: on the answer to a
// hold, once; what is open after a restart is queried, reversed or cancelled, never sent again.
//
// So these books say what must be true of the ledger; whatever is not is a fault. Everything is drawn from the seed.
// One thread.
class Business {
 public:
  explicit Business(uint64_t seed) : random_(seed) {}

  // While the disk's reads may fail, a request may be refused with kUnavailable, and is then not taken. Looked at after
  // each reply.
  void SetLookupsMayFail(std::function<bool()> may_fail) { lookups_may_fail_ = std::move(may_fail); }
  void SetLookupsMayFail(bool may_fail) {
    lookups_may_fail_ = [may_fail] { return may_fail; };
  }

  const core::Clock& clock() const { return clock_; }

  // A batch of requests: mostly few, now and then enough for a large block. All three end early when the session does.
  void Work(LedgerSession& session);
  // After a restart: everything that was answered is still so, and what was not is sent again; accounts, open payments
  // and business date are those of the books.
  void Check(LedgerSession& session);
  // Follows each open payment to its end, and checks again.
  void Settle(LedgerSession& session);

  uint64_t answers() const { return answers_; }
  uint64_t unanswered() const { return unanswered_; }
  uint64_t payments() const { return entries_.size(); }
  uint64_t day_cuts() const { return day_cuts_; }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  enum class Biller { kApproves, kDeclines, kSilentAndDone, kSilentAndLost };
  struct Entry {
    core::AcceptPayment request;
    std::optional<core::Payment> seen;  // as last answered; null: never
    // --- the biller's books ---
    bool sent = false;
    Biller biller = Biller::kSilentAndLost;
    bool done = false;  // the customer has what was paid for
  };
  struct Bought {
    core::RecordCounterPurchase request;
    std::optional<core::Purchase> seen;
  };
  struct Credit {
    core::Money answered;
    std::vector<core::Money> asked;  // without an answer
  };
  using Replies = std::vector<std::optional<core::Reply>>;

  void Open(LedgerSession& session);
  core::Command NewPayment();
  core::Command NewPurchase();
  core::Command NewCredit();
  // What happens to the payment next, its biller being asked where that is due; null when nothing need.
  std::optional<core::Command> NextStep(Entry& entry, bool may_cancel);
  void DrawOne(std::vector<core::Command>* batch, std::vector<bool>* busy);

  Replies Ask(LedgerSession& session, const std::vector<core::Command>& commands);
  void Note(const core::Command& command, const core::Reply& reply);
  void NotePayment(const std::string& request_id, const core::Reply& reply);
  void NotePurchase(const std::string& request_id, const core::Reply& reply);
  void NoteDay(const core::BusinessDay& day);
  void SendToBiller(Entry& entry);
  void CheckAccounts(LedgerSession& session);
  void CheckAccount(const core::Account& account);
  void CheckOpen(core::StationId station, const std::vector<core::Payment>& open);
  bool IsOpen(const Entry& entry) const;
  void Fault(const std::string& what);
  uint64_t Below(uint64_t end) { return std::uniform_int_distribution<uint64_t>(0, end - 1)(random_); }

  std::mt19937_64 random_;
  std::function<bool()> lookups_may_fail_ = [] { return false; };
  storage::ManualClock clock_;
  size_t opened_ = 0;  // commands of the opening that were answered
  std::vector<Entry> entries_;
  std::vector<Bought> bought_;
  std::map<std::string, size_t> by_request_;  // in entries_ or bought_
  std::map<core::PaymentId, size_t> by_id_;   // in entries_
  std::map<core::StationId, Credit> credit_;
  std::optional<core::BusinessDate> date_;  // as last answered
  bool day_cut_asked_ = false;
  uint64_t answers_ = 0;
  uint64_t unanswered_ = 0;
  uint64_t day_cuts_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace waystation::crash
