#include "switch/rpc/statistics.h"

#include <chrono>

#include "storage/sequencer_tally.h"
#include "switch/core/tally.h"
#include "switch/flow/stage_tally.h"
#include "switch/rpc/convert.h"

namespace waystation::rpc {
namespace {

using flow::LaneOutcome;

// Added to what is there: workers have histograms of their own.
void AddTo(const core::Histogram& histogram, v1::Histogram* out) {
  out->mutable_counts()->Resize(core::Histogram::kBuckets, 0);
  for (size_t bucket = 0; bucket < core::Histogram::kBuckets; ++bucket) {
    const int index = static_cast<int>(bucket);
    out->set_counts(index, out->counts(index) + histogram.count(bucket));
  }
  out->set_sum(out->sum() + histogram.sum());
}

void AddCalls(const CallTally& tally, v1::Statistics* out) {
  for (size_t method = 0; method < kMethods; ++method) {
    const CallTally::Row& row = tally.Of(static_cast<Method>(method));
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = row.count(code);
      if (count == 0) continue;
      v1::CallCount& call = *out->add_calls();
      call.set_method(std::string(Name(static_cast<Method>(method))));
      call.set_code(static_cast<int>(code));
      call.set_count(count);
    }
  }
}

void AddPayments(const storage::SequencerTally& tally, core::TimePoint now, v1::Statistics* out) {
  for (const core::PaymentState state : core::kAllPaymentStates) {
    v1::StateCount& count = *out->add_payments();
    count.set_state(static_cast<v1::PaymentState>(state));
    count.set_count(tally.entered[static_cast<size_t>(state)].value());
  }
  for (size_t reason = 1; reason < tally.declined.size(); ++reason) {
    const uint64_t declined = tally.declined[reason].value();
    if (declined == 0) continue;
    v1::DeclineCount& count = *out->add_declines();
    count.set_reason(static_cast<v1::DeclineReason>(reason));
    count.set_count(declined);
  }
  AddTo(tally.block_legs, out->mutable_block_legs());
  AddTo(tally.commit_us, out->mutable_commit_us());
  for (const storage::OpenPayments::Group& group : tally.open.Read(now)) {
    v1::OpenPayments& open = *out->add_open_payments();
    open.set_biller_id(group.biller_id);
    open.set_state(static_cast<v1::PaymentState>(group.state));
    for (const uint64_t count : group.by_age) open.add_by_age(count);
    open.set_oldest_since_ms(group.oldest.time_since_epoch().count());
  }
}

void AddStages(const Backend& backend, v1::Statistics* out) {
  uint64_t in_progress = 0;
  for (size_t stage = 0; stage < flow::kStages; ++stage) {
    // The API's numbers begin with 1.
    v1::StageLatency& latency = *out->add_stages();
    latency.set_stage(static_cast<v1::PaymentStage>(stage + 1));
    for (const flow::PaymentFlow* flow : backend.flows) AddTo(flow->stages()[stage], latency.mutable_us());
  }
  for (const flow::PaymentFlow* flow : backend.flows) in_progress += flow->in_progress();
  out->set_in_progress(in_progress);
}
static_assert(v1::PAYMENT_STAGE_TOTAL == static_cast<int>(flow::Stage::kTotal) + 1);
static_assert(v1::PaymentStage_ARRAYSIZE == flow::kStages + 1);

void AddLane(const flow::BillerLane& lane, v1::Statistics* out) {
  v1::LaneStatistics& statistics = *out->add_lanes();
  statistics.set_biller_id(lane.biller_id());
  ToProto(lane.status(), statistics.mutable_lane());
  const flow::LaneTally& tally = lane.tally();
  const auto of = [&tally](LaneOutcome outcome) { return tally.outcomes[static_cast<size_t>(outcome)].value(); };
  v1::LaneTotals& totals = *statistics.mutable_totals();
  totals.set_approved(of(LaneOutcome::kApproved));
  totals.set_declined(of(LaneOutcome::kDeclined));
  totals.set_not_sent(of(LaneOutcome::kNotSent));
  totals.set_unknown(of(LaneOutcome::kUnknown));
  totals.set_refused(of(LaneOutcome::kRefused));
  AddTo(tally.answer_us[static_cast<size_t>(flow::CircuitBreaker::Asked::kInquiry)], statistics.mutable_inquiry_us());
  AddTo(tally.answer_us[static_cast<size_t>(flow::CircuitBreaker::Asked::kPayment)], statistics.mutable_payment_us());
}

}  // namespace

v1::Statistics ReadStatistics(const Backend& backend) {
  v1::Statistics statistics;
  const auto uptime = backend.clock->Steady() - backend.started;
  statistics.set_started_at_ms(backend.started_at.time_since_epoch().count());
  statistics.set_uptime_us(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(uptime).count()));
  for (size_t index = 0; index < core::Histogram::kBounds; ++index) {
    statistics.add_bucket_bounds(core::Histogram::BoundOf(index));
  }
  AddCalls(*backend.calls, &statistics);
  AddPayments(backend.sequencer->tally(), backend.clock->Now(), &statistics);
  AddStages(backend, &statistics);
  for (const auto& [biller_id, lane] : backend.router->lanes()) AddLane(*lane, &statistics);
  statistics.set_last_sequence(backend.sequencer->durable_sequence());
  return statistics;
}

}  // namespace waystation::rpc
