#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "adapters/sim/faults.h"
#include "boost/asio/experimental/awaitable_operators.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/late_box.h"
#include "tests/adapters/payment.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

// The adapter against billersim's power company while things go wrong, held to the biller's own books.
namespace waystation::adapters {
namespace {

using sim::FaultKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr char kHost[] = "electricity";
constexpr char kCustomer[] = "1234567800";
constexpr milliseconds kSoon{800};
constexpr seconds kPatience{60};

// As the books end.
std::string References(const Approved& approved) {
  return "reference=" + approved.biller_reference + " voucher=" + approved.voucher;
}

// A host to test against.
struct Dialect {
  std::string name;
  std::string file;
  bool mac;
  std::string connections;
};
std::vector<Dialect> Dialects() {
  return {{"bcd_with_mac", iso8583::ElectricityFile(), true, "1"}, {"ascii", iso8583::AsciiHostFile(), false, "2"}};
}

class Iso8583Faults : public testing::Test {
 protected:
  void Begin(const Dialect& dialect) {
    std::ofstream(folder_.Under("mac.key")) << "2b7e151628aed2a6abf7158809cf4f3c";
    Settings host = {{"specification", dialect.file}};
    if (dialect.mac) host["mac_key_file"] = folder_.Under("mac.key");
    sim::SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts.resize(1);
    config.hosts[0].name = kHost;
    config.hosts[0].protocol = "iso8583";
    config.hosts[0].settings = host;
    simulator_ = std::make_unique<RunningSimulator>(config);
    settings_ = host;
    settings_["address"] = simulator_->AddressOf(kHost);
    settings_["terminal"] = "SWITCH01";
    settings_["connections"] = dialect.connections;
    settings_["acquirer"] = "4500";
    settings_["least_backoff_ms"] = "1";
    settings_["most_backoff_ms"] = "20";
    SendAlarmsTo([this](std::string_view biller, std::string_view text) {
      const std::lock_guard lock(mutex_);
      EXPECT_EQ(biller, settings_["address"]);
      alarms_ += std::string(text) + "\n";
    });
    biller_ = Make(settings_);
    biller_->ReportLateApprovalsTo(&late_);
    WaitForTheLink();
  }
  void TearDown() override {
    biller_.reset();
    SendAlarmsTo({});
    simulator_.reset();
  }

  static std::unique_ptr<BillerAdapter> Make(const Settings& settings) {
    auto created = Create("iso8583", settings, {});
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }

  void WaitForTheLink() { ASSERT_TRUE(Await(biller_->Probe(In(kPatience)))); }
  // Another adapter, on the same thread for links.
  void WaitForAnotherLink() { ASSERT_TRUE(Await(Make(settings_)->Probe(In(kPatience)))); }
  void Tell(const std::string& command) { EXPECT_EQ(simulator_->Do(command), ""); }
  void Fault(const std::string& operation, FaultKind kind) {
    std::string command = std::string("fault ") + kHost + " " + operation + " * " + std::string(sim::ToText(kind));
    // Late by more than the deadline of those who wait for it.
    if (kind == FaultKind::kLate) command += " delay_ms=1600";
    if (kind == FaultKind::kDrip || kind == FaultKind::kHeldUp) command += " delay_ms=1";
    Tell(command);
  }
  void NoFaults() { Tell(std::string("clear ") + kHost); }

