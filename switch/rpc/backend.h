#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/index.h"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "switch/rpc/journal_feed.h"
#include "switch/rpc/sealed_token.h"
#include "switch/rpc/validation.h"
#include "switch/rpc/watch_hub.h"

namespace waystation::rpc {

// What the services stand on. Everything outlives them.
struct Backend {
  storage::Sequencer* sequencer;
  const storage::Index* index;
  const flow::Router* router;
  // Each payment stays on one worker, chosen by its station.
  std::vector<flow::PaymentFlow*> flows;
  // Queries and administration run here, so that a long list holds up no payment.
  flow::Worker* reader;
  WatchHub* watchers;
  JournalFeed* feed;
  const TokenSeal* seal;
  const CustomerNumberPatterns* patterns;
  const core::Clock* clock;
  // Set when the switch stops: nothing new is taken.
  const std::atomic<bool>* draining;

  flow::PaymentFlow& FlowOf(core::StationId station) const { return *flows[station.number() % flows.size()]; }

  absl::Status CheckServing() const {
    if (!draining->load(std::memory_order_relaxed)) return absl::OkStatus();
    return absl::UnavailableError("the switch is shutting down; nothing was done: send the same request again later");
  }
};

}  // namespace waystation::rpc
