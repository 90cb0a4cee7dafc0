#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "adapters/outcome_text.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/experimental/awaitable_operators.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_faults.h"

// Particular faults, and many callers at once.
namespace waystation::adapters {
namespace {

using sim::FaultKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class Electricity : public Iso8583Faults {
 protected:
  void SetUp() override { Begin(Dialects()[0]); }
};

TEST_F(Electricity, ALateApprovalIsMatchedToItsPayment) {
  Fault("pay", FaultKind::kLate);
  const PaymentRequest payment = Payment(1'234'567'890'123'456);
  EXPECT_EQ(Kind(Await(biller_->Pay(payment, In(kSoon)))), "unknown");
  const LateBox::Late late = late_.First();
  EXPECT_EQ(late.payment, payment.payment_id);
  EXPECT_EQ(late.station, payment.station);
  EXPECT_THAT(Books(payment), EndsWith(References(late.approved)));
}

TEST_F(Electricity, APaymentThatIsHeldUpIsDeniedAndApprovedLate) {
  Tell(std::string("fault ") + kHost + " pay * held_up delay_ms=3000");
  const PaymentRequest payment = Payment(1'234'567'890'123'457);
  EXPECT_EQ(Kind(Await(biller_->Pay(payment, In(kSoon)))), "unknown");
  EXPECT_EQ(Kind(Await(biller_->Query(payment, In(kPatience)))), "never received");
  const LateBox::Late late = late_.First();
  EXPECT_EQ(late.payment, payment.payment_id);
  EXPECT_THAT(Books(payment), EndsWith(References(late.approved)));
  EXPECT_EQ(Kind(Await(biller_->Query(payment, In(kPatience)))), "approved");
}

TEST_F(Electricity, ALateApprovalIsToldAgainUntilItIsRecorded) {
  late_.Refuse(2);
  Fault("pay", FaultKind::kLate);
  const PaymentRequest payment = Payment(1'234'567'890'123'457);
  EXPECT_EQ(Kind(Await(biller_->Pay(payment, In(kSoon)))), "unknown");
  const LateBox::Late recorded = late_.Nth(2);
  EXPECT_EQ(recorded.payment, payment.payment_id);
  EXPECT_EQ(recorded.approved.voucher, late_.First().approved.voucher);
  EXPECT_THAT(Books(payment), EndsWith(References(recorded.approved)));
}

TEST_F(Electricity, AnAdapterMayGoWhileALateApprovalIsNotRecorded) {
  late_.Refuse(1'000'000);
  Fault("pay", FaultKind::kLate);
  EXPECT_EQ(Kind(Await(biller_->Pay(Payment(95), In(kSoon)))), "unknown");
  late_.First();
  biller_.reset();
  const size_t told = late_.count();
  WaitForAnotherLink();
  EXPECT_EQ(late_.count(), told);
}

TEST_F(Electricity, WhatNamesAnotherOriginalSettlesNothing) {
  const PaymentRequest payment = Payment(96);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  PaymentRequest other = payment;
  other.accepted_at += seconds(1);
  EXPECT_EQ(Text(Await(biller_->Reverse(other, In(kPatience)))),
            "unknown: response code 25 to the reversal does not settle it");
  EXPECT_EQ(Text(Await(biller_->Cancel(other, In(kPatience)))),
            "unknown: response code 25 to the cancel does not settle it");
  EXPECT_TRUE(HasEffect(payment));
}

TEST_F(Electricity, AnswersThatDripDoNotMix) {
  Fault("pay", FaultKind::kDrip);
  using boost::asio::experimental::awaitable_operators::operator&&;
  const auto [one, two, three] =
      Await(biller_->Pay(Payment(97), In(kPatience)) && biller_->Pay(Payment(98), In(kPatience)) &&
            biller_->Pay(Payment(99), In(kPatience)));
  EXPECT_EQ(Kind(one) + " " + Kind(two) + " " + Kind(three), "approved approved approved");
}

TEST_F(Electricity, AnAnswerWithTheTraceNumberOfAnotherPaymentSettlesNeither) {
  // The answer to the first has the trace number of the second, and both were accepted in the same second.
  Tell(std::string("fault ") + kHost + " pay 01 wrong_reference");
  Tell(std::string("fault ") + kHost + " pay 02 out_of_order delay_ms=300");
  PaymentRequest first = Payment(500);
  first.customer_number = "1234567801";
  PaymentRequest second = Payment(501);
  second.customer_number = "1234567802";
  using boost::asio::experimental::awaitable_operators::operator&&;
  const auto [one, two] = Await(biller_->Pay(first, In(kSoon)) && biller_->Pay(second, In(kPatience)));
  EXPECT_EQ(Kind(one), "unknown") << Text(one);
  ASSERT_EQ(Kind(two), "approved") << Text(two);
  EXPECT_THAT(Books(second), EndsWith(References(std::get<Approved>(two))));
  EXPECT_THAT(Alarms(), HasSubstr("an answer about payment 500 has the trace number of payment 501"));
}

TEST_F(Electricity, WhatIsAskedSideBySideIsAnsweredOutOfOrder) {
  Tell(std::string("fault ") + kHost + " pay 01 out_of_order delay_ms=200");
  PaymentRequest slow = Payment(600);
  slow.customer_number = "1234567801";
  std::vector<int> order;
  const auto pay = [&](PaymentRequest request, int number) -> boost::asio::awaitable<std::string> {
    const PayOutcome outcome = co_await biller_->Pay(request, In(kPatience));
    order.push_back(number);
    co_return References(std::get<Approved>(outcome));
  };
  using boost::asio::experimental::awaitable_operators::operator&&;
  const auto [one, two] = Await(pay(slow, 1) && pay(Payment(601), 2));
  EXPECT_THAT(Books(slow), EndsWith(one));
  EXPECT_THAT(Books(Payment(601)), EndsWith(two));
  EXPECT_THAT(order, testing::ElementsAre(2, 1));
}

TEST_F(Electricity, WhileTheHostRefusesNothingIsSent) {
  Tell(std::string("refuse ") + kHost);
  Tell(std::string("cut ") + kHost);
  PayOutcome outcome = Unknown{};
  // The cut may be noticed only when a request leaves over the broken connection.
  for (uint64_t id = 1; Kind(outcome) != "not sent"; ++id) {
    outcome = Await(biller_->Pay(Payment(id), In(kPatience)));
    ASSERT_THAT(Kind(outcome), AnyOf("not sent", "unknown"));
    EXPECT_FALSE(HasEffect(Payment(id)));
  }
  EXPECT_THAT(Text(outcome), HasSubstr("no connection to " + settings_["address"]));
  EXPECT_FALSE(Await(biller_->Probe(In(milliseconds(200)))));
  Tell(std::string("accept ") + kHost);
  WaitForTheLink();
  EXPECT_EQ(Kind(Await(biller_->Pay(Payment(1'000), In(kPatience)))), "approved");
}

TEST_F(Electricity, TheBooksOutliveARestartOfTheHostAndOfTheSwitch) {
  const PaymentRequest payment = Payment(77);
  const PayOutcome paid = Await(biller_->Pay(payment, In(kPatience)));
  ASSERT_EQ(Kind(paid), "approved");
  Tell(std::string("restart ") + kHost);
  biller_ = Make(settings_);
  EXPECT_EQ(Text(Await(biller_->Query(payment, In(kPatience)))), Text(paid));
  EXPECT_EQ(Kind(Await(biller_->Reverse(payment, In(kPatience)))), "taken back");
  EXPECT_EQ(Kind(Await(biller_->Query(payment, In(kPatience)))), "declined 17");
}

TEST_F(Electricity, TheSamePaymentTwiceHasOneEffect) {
  const PaymentRequest payment = Payment(78);
  const PayOutcome paid = Await(biller_->Pay(payment, In(kPatience)));
  EXPECT_EQ(Text(Await(biller_->Pay(payment, In(kPatience)))), Text(paid));
  EXPECT_THAT(Books(payment), testing::AllOf(HasSubstr("times=1 "), HasSubstr(" asked=2 ")));
}

TEST_F(Electricity, AReversalThatOvertakesItsPaymentBarsIt) {
  const PaymentRequest payment = Payment(79);
  EXPECT_EQ(Kind(Await(biller_->Reverse(payment, In(kPatience)))), "taken back");
  EXPECT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "declined 17");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_F(Electricity, ADeclineSaysWhy) {
  PaymentRequest payment = Payment(80);
  payment.customer_number = "1234567890";
  EXPECT_EQ(Text(Await(biller_->Pay(payment, In(kPatience)))), "declined 14: no such account");
  payment = Payment(81);
  payment.customer_number = "1234567897";
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  EXPECT_EQ(Text(Await(biller_->Cancel(payment, In(kPatience)))), "declined 61: the voucher has been used");
  EXPECT_TRUE(HasEffect(payment));
}

TEST_F(Electricity, AHostWithAnotherKeyIsNotSignedOnTo) {
  const std::string other = folder_.Under("other.key");
  std::ofstream(other) << "000102030405060708090a0b0c0d0e0f";
  Settings settings = settings_;
  settings["mac_key_file"] = other;
  const std::unique_ptr<BillerAdapter> stranger = Make(settings);
  EXPECT_FALSE(Await(stranger->Probe(In(milliseconds(300)))));
  const PaymentRequest payment = Payment(82);
  EXPECT_EQ(Kind(Await(stranger->Pay(payment, In(kSoon)))), "not sent");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_F(Electricity, AnAdapterMayGoWhileRequestsAreUnderWay) {
  Fault("pay", FaultKind::kSilent);
  boost::asio::io_context io;
  auto biller = Make(settings_);
  ASSERT_TRUE(Await(biller->Probe(In(kPatience))));
  std::string outcome;
  boost::asio::co_spawn(io, biller->Pay(Payment(83), In(kPatience)),
                        [&](std::exception_ptr, const PayOutcome& o) { outcome = Kind(o); });
  io.poll();
  // The payment is with the host, which says nothing.
  while (!HasEffect(Payment(83))) std::this_thread::yield();
  // First the caller goes, as when the switch stops with payments open; then the adapter.
  {
    boost::asio::io_context gone;
    boost::asio::co_spawn(gone, biller->Pay(Payment(84), In(kPatience)), [](std::exception_ptr, const PayOutcome&) {});
    gone.poll();
    while (!HasEffect(Payment(84))) std::this_thread::yield();
  }
  biller.reset();
  EXPECT_EQ(outcome, "");
}

// Payments from several workers over one link, all at once; what became of each.
class ManyWorkers : public Iso8583Faults {
 protected:
  static constexpr uint64_t kWorkers = 4;
  static constexpr uint64_t kEach = 150;

  void SetUp() override { Begin(Dialects()[0]); }

  // `meanwhile` runs on the test's thread.
  std::map<uint64_t, std::string> PayAll(milliseconds limit, const std::function<void()>& meanwhile) {
    std::vector<std::map<uint64_t, std::string>> outcomes(kWorkers);
    std::vector<std::thread> workers;
    for (uint64_t worker = 0; worker < kWorkers; ++worker) {
      workers.emplace_back([this, limit, worker, mine = &outcomes[worker]] {
        boost::asio::io_context io;
        for (uint64_t id = worker * kEach + 1; id <= (worker + 1) * kEach; ++id) {
          boost::asio::co_spawn(
              io, biller_->Pay(Payment(id), In(limit)),
              [mine, id](std::exception_ptr, const PayOutcome& outcome) { (*mine)[id] = Kind(outcome); });
        }
        io.run();
      });
    }
    meanwhile();
    for (std::thread& worker : workers) worker.join();
    std::map<uint64_t, std::string> all;
    for (auto& some : outcomes) all.merge(some);
    EXPECT_EQ(all.size(), kWorkers * kEach);
    return all;
  }
};

TEST_F(ManyWorkers, WhatComesAsTheCallerGivesUpIsAnAnswerOrALateApproval) {
  Tell(std::string("latency ") + kHost + " uniform 0 60");
  size_t late = 0;
  for (const auto& [id, outcome] : PayAll(milliseconds(30), [] {})) {
    ASSERT_THAT(outcome, AnyOf("approved", "unknown", "not sent"));
    if (outcome == "unknown") ++late;
    if (outcome == "not sent") {
      EXPECT_FALSE(HasEffect(Payment(id))) << id;
    }
  }
  if (late > 0) late_.Nth(late - 1);
  WaitForTheLink();
  EXPECT_EQ(late_.count(), late) << "each of those that left, and once";
}

TEST_F(ManyWorkers, ConnectionsThatAreCutLeaveNoPaymentWrong) {
  Tell(std::string("latency ") + kHost + " uniform 0 5");
  const auto outcomes = PayAll(seconds(60), [this] {
    for (int i = 0; i < 20; ++i) {
      Tell(std::string("cut ") + kHost);
      WaitForTheLink();
    }
  });
  for (const auto& [id, outcome] : outcomes) {
    ASSERT_THAT(outcome, AnyOf("approved", "unknown", "not sent"));
    if (outcome != "unknown") {
      EXPECT_EQ(HasEffect(Payment(id)), outcome == "approved") << id << " " << outcome;
    }
  }
}

TEST_F(Electricity, TheDaysFileHasWhatTookEffect) {
  const PayOutcome paid = Await(biller_->Pay(Payment(90), In(kPatience)));
  ASSERT_EQ(Kind(paid), "approved");
  ASSERT_EQ(Kind(Await(biller_->Pay(Payment(91), In(kPatience)))), "approved");
  ASSERT_EQ(Kind(Await(biller_->Reverse(Payment(91), In(kPatience)))), "taken back");
  const core::BusinessDate today = sim::DayInChina(core::SystemClock().Now());
  const std::string file = simulator_->Statement(kHost, today);
  const auto& approved = std::get<Approved>(paid);
  EXPECT_THAT(file, testing::StartsWith("H|electricity|" + std::to_string(today.number()) + "|CNY\n"));
  EXPECT_THAT(file, HasSubstr("D|90|" + approved.biller_reference + "|" + kCustomer + "|5000|"));
  EXPECT_THAT(file, EndsWith("|" + approved.voucher + "\nT|1|5000|0|0\n"));
  EXPECT_EQ(simulator_->Statement(kHost, today.NextDay()),
            "H|electricity|" + std::to_string(today.NextDay().number()) + "|CNY\nT|0|0|0|0\n");
}

}  // namespace
}  // namespace waystation::adapters
