#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/conformance/scenario.h"
#include "adapters/settings.h"

// What every adapter promises (biller_adapter.h), as checks that anybody can run over an adapter and what is behind it.
namespace waystation::adapters::conformance {

// What is checked.
struct Target {
  // Makes the adapter anew, as after a restart of the switch, with `extra` settings over its own.
  std::function<absl::StatusOr<std::unique_ptr<BillerAdapter>>(const Settings& extra)> make;
  Scenario scenario;
  // How often the payment stands in the biller's books and was not taken back. Null: the books can't be looked into.
  std::function<absl::StatusOr<int>(core::PaymentId)> effects = nullptr;
  // Ends what keeps payments apart and starts it anew, with no more than what it has on its disk; it may take a while
  // until it answers again. Null: only the adapter is made anew.
  std::function<absl::Status()> restart = nullptr;
  // The adapter is a process of its own, so that what the switch's side of it (adapters/remote) answers by itself is
  // not checked.
  bool is_process = false;
  // Keeps running what the adapter talks to.
  std::shared_ptr<void> host = nullptr;
  // Payments get ids from here on, and from 10^15 above: the biller has seen none of them. 16 digits, the longest that
  // there are, of which the first is 1 to 8.
  uint64_t first_payment_id = 1'000'000'000'000'001;
  // An operation that has not answered so long after its deadline never will.
  std::chrono::milliseconds patience{5'000};
  // The time limit of what is not going to be answered; long enough to connect in.
  std::chrono::milliseconds silence_limit{1'000};
  // How long after its deadline a late approval may come, and come again.
  std::chrono::milliseconds late_limit{30'000};
  // How long it may take to answer after a restart.
  std::chrono::milliseconds restart_limit{60'000};
  // A card's settling time is waited for when it is no longer than this.
  std::chrono::milliseconds settling_limit{5'000};
  // For how long a denial is watched that is said to be final.
  std::chrono::milliseconds denial_watch{2'000};
};

enum class Verdict { kPassed, kFailed, kNotApplicable };

struct Result {
  std::string_view check;
  Verdict verdict = Verdict::kPassed;
  std::string detail;  // what was wrong, why it does not apply, or what was left out of it
};

// The names of the checks, in the order in which they are run: "SameIdTwiceHasOneEffect".
std::vector<std::string_view> CheckNames();

// Runs one check, or all of them. Blocks; runs the operations on threads of its own. Not for a biller with real
// customers: it pays.
Result RunCheck(const Target& target, std::string_view name);
std::vector<Result> RunAll(const Target& target);

// A line each, and a last one that counts them.
std::string Table(const std::vector<Result>& results);

}  // namespace waystation::adapters::conformance
