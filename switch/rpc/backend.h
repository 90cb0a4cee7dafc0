#pragma once

#include <string>
#include <vector>

#include "storage/index.h"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/flow/next_step.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "switch/rpc/admission.h"
#include "switch/rpc/call_tally.h"
#include "switch/rpc/journal_feed.h"
#include "switch/rpc/sealed_token.h"
#include "switch/rpc/validation.h"
#include "switch/rpc/watch_hub.h"

namespace waystation::rpc {

class PayStreams;

// What the services stand on. Everything outlives them.
struct Backend {
  storage::Sequencer* sequencer = nullptr;
  const storage::Index* index = nullptr;
  const flow::Router* router = nullptr;
  // Each payment stays on one worker, chosen by its station.
  std::vector<flow::PaymentFlow*> flows;
  // Queries and administration run here, so that a long list holds up no payment.
  flow::Worker* reader = nullptr;
  WatchHub* watchers = nullptr;
  JournalFeed* feed = nullptr;
  PayStreams* pay_streams = nullptr;
  const TokenSeal* seal = nullptr;
  const CustomerNumberPatterns* patterns = nullptr;
  const core::Clock* clock = nullptr;
  // What the next step of a payment follows from, with its record and its biller's card.
  flow::ResolverSchedule schedule;
  // What is not taken at present.
  const Admission* admission = nullptr;
  // What was answered since the start, and when that was.
  CallTally* calls = nullptr;
  core::TimePoint started_at;
  core::SteadyTime started;

  size_t FlowIndexOf(core::StationId station) const { return station.number() % flows.size(); }
  flow::PaymentFlow& FlowOf(core::StationId station) const { return *flows[FlowIndexOf(station)]; }

  // Who acts next for `payment`, as of `now`.
  flow::NextStep NextStepOf(const core::Payment& payment, core::TimePoint now) const {
    const flow::BillerLane* lane = router->Find(payment.biller_id);
    return flow::NextStepOf(payment, lane == nullptr ? nullptr : &lane->card(), schedule, now);
  }
  // As of this moment. For a payment at rest, as nearly all are, it looks nothing up.
  flow::NextStep NextStepOf(const core::Payment& payment) const {
    return core::IsAtRest(payment.state) ? flow::NextStep() : NextStepOf(payment, clock->Now());
  }
};

}  // namespace waystation::rpc
