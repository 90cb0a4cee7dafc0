#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "adapters/biller_adapter.h"
#include "switch/core/payment.h"
#include "tests/sim/disk.h"

namespace waystation::sim {

// Faults that the switch must not have, planted to see that the simulation finds them.
enum class Fault {
  kReleaseOnTimeout,     // no answer in time counts as "not sent"
  kCaptureTwice,         // the snapshot has a capture once more
  kAnswerBeforeCommit,   // a commit is called durable when it is only on its way
  kIdForgotten,          // request ids of before a restart are not found
  kReversalDropped,      // a reversal that a crash interrupts is taken up by nobody
  kWrongColumn,          // the snapshot has what is reserved among what is forwarded
  kSnapshotAhead,        // the rows of a block are written before it, not with it
  kResend,               // the request is sent again where its outcome should be asked for
  kFailedCommitIgnored,  // a commit that failed counts as durable
  kDenialBelieved,       // "never heard of it" counts as final where the biller's card says that it is not
  kCancelDropped,        // a cancel that a crash interrupts is taken up by nobody
  kAdviceDenialFrees,    // "never heard of it" in answer to reversal advice frees the money at once
};
inline constexpr std::array kAllFaults = {
    Fault::kReleaseOnTimeout,    Fault::kCaptureTwice,   Fault::kAnswerBeforeCommit, Fault::kIdForgotten,
    Fault::kReversalDropped,     Fault::kWrongColumn,    Fault::kSnapshotAhead,      Fault::kResend,
    Fault::kFailedCommitIgnored, Fault::kDenialBelieved, Fault::kCancelDropped,      Fault::kAdviceDenialFrees};

// "release-on-timeout", ... as the command line has them.
std::string_view Name(Fault fault);
std::optional<Fault> FaultFromName(std::string_view name);

// What stands between the switch's own classes and the world. Without a fault it is what it stands for.
struct Doubles {
  std::function<std::unique_ptr<Store>(std::unique_ptr<Store>)> store;
  std::function<std::unique_ptr<adapters::BillerAdapter>(std::unique_ptr<adapters::BillerAdapter>)> adapter;
  std::function<bool(const core::Payment&)> adopts;
};
Doubles DoublesFor(std::optional<Fault> fault);

}  // namespace waystation::sim
