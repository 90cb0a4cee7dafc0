#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "adapters/biller_adapter.h"
#include "storage/block.h"
#include "storage/commit_log.h"
#include "storage/memory_commit_log.h"
#include "switch/core/ledger.h"
#include "tests/sim/report.h"

namespace waystation::sim {

// Knows what must be true, from what is durable and from what was ever said; whatever is not goes to the report. Its
// own copy of the ledger has applied exactly the durable blocks, and forgets nothing.
class Oracle {
 public:
  explicit Oracle(Report* report);

  // --- while the switch runs ---
  void OnDurable(std::string_view sealed_block);
  // A request is put on the wire. What it is about must be durable, in the state that calls for it.
  void OnSent(std::string_view operation, core::PaymentState expected, const adapters::PaymentRequest& request);
  // The switch tells somebody of a payment.
  void OnAnswer(const core::Payment& payment);
  // The switch shows something that reflects the journal up to `sequence`.
  void OnShown(uint64_t sequence);
  // The ledger in memory; compared when all of it is durable.
  void CheckLive(const core::Ledger& live);

  // --- when it is down ---
  // Reads what is stored from its first block, and holds it against what was answered.
  void Reload(const storage::MemoryCommitLog& stored);
  // What start-up made of it.
  void CheckRecovered(const core::Ledger& recovered);
  // The rows too: storage::Verify.
  void CheckStored(const storage::MemoryCommitLog& stored);

  // --- at the end ---
  // Nobody is left that acts next, but for people.
  void CheckSettled();
  // What the biller's books say of one payment.
  void CheckBooks(core::PaymentId id, int effects, int taken_back);

  // Null when nothing of the kind is durable.
  const core::Payment* Find(core::PaymentId id) const;
  const core::Payment* FindRequest(core::StationId station, const std::string& request_id) const;
  bool HasPurchase(core::StationId station, const std::string& request_id) const {
    return purchase_keys_.contains(core::RequestKey(station, request_id));
  }
  const std::map<core::PaymentId, core::Payment>& payments() const { return payments_; }
  const core::Ledger& ledger() const { return *ledger_; }
  uint64_t legs() const { return position_.last_sequence; }

 private:
  bool Apply(std::string_view sealed_block);
  void Note(const core::Leg& leg);
  void CheckBalances();
  void CheckAnswered(const core::Payment& answered);

  Report* const report_;
  std::unique_ptr<core::Ledger> ledger_;
  storage::ChainPosition position_;
  std::map<core::PaymentId, core::Payment> payments_;
  std::map<std::string, core::PaymentId> requests_;
  std::map<core::StationId, core::Money> purchased_;
  std::set<std::string> purchase_keys_;
  // The latest that anybody was told of each payment.
  std::map<core::PaymentId, core::Payment> answered_;
};

// What makes the two differ; empty when nothing does.
std::string DifferenceOf(const core::Ledger& a, const core::Ledger& b);

// Faults of a ledger within itself: sums, what is available, what is held; empty when there is none.
std::string FaultOf(const core::Ledger& ledger);

}  // namespace waystation::sim
