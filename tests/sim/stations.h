#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "switch/core/ids.h"
#include "switch/core/money.h"
#include "switch/flow/payment_flow.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/oracle.h"
#include "tests/sim/random.h"
#include "tests/sim/report.h"
#include "tests/sim/switch_process.h"

namespace waystation::sim {

// The counters: they pay, cancel and inquire, and ask again until they know. Live on when the switch crashes.
class Stations {
 public:
  // The switch as it can be reached; null while it does not serve.
  using Door = std::function<SwitchProcess*()>;

  // All outlive the stations.
  Stations(EventQueue* events, Random* random, Report* report, Oracle* oracle, Door door);

  // From now on `payments` requests come in within `within`, from these stations to these billers.
  void Open(const std::vector<core::StationId>& stations, const std::vector<std::string>& billers, int payments,
            std::chrono::milliseconds within);
  // Asks once more for every request there ever was, the last time.
  void AskAgain();
  // Requests that nobody has heard the end of.
  size_t open() const;
  uint64_t answers() const { return answers_; }

 private:
  struct Wish {
    core::StationId station;
    std::string request_id;
    std::string biller_id;
    core::Money amount;
    bool known = false;  // how it ended
    std::chrono::milliseconds patience{500};
    core::PaymentId to_cancel;  // a cancel is wanted
    bool cancel_known = false;
  };

  void Pay(Wish* wish, core::Money amount);
  void OnPaid(Wish* wish, core::Money amount, const flow::PaymentFlow::Result& result);
  void Cancel(Wish* wish);
  void OnCancelled(Wish* wish, const flow::PaymentFlow::Result& result);
  void Inquire(core::StationId station, const std::string& biller_id);
  // Calls `again` when nothing was heard by then.
  using Heard = std::shared_ptr<bool>;
  Heard Await(std::chrono::milliseconds time, std::function<void()> again);
  // Whether an answer gets through, and when.
  void Carry(std::function<void()> deliver);
  void CheckResult(const Wish& wish, const flow::PaymentFlow::Result& result);
  std::chrono::milliseconds Longer(Wish* wish);

  EventQueue* const events_;
  Random* const random_;
  Report* const report_;
  Oracle* const oracle_;
  const Door door_;
  std::deque<Wish> wishes_;
  uint64_t answers_ = 0;
};

}  // namespace waystation::sim
