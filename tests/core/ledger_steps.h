#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "tests/core/ledger_world.h"

namespace waystation::core {

// What a random step does. The numbers of a Step say to which station, biller, payment.
enum class Deed {
  kPay,       // with a request id that may have been used, and sometimes the very content of its first use
  kOutcome,   // an event that can happen to some open payment
  kAnyEvent,  // any event, to any payment
  kCancel,    // any payment; mostly one that succeeded
  kResolve,   // two people, who are sometimes one, decide about some payment, mostly one in REVIEW
  kPurchase,  // sometimes with a payment's request id
  kGrantCredit,
  kStationStatus,  // now and then CLOSED
  kBillerStatus,
  kCloseDay,
  kForget,
  kSnapshot,
};

struct Step {
  Deed deed = Deed::kPay;
  uint32_t station = 0;
  uint32_t biller = 0;
  uint32_t request = 0;
  uint32_t which = 0;
  int64_t fen = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step);

// Takes random steps against a ledger, and checks each against books of its own: what each request was first used for,
// how each payment stands, and what each station put in.
class StepTaker {
 public:
  StepTaker();

  // Empty, or what was wrong with the answer or with the ledger after it.
  std::vector<std::string> Take(const Step& step);

  const LedgerWorld& world() const { return world_; }
  LedgerWorld& world() { return world_; }

 private:
  struct FirstUse {
    Command command;
    uint64_t sequence = 0;  // of its leg; a payment's id
  };

  void Pay(const Step& step);
  void Purchase(const Step& step);
  void Outcome(const Step& step);
  void AnyEvent(const Step& step);
  void LateApproval(const Payment& before);
  void Resolve(const Step& step);
  void Cancel(const Step& step);
  void SetStatus(const Step& step);
  LedgerWorld::Answer Do(const Command& command);
  void CheckRequest(const std::string& key, const Command& command, const LedgerWorld::Answer& answer);
  void CheckLeg(const Leg& leg);
  void CheckBalances();
  std::vector<PaymentId> OpenPayments() const;

  LedgerWorld world_;
  std::map<std::string, FirstUse> requests_;  // by RequestKey
  std::map<PaymentId, Payment> payments_;     // as last answered
  std::map<StationId, Money> put_in_;
  std::vector<std::string> faults_;
};

}  // namespace waystation::core
