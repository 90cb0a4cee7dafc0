#include "tests/flow/timed_world.h"

#include <algorithm>
#include <chrono>

#include "storage/snapshot.h"

namespace waystation::flow {

using std::chrono::milliseconds;

TimedWorld::TimedWorld(TimedOptions options) {
  {
    storage::ManualClock clock;
    storage::RunningLedger before(&store_, &clock);
    before.Start();
    storage::OpenShop(before);
    before.Do(core::RegisterBiller{"gas"});
  }
  auto mobile = std::make_unique<ScriptedBiller>(std::move(options.mobile));
  mobile_ = mobile.get();
  auto lane =
      std::make_unique<BillerLane>(storage::kShopBiller, "Mobile", std::move(mobile), &clock_, std::move(options.lane));
  lane->ReportLateApprovalsTo(&post_);
  router_.Add(std::move(lane));
  auto gas = std::make_unique<ScriptedBiller>(AbleCard());
  gas_ = gas.get();
  router_.Add(std::make_unique<BillerLane>("gas", "Gas", std::move(gas), &clock_));
  ledger_ = std::make_unique<core::Ledger>(storage::ShopDate());
  const absl::StatusOr<storage::Recovered> recovered = storage::Recover(store_, store_, ledger_.get());
  WS_CHECK(recovered.ok(), "the store is whole");
  sequencer_ = std::make_unique<storage::Sequencer>(
      recovered->position, ledger_.get(), &store_, &index_, &clock_, &states_,
      storage::Sequencer::Options{std::chrono::hours(1), [](const std::string&) {}, recovered->snapshot_sequence});
  worker_ = std::make_unique<Worker>(&clock_);
  flow_ = std::make_unique<PaymentFlow>(worker_.get(), sequencer_.get(), &router_, options.schedule);
}

TimedWorld::~TimedWorld() {
  sequencer_->Abandon();
  sequencer_.reset();
  flow_.reset();
  mobile_->DropCalls();
  gas_->DropCalls();
  worker_.reset();
}

void TimedWorld::Run() {
  for (bool did_something = true; did_something;) {
    did_something = worker_->RunReady();
    did_something |= sequencer_->RunReady();
  }
}

void TimedWorld::Advance(milliseconds by) {
  const core::SteadyTime to = clock_.Steady() + by;
  Run();
  for (auto next = worker_->NextAlarm(); next.has_value() && *next <= to; next = worker_->NextAlarm()) {
    clock_.AdvanceTo(std::max(*next, clock_.Steady()));
    Run();
  }
  clock_.AdvanceTo(to);
  Run();
}

std::future<TimedWorld::Result> TimedWorld::Pay(const std::string& request_id) {
  return Pay(request_id, std::chrono::hours(1));
}

std::future<TimedWorld::Result> TimedWorld::Pay(const std::string& request_id, milliseconds wait) {
  return Pay(Order(request_id), wait);
}

std::future<TimedWorld::Result> TimedWorld::Pay(PayOrder order, milliseconds wait) {
  std::promise<Result> answered;
  std::future<Result> future = answered.get_future();
  order.answer_by = clock_.Steady() + wait;
  flow_->Pay(std::move(order),
             [answered = std::move(answered)](Result result) mutable { answered.set_value(std::move(result)); });
  Run();
  return future;
}

std::future<TimedWorld::Result> TimedWorld::Cancel(core::PaymentId id) {
  std::promise<Result> answered;
  std::future<Result> future = answered.get_future();
  CancelOrder order{.station = storage::ShopStation(),
                    .operator_id = "0000000001",
                    .payment_id = id,
                    .biller_id = storage::kShopBiller,
                    .answer_by = clock_.Steady() + std::chrono::hours(1)};
  flow_->Cancel(std::move(order),
                [answered = std::move(answered)](Result result) mutable { answered.set_value(std::move(result)); });
  Run();
  return future;
}

std::future<TimedWorld::InquiryResult> TimedWorld::Inquire() {
  std::promise<InquiryResult> answered;
  std::future<InquiryResult> future = answered.get_future();
  flow_->Inquire(
      {storage::ShopStation(), storage::kShopBiller, "13800000000"},
      [answered = std::move(answered)](InquiryResult result) mutable { answered.set_value(std::move(result)); });
  Run();
  return future;
}

void TimedWorld::CloseDay() {
  core::Command close = core::CloseDay{storage::ShopDate(), storage::ShopDate().NextDay()};
  storage::Ticket ticket{.command = std::move(close), .port = worker_.get(), .on_reply = [] {}, .reply = {}};
  sequencer_->Submit(&ticket);
  Run();
  WS_CHECK(ticket.reply.status.ok(), "the day is closed");
}

core::Payment TimedWorld::Find(const std::string& request_id) {
  return states_.Newest(request_id);
}

void TimedWorld::Answer(Operation operation, ScriptedBiller::Answer answer) {
  mobile_->Next(operation).answer(std::move(answer));
  Run();
}

void TimedWorld::PayInVain(const std::string& request_id) {
  Pay(request_id);
  Answer(Operation::kPay, adapters::PayOutcome(adapters::Unknown{"no answer in time"}));
}

void TimedWorld::Post::OnLateApproval(core::StationId, core::PaymentId payment, adapters::Approved approved,
                                      Recorded recorded) {
  if (world_->late_refused_) return recorded(false);
  world_->flow_->LateApproval(
      storage::kShopBiller, payment, std::move(approved),
      [recorded = std::move(recorded)](const Result& result) mutable { recorded(result.status.ok()); });
}

}  // namespace waystation::flow