  PaymentRequest Payment(uint64_t id) const { return MakePayment(id, kCustomer, core::Money::Fen(5'000)); }
  // What the biller's books say of it: "none", "applied times=1 customer=... amount_fen=... reference=... voucher=...".
  std::string Books(const PaymentRequest& payment) {
    return simulator_->Do(std::string("effect ") + kHost + " " + payment.payment_id.ToString());
  }
  bool HasEffect(const PaymentRequest& payment) { return Books(payment).starts_with("applied"); }
  std::string Alarms() {
    const std::lock_guard lock(mutex_);
    return alarms_;
  }

  storage::TemporaryFolder folder_;
  std::unique_ptr<RunningSimulator> simulator_;
  Settings settings_;
  LateBox late_;
  std::unique_ptr<BillerAdapter> biller_;
  std::mutex mutex_;
  std::string alarms_;
};

// --- each fault ---
class EachFault : public Iso8583Faults, public testing::WithParamInterface<std::tuple<Dialect, FaultKind>> {
 protected:
  void SetUp() override { Begin(std::get<0>(GetParam())); }
  static bool mac() { return std::get<0>(GetParam()).mac; }
  static FaultKind fault() { return std::get<1>(GetParam()); }
  // Whether an answer comes that can be relied on.
  static bool Answers() {
    switch (fault()) {
      case FaultKind::kNone:
      case FaultKind::kDecline:
      case FaultKind::kOutOfOrder:
      case FaultKind::kCutAfter:
      case FaultKind::kDouble:
      case FaultKind::kHeldUp:
      case FaultKind::kDrip: return true;
      case FaultKind::kBadMac: return !mac();
      case FaultKind::kLose:
      case FaultKind::kSilent:
      case FaultKind::kLate:
      case FaultKind::kCutUnheard:
      case FaultKind::kCutBefore:
      case FaultKind::kCutMiddle:
      case FaultKind::kWrongReference:
      case FaultKind::kGarbage: return false;
    }
    return false;
  }
  Deadline Limit() const { return Answers() ? In(kPatience) : In(kSoon); }
};

TEST_P(EachFault, PayNeverSaysThatThereIsNoEffectWhereThereMayBe) {
  Fault("pay", fault());
  const PaymentRequest payment = Payment(1'000'000'000'000'001);
  const PayOutcome outcome = Await(biller_->Pay(payment, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "approved" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
  EXPECT_EQ(HasEffect(payment), sim::HasEffect(fault()));
  EXPECT_THAT(Books(payment), HasSubstr(" asked=1"));
  if (HasEffect(payment)) {
    EXPECT_THAT(Books(payment), HasSubstr("times=1 customer=1234567800 amount_fen=5000"));
  }
  if (fault() == FaultKind::kBadMac && mac()) {
    EXPECT_THAT(Alarms(), HasSubstr("a wrong MAC"));
  }

  // Then the truth is found by a query, and the link works again.
  NoFaults();
  WaitForTheLink();
  const QueryOutcome found = Await(biller_->Query(payment, In(kPatience)));
  if (HasEffect(payment)) {
    EXPECT_EQ(Kind(found), "approved") << Text(found);
    if (Kind(outcome) == "approved") {
      EXPECT_EQ(Text(found), Text(outcome));
    }
  } else {
    EXPECT_EQ(Kind(found), fault() == FaultKind::kDecline ? "declined 05" : "never received") << Text(found);
  }
  EXPECT_EQ(Kind(Await(biller_->Pay(Payment(1'000'000'000'000'002), In(kPatience)))), "approved");
}

TEST_P(EachFault, QueryNeverDeniesWhatHasItsEffect) {
  const PaymentRequest payment = Payment(7);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("query", fault());
  const std::string found = Kind(Await(biller_->Query(payment, Limit())));
  EXPECT_EQ(found, Answers() && fault() != FaultKind::kDecline ? "approved" : "unknown");
}

TEST_P(EachFault, ReverseSaysTakenBackOnlyWhereItIs) {
  const PaymentRequest payment = Payment(8);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("reverse", fault());
  const ReverseOutcome outcome = Await(biller_->Reverse(payment, Limit()));
  EXPECT_EQ(Kind(outcome), Answers() && fault() != FaultKind::kDecline ? "taken back" : "unknown") << Text(outcome);
  EXPECT_EQ(HasEffect(payment), !sim::HasEffect(fault()));
  NoFaults();
  WaitForTheLink();
  PaymentRequest again = payment;
  again.earlier_attempts = 1;
  EXPECT_EQ(Kind(Await(biller_->Reverse(again, In(kPatience)))), "taken back");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_P(EachFault, CancelSaysTakenBackOnlyWhereItIs) {
  const PaymentRequest payment = Payment(9);
  ASSERT_EQ(Kind(Await(biller_->Pay(payment, In(kPatience)))), "approved");
  Fault("cancel", fault());
  const CancelOutcome outcome = Await(biller_->Cancel(payment, Limit()));
  EXPECT_EQ(Kind(outcome), Answers() && fault() != FaultKind::kDecline ? "taken back" : "unknown") << Text(outcome);
  EXPECT_EQ(HasEffect(payment), !sim::HasEffect(fault()));
  NoFaults();
  WaitForTheLink();
  EXPECT_EQ(Kind(Await(biller_->Cancel(payment, In(kPatience)))), "taken back");
  EXPECT_FALSE(HasEffect(payment));
}

TEST_P(EachFault, InquiryFindsTheCustomerOrSaysThatItDoesNotKnow) {
  Fault("inquire", fault());
  const InquiryOutcome outcome = Await(biller_->Inquire({core::StationId::FromNumber(1), kCustomer}, Limit()));
  const std::string expected = fault() == FaultKind::kDecline ? "declined 05" : (Answers() ? "found" : "unknown");
  EXPECT_EQ(Kind(outcome), expected) << Text(outcome);
}

std::string FaultTestName(const testing::TestParamInfo<std::tuple<Dialect, FaultKind>>& test) {
  return std::get<0>(test.param).name + "_" + std::string(sim::ToText(std::get<1>(test.param)));
}
INSTANTIATE_TEST_SUITE_P(Hosts, EachFault,
                         testing::Combine(testing::ValuesIn(Dialects()), testing::ValuesIn(sim::AllFaults())),
                         FaultTestName);

// --- particular ones ---
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
