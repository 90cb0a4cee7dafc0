// "Never heard of it" in answer to a query or to reversal advice: what it settles, and when. In simulated time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/index.h"
#include "storage/sequencer.h"
#include "storage/snapshot.h"
#include "switch/flow/resolver.h"
#include "tests/flow/flow_world.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::flow {
namespace {

using core::PaymentEvent;
using core::PaymentState;
using std::chrono::milliseconds;

// One payment to "mobile" whose outcome is open, found by a start; one thread, and time that the test moves.
class SettlingTest : public ::testing::TestWithParam<Operation> {
 protected:
  SettlingTest() {
    card_.can_query = GetParam() == Operation::kQuery;
    {
      storage::ManualClock clock;
      storage::RunningLedger before(&store_, &clock);
      before.Start();
      storage::OpenShop(before);
      id_ = before.Pay(storage::ShopPayment("R1")).id;
      EXPECT_TRUE(before.Do(storage::ShopOutcome(id_, PaymentEvent::kOutcomeUnknown)).status.ok());
      if (!card_.can_query) {
        EXPECT_TRUE(before.Do(storage::ShopOutcome(id_, PaymentEvent::kReversalStarted)).status.ok());
      }
    }
    Start();
  }
  ~SettlingTest() override { Stop(); }

  void Start() {
    auto mobile = std::make_unique<ScriptedBiller>(card_);
    mobile_ = mobile.get();
    router_ = std::make_unique<Router>();
    router_->Add(std::make_unique<BillerLane>(storage::kShopBiller, "Mobile", std::move(mobile), &clock_));
    ledger_ = std::make_unique<core::Ledger>(storage::ShopDate());
    const absl::StatusOr<storage::Recovered> recovered = storage::Recover(store_, store_, ledger_.get());
    WS_CHECK(recovered.ok(), "the store is whole");
    sequencer_ = std::make_unique<storage::Sequencer>(
        recovered->position, ledger_.get(), &store_, &index_, &clock_, &states_,
        storage::Sequencer::Options{std::chrono::hours(1), [](const std::string&) {}, recovered->snapshot_sequence});
    worker_ = std::make_unique<Worker>(&clock_);
    flow_ = std::make_unique<PaymentFlow>(worker_.get(), sequencer_.get(), router_.get(), schedule_);
    ledger_->ForEachOpen([this](const core::Payment& payment) { flow_->Adopt(payment); });
  }
  void Stop() {
    sequencer_->Abandon();
    sequencer_.reset();
    flow_.reset();
    mobile_->DropCalls();
    worker_.reset();
  }

  void Run() {
    for (bool did_something = true; did_something;) {
      did_something = worker_->RunReady();
      did_something |= sequencer_->RunReady();
    }
  }
  void Advance(milliseconds by) {
    clock_.Advance(by);
    Run();
  }
  // The next time that the biller is asked.
  ScriptedBiller::Call Asked() {
    const size_t before = mobile_->count(GetParam());
    for (int i = 0; i < 100 && mobile_->count(GetParam()) == before; ++i) Advance(milliseconds(1));
    return mobile_->Next(GetParam());
  }
  void AnswerNever(ScriptedBiller::Call call) {
    if (GetParam() == Operation::kQuery) {
      call.answer(adapters::QueryOutcome(adapters::NeverReceived{}));
    } else {
      call.answer(adapters::ReverseOutcome(adapters::NeverReceived{}));
    }
    Run();
  }
  PaymentState state() const {
    const std::vector<PaymentState> states = states_.HistoryOf(id_);
    return states.empty() ? open() : states.back();
  }
  PaymentState open() const {
    return GetParam() == Operation::kQuery ? PaymentState::kUnknown : PaymentState::kReversing;
  }
  PaymentState freed() const {
    return GetParam() == Operation::kQuery ? PaymentState::kDeclined : PaymentState::kReversed;
  }

  adapters::CapabilityCard card_ = AbleCard();
  const milliseconds settled_after_ = card_.time_limit + card_.settling_time;
  const ResolverSchedule schedule_{.first_query_after = milliseconds(1),
                                   .longest_interval = milliseconds(4),
                                   .review_after = std::chrono::hours(24)};
  storage::SimulatedClock clock_;
  storage::MemoryCommitLog store_;
  storage::Index index_{&store_, &store_};
  StateBoard states_;
  core::PaymentId id_;
  ScriptedBiller* mobile_ = nullptr;
  std::unique_ptr<Router> router_;
  std::unique_ptr<core::Ledger> ledger_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<PaymentFlow> flow_;
};

TEST_P(SettlingTest, FreesTheMoneyOnlyWhenItWasAskedForAfterTheSettlingTime) {
  AnswerNever(Asked());
  EXPECT_EQ(state(), open()) << "the request may still come to the biller";
  AnswerNever(Asked());
  EXPECT_EQ(state(), open());
  clock_.Advance(settled_after_ - milliseconds(200));
  ScriptedBiller::Call call = Asked();
  Advance(milliseconds(200));
  AnswerNever(std::move(call));
  EXPECT_EQ(state(), open()) << "it was asked for before, whenever the answer came";
  AnswerNever(Asked());
  EXPECT_EQ(state(), freed());
  EXPECT_EQ(ledger_->FindStation(storage::ShopStation())->forwarded, core::Money());
}

TEST_P(SettlingTest, ACalendarThatIsSetForwardEndsNoSettlingTime) {
  clock_.JumpCalendar(2 * settled_after_);
  AnswerNever(Asked());
  AnswerNever(Asked());
  EXPECT_EQ(state(), open());
}

TEST_P(SettlingTest, AStartCountsAnew) {
  clock_.Advance(2 * settled_after_);
  Stop();
  Start();
  AnswerNever(Asked());
  EXPECT_EQ(state(), open());
  clock_.Advance(settled_after_);
  AnswerNever(Asked());
  EXPECT_EQ(state(), freed());
}

// A switch that was down past the deadline is told so at once by all billers: two people for each would be no help.
TEST_P(SettlingTest, PastTheDeadlineItIsWaitedForWhereItWillCountSoon) {
  clock_.JumpCalendar(2 * schedule_.review_after);
  Stop();
  Start();
  AnswerNever(Asked());
  EXPECT_EQ(state(), open());
  const size_t asked = mobile_->count(GetParam());
  Advance(settled_after_ - milliseconds(200));
  EXPECT_EQ(mobile_->count(GetParam()), asked) << "it is not asked before the answer counts";
  Advance(milliseconds(200));
  AnswerNever(Asked());
  EXPECT_EQ(state(), freed());
}

TEST_P(SettlingTest, PastTheDeadlineADenialThatNeverCountsIsForAPerson) {
  Stop();
  card_.query_denial_is_final = false;
  card_.can_reverse = GetParam() == Operation::kReverse;
  clock_.JumpCalendar(2 * schedule_.review_after);
  Start();
  AnswerNever(Asked());
  EXPECT_EQ(state(), PaymentState::kReview);
}

INSTANTIATE_TEST_SUITE_P(NeverHeardOfIt, SettlingTest, ::testing::Values(Operation::kQuery, Operation::kReverse),
                         [](const auto& operation) {
                           return operation.param == Operation::kQuery ? "Query" : "Reversal";
                         });

}  // namespace
}  // namespace waystation::flow
