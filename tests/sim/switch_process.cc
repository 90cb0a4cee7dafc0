#include "tests/sim/switch_process.h"

#include <algorithm>
#include <utility>

namespace waystation::sim {

namespace asio = boost::asio;

SwitchProcess::SwitchProcess(Options options)
    : options_(std::move(options)),
      index_(options_.store, options_.store),
      ledger_(std::make_unique<core::Ledger>(options_.first_date)) {
  for (auto& [biller_id, adapter] : options_.adapters) {
    auto lane = std::make_unique<flow::BillerLane>(
        biller_id, biller_id, std::move(adapter), options_.clock,
        flow::LaneOptions{.breaker = options_.breaker, .max_unresolved = options_.max_unresolved});
    lane->ReportLateApprovalsTo(&late_approvals_.emplace_back(this, biller_id));
    router_.Add(std::move(lane));
  }
}

SwitchProcess::~SwitchProcess() {
  // What waits for an answer ends with the sequencer and the workers; the lanes' owner has dropped the billers' calls.
  if (sequencer_ != nullptr) sequencer_->Abandon();
  sequencer_.reset();
  flows_.clear();
  workers_.clear();
  reader_.reset();
}

absl::Status SwitchProcess::Start() {
  absl::StatusOr<storage::Recovered> recovered = storage::Recover(*options_.store, *options_.store, ledger_.get());
  if (!recovered.ok()) return recovered.status();
  recovered_ = *recovered;
  sequencer_ = std::make_unique<storage::Sequencer>(
      recovered_.position, ledger_.get(), options_.store, &index_, options_.clock, nullptr,
      storage::Sequencer::Options{options_.snapshot_interval, [this](const std::string& cause) { fatal_ = cause; },
                                  recovered_.snapshot_sequence});
  reader_ = std::make_unique<flow::Worker>(options_.clock);
  for (size_t i = 0; i < kWorkers; ++i) {
    workers_.push_back(std::make_unique<flow::Worker>(options_.clock));
    flows_.push_back(
        std::make_unique<flow::PaymentFlow>(workers_.back().get(), sequencer_.get(), &router_, options_.schedule));
  }
  ledger_->ForEachOpen([this](const core::Payment& payment) {
    if (!flow::HasSettled(payment.state) && options_.adopts(payment)) FlowOf(payment.station).Adopt(payment);
  });
  reader_->Spawn(RegisterBillers());
  return absl::OkStatus();
}

void SwitchProcess::LateApprovalPost::OnLateApproval(core::StationId station, core::PaymentId payment,
                                                     adapters::Approved approved, Recorded recorded) {
  process_->FlowOf(station).LateApproval(
      biller_id_, payment, std::move(approved),
      [process = process_, recorded = std::move(recorded)](const flow::PaymentFlow::Result& result) mutable {
        process->options_.on_late(result);
        recorded(result.status.ok());
      });
}

asio::awaitable<void> SwitchProcess::RegisterBillers() {
  for (const auto& [biller_id, lane] : router_.lanes()) {
    core::Command command = core::RegisterBiller{biller_id};
    co_await flow::Commit(*sequencer_, *reader_, std::move(command));
  }
  serving_ = true;
}

void SwitchProcess::Do(core::Command command, OnReply on_reply) {
  reader_->Post([this, command = std::move(command), on_reply = std::move(on_reply)]() mutable {
    reader_->Spawn(RunCommand(std::move(command), std::move(on_reply)));
  });
}

asio::awaitable<void> SwitchProcess::RunCommand(core::Command command, OnReply on_reply) {
  core::Reply reply = co_await flow::TryCommit(*sequencer_, *reader_, std::move(command));
  on_reply(std::move(reply));
}

bool SwitchProcess::Run(size_t part) {
  if (part < kWorkers) return workers_[part]->RunReady();
  if (part == kWorkers) return reader_->RunReady();
  return sequencer_->RunReady();
}

std::optional<core::SteadyTime> SwitchProcess::NextAlarm() const {
  std::optional<core::SteadyTime> next;
  for (const auto& worker : workers_) {
    const std::optional<core::SteadyTime> alarm = worker->NextAlarm();
    if (alarm.has_value() && (!next.has_value() || *alarm < *next)) next = alarm;
  }
  return next;
}

}  // namespace waystation::sim
