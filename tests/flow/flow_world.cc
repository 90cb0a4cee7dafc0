#include "tests/flow/flow_world.h"

#include <algorithm>
#include <utility>

namespace waystation::flow {

void StateBoard::OnChanged(const core::Payment& payment) {
  std::lock_guard lock(mutex_);
  changes_[payment.id].push_back(payment);
  changed_.notify_all();
}

core::Payment StateBoard::WaitFor(core::PaymentId id, core::PaymentState state) {
  std::unique_lock lock(mutex_);
  core::Payment found;
  const auto is_there = [&] {
    const std::vector<core::Payment>& changes = changes_[id];
    const auto at = std::find_if(changes.begin(), changes.end(), [&](const auto& p) { return p.state == state; });
    if (at == changes.end()) return false;
    found = *at;
    return true;
  };
  WS_CHECK(changed_.wait_for(lock, storage::kPatience, is_there), "the payment did not come to that state");
  return found;
}

std::vector<core::PaymentState> StateBoard::HistoryOf(core::PaymentId id) const {
  std::lock_guard lock(mutex_);
  std::vector<core::PaymentState> states;
  if (const auto it = changes_.find(id); it != changes_.end()) {
    for (const core::Payment& payment : it->second) states.push_back(payment.state);
  }
  return states;
}

core::Payment StateBoard::Newest(const std::string& request_id) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, changes] : changes_) {
    if (changes.back().request_id == request_id) return changes.back();
  }
  WS_CHECK(false, "there is no such payment");
  return {};
}

adapters::CapabilityCard AbleCard() {
  adapters::CapabilityCard card;
  card.service = "mobile";
  card.inquiry = adapters::InquiryRule::kOptional;
  card.least = core::Money::Fen(1);
  card.most = core::Money::Fen(1'000'000);
  card.cancel = adapters::CancelRule::kSameDay;
  card.can_query = true;
  card.can_reverse = true;
  card.query_denial_is_final = true;
  card.max_waiting = 0;
  return card;
}

FlowWorld::FlowWorld(storage::MemoryCommitLog* store, FlowOptions options)
    : log_(store),
      running_(store, &clock_, {.log = &log_, .observer = &states_}),
      schedule_(options.schedule),
      worker_(std::make_unique<Worker>(&clock_, "flow")) {
  auto mobile = std::make_unique<ScriptedBiller>(std::move(options.mobile));
  auto gas = std::make_unique<ScriptedBiller>(std::move(options.gas));
  mobile_ = mobile.get();
  gas_ = gas.get();
  const LaneOptions lane{.breaker = options.breaker, .max_unresolved = options.max_unresolved};
  router_.Add(std::make_unique<BillerLane>(storage::kShopBiller, "Mobile", std::move(mobile), &clock_, lane));
  router_.Add(std::make_unique<BillerLane>("gas", "Gas", std::move(gas), &clock_, lane));
  flow_ =
      std::make_unique<PaymentFlow>(worker_.get(), &running_.sequencer(), &router_, schedule_, options.max_in_progress);
  const bool is_new = running_.ledger().last_sequence() == 0;
  running_.ledger().ForEachOpen([this](const core::Payment& payment) {
    if (!HasSettled(payment.state)) flow_->Adopt(payment);
  });
  running_.Start();
  worker_->Start();
  if (is_new) storage::OpenShop(running_);
  running_.Do(core::RegisterBiller{"gas"});
}

FlowWorld::~FlowWorld() {
  log_.LetThrough();
  // What the sequencer still has is answered while there is a worker to take the answer: a start of the resolver may
  // lead to a commit, and that to another start.
  for (int i = 0; i < 3; ++i) Flush();
  worker_->Stop();
  running_.Stop();
  flow_.reset();
  mobile_->DropCalls();
  gas_->DropCalls();
  worker_.reset();
}

void FlowWorld::Flush() {
  running_.Do(core::ReadBusinessDay{});
  std::promise<void> done;
  std::future<void> future = done.get_future();
  worker_->Post([done = std::move(done)]() mutable { done.set_value(); });
  Get(std::move(future));
}

void FlowWorld::AnswerWaiting() {
  worker_->Post([this] { flow_->AnswerWaiting(); });
}

std::future<FlowWorld::Result> FlowWorld::Pay(PayOrder order) {
  std::promise<Result> answered;
  std::future<Result> future = answered.get_future();
  flow_->Pay(std::move(order),
             [answered = std::move(answered)](Result result) mutable { answered.set_value(std::move(result)); });
  return future;
}

std::future<FlowWorld::Result> FlowWorld::LateApproval(core::PaymentId id, adapters::Approved approved) {
  std::promise<Result> done;
  std::future<Result> future = done.get_future();
  flow_->LateApproval(storage::kShopBiller, id, std::move(approved),
                      [done = std::move(done)](Result result) mutable { done.set_value(std::move(result)); });
  return future;
}

std::future<FlowWorld::Result> FlowWorld::Cancel(core::PaymentId id, const std::string& biller_id) {
  std::promise<Result> answered;
  std::future<Result> future = answered.get_future();
  CancelOrder order{.station = storage::ShopStation(),
                    .operator_id = "0000000001",
                    .payment_id = id,
                    .biller_id = biller_id,
                    .answer_by = std::chrono::steady_clock::now() + 2 * storage::kPatience};
  flow_->Cancel(std::move(order),
                [answered = std::move(answered)](Result result) mutable { answered.set_value(std::move(result)); });
  return future;
}

std::future<FlowWorld::InquiryResult> FlowWorld::Inquire(const std::string& biller_id) {
  std::promise<InquiryResult> answered;
  std::future<InquiryResult> future = answered.get_future();
  flow_->Inquire(
      {storage::ShopStation(), biller_id, "13800000000"},
      [answered = std::move(answered)](InquiryResult result) mutable { answered.set_value(std::move(result)); });
  return future;
}

core::Payment FlowWorld::Approved(const std::string& request_id) {
  std::future<Result> answer = Pay(Order(request_id));
  mobile_->Next(Operation::kPay).answer(adapters::PayOutcome(adapters::Approved{"B1", "", ""}));
  return Get(std::move(answer)).payment;
}

core::Account FlowWorld::account() {
  return std::get<core::Account>(running_.Do(core::ReadAccount{storage::ShopStation()}).value);
}

PayOrder OrderTo(const std::string& biller_id, const std::string& request_id) {
  return {.station = storage::ShopStation(),
          .operator_id = "0000000001",
          .request_id = request_id,
          .biller_id = biller_id,
          .customer_number = "13800000000",
          .amount = core::Money::Fen(5'000),
          .inquiry = {},
          .answer_by = std::chrono::steady_clock::now() + 2 * storage::kPatience};
}

PayOrder Order(const std::string& request_id) {
  return OrderTo(storage::kShopBiller, request_id);
}

}  // namespace waystation::flow
