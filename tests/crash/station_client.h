#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/journal_books.h"
#include "tests/e2e/calls.h"

namespace waystation::crash {

// What all clients together have seen and done.
struct Tally {
  std::atomic<uint64_t> answers{0};     // given before a kill
  std::atomic<uint64_t> unanswered{0};  // requests that a kill left without an answer
  std::atomic<uint64_t> payments{0};
  std::atomic<uint64_t> cancelled{0};
  std::atomic<uint64_t> resolved{0};        // found open after a restart, and settled then
  std::atomic<uint64_t> in_review{0};       // at the end: nobody could find out, a person decides
  std::atomic<uint64_t> late_successes{0};  // of those: approved after the money was freed
  // Set just before the kill: from then on a call may fail.
  std::atomic<bool> killed{false};
};

// The counter of one station, which nobody else uses: it writes down each request before sending it and each answer
// after, so that its books say what must be true of the switch.
//
// Threads: one at a time.
class StationClient {
 public:
  using Report = std::function<void(const std::string& fault)>;

  // `on_answer` is called for each answer that Work gets. All outlive the client.
  StationClient(int number, uint64_t seed, Tally* tally, Report report, std::function<void()> on_answer);

  void Open(const e2e::Api& api);
  // Requests of all kinds, until the switch is killed.
  void Work(const e2e::Api& api);
  // After a restart: everything that was answered is still so, and what was not is sent again. Then waits until the
  // round's payments are settled, and compares the account with the books.
  void CheckRound(const e2e::Api& api);
  // At the end: all rounds once more, no request id twice, and what can't be resolved is in REVIEW.
  void CheckAll(const e2e::Api& api);
  // After that, with the switch stopped: the journal has what the books have, each once, and nothing else.
  void CheckJournal(const JournalBooks& journal) const;

 private:
  struct Entry {
    v1::PayRequest request;
    std::optional<v1::Payment> seen;  // the latest answer about it; null: none
    bool cancel_unanswered = false;
  };

  void PaySomething(const e2e::Api& api);
  void CancelSomething(const e2e::Api& api);
  void RepeatSomething(const e2e::Api& api);
  void PutMoneyIn(const e2e::Api& api);

  // Whether a call during Work was answered; an error is a fault, unless the switch was killed.
  bool Answered(const grpc::Status& status, const std::string& what);
  // Takes an answer about a payment into the books, and checks that it follows from those before.
  void Enter(Entry& entry, const v1::Payment& payment);
  void CheckEntry(const e2e::Api& api, Entry& entry);
  // Follows the payment until `settled`.
  void Settle(const e2e::Api& api, Entry& entry, const std::function<bool(v1::PaymentState)>& settled);
  // Whether the switch that is up now has taken the payment.
  bool IsOfThisLife(const Entry& entry) const;
  // Whether nothing more happens to it, or a person must see to it as is right.
  bool HasRightEnd(const Entry& entry, v1::PaymentState state) const;
  // Whether a late approval has come meanwhile for one that was open.
  bool LookAtOpen(const e2e::Api& api);
  void CheckPurchases(const e2e::Api& api);
  void CheckAccount(const e2e::Api& api);
  void CheckList(const e2e::Api& api);
  void Fault(const std::string& what) const;
  int Roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  const std::string station_;
  const int number_;
  Tally* const tally_;
  const Report report_;
  const std::function<void()> on_answer_;
  std::mt19937_64 random_;
  std::vector<Entry> entries_;
  size_t round_begin_ = 0;     // entries from here on are of this round
  int64_t life_began_ms_ = 0;  // when the switch had been started that is up now
  std::map<std::string, std::optional<v1::CounterPurchase>> purchases_;
};

}  // namespace waystation::crash
