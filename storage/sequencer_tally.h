#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "switch/core/payment.h"
#include "switch/core/tally.h"

namespace waystation::storage {

// Ages by which open payments are told apart: up to each of these, and older than all of them.
inline constexpr std::array kAgeBounds = {std::chrono::seconds(60), std::chrono::seconds(600),
                                          std::chrono::seconds(3'600), std::chrono::seconds(86'400)};

// How many payments there are whose outcome somebody has to find out (UNKNOWN, REVERSING, CANCELLING) or decide
// (REVIEW), by biller, and since when they are in that state. Not of HELD: those come and go with every payment, and
// are counted where they are with the biller.
//
// Threads: Add and OnChanged one at a time, Read any; they share a lock, which a payment that goes well never takes.
//
// Limits: one entry for each second in which payments came into a state that they are in yet.
class OpenPayments {
 public:
  // Whether payments in `state` are counted here.
  static bool Counts(core::PaymentState state);

  // One that start-up found open.
  void Add(const core::Payment& payment);
  // The last entry of the payment's history is new.
  void OnChanged(const core::Payment& payment);

  struct Group {
    std::string biller_id;
    core::PaymentState state = core::PaymentState::kUnknown;
    std::array<uint64_t, kAgeBounds.size() + 1> by_age{};
    core::TimePoint oldest;  // when it came into the state, to the second
  };
  // Of every biller and state that there was a payment of since the start; all 0 where there is none now.
  std::vector<Group> Read(core::TimePoint now) const;

 private:
  using Second = std::chrono::sys_seconds;
  void Change(const core::Payment& payment, core::PaymentState state, core::TimePoint since, int by);

  mutable std::mutex mutex_;
  // Guarded by mutex_. How many came into the state in each second.
  std::map<std::pair<std::string, core::PaymentState>, std::map<Second, int64_t>> groups_;
};

// What the sequencer has done since it started. Written on its thread, read on any.
struct SequencerTally {
  core::Histogram block_legs;  // of each block
  core::Histogram commit_us;   // of each commit: from when the log was given it until it was found durable
  // Payments that came to a state, and those that were declined; by their numbers.
  std::array<core::Tally, core::kAllPaymentStates.size() + 1> entered;
  std::array<core::Tally, core::kLastDeclineReason + 1> declined;
  OpenPayments open;

  // A leg has changed `payment`.
  void OnChanged(const core::Payment& payment);
};

}  // namespace waystation::storage
