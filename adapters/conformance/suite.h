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
  // Keeps running what the adapter talks to.
  std::shared_ptr<void> host = nullptr;
  // Payments get ids from here on; the biller has seen none of them.
  uint64_t first_payment_id = 1;
  // An operation that has not answered so long after its deadline never will.
  std::chrono::milliseconds patience{5'000};
  // The time limit of what is not going to be answered; long enough to connect in.
  std::chrono::milliseconds silence_limit{1'000};
  // How long after its deadline a late approval may come.
  std::chrono::milliseconds late_limit{30'000};
};

enum class Verdict { kPassed, kFailed, kNotApplicable };

struct Result {
  std::string_view check;
  Verdict verdict = Verdict::kPassed;
  std::string detail;  // what was wrong, or why it does not apply
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
