#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/biller_adapter.h"
#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "adapters/sandbox/answers.h"
#include "adapters/sim/biller.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "switch/core/clock.h"
#include "tests/adapters/await.h"
#include "tests/adapters/late_box.h"
#include "tests/adapters/payment.h"
#include "tests/adapters/simulated_water_company.h"

// The remote adapter against billersim's water company under each fault: what an operation answers, held to the books.
namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Long enough for a busy machine; nothing waits for it to pass.
constexpr milliseconds kPlenty{20'000};
// Where nothing comes: passes, and the request is long there.
constexpr milliseconds kShort{500};
const std::string kNumber = "100000001";
constexpr uint64_t kPayment = 42;

struct FaultRow {
  std::string fault;   // as billersim is told
  bool in_time;        // whether an answer that can be used comes before the deadline
  std::string effect;  // of a payment, in the host's books: "applied", "declined", "none"
  bool silent;         // nothing comes for as long as one waits
};

std::ostream& operator<<(std::ostream& out, const FaultRow& row) {
  return out << row.fault;
}

const std::vector<FaultRow>& FaultTable() {
  static const std::vector<FaultRow> rows = {
      {"none", true, "applied", false},
      {"decline", true, "declined", false},
      {"lose", false, "none", true},
      {"silent", false, "applied", true},
      {"late delay_ms=30", true, "applied", false},
      {"late delay_ms=60000", false, "applied", true},
      {"out_of_order", true, "applied", false},
      {"cut_unheard", false, "none", false},
      {"cut_before", false, "applied", false},
      {"cut_middle", false, "applied", false},
      {"cut_after", true, "applied", false},
      {"double", false, "applied", true},
      {"wrong_reference", false, "applied", true},
      {"garbage", false, "applied", false},
      {"bad_mac", true, "applied", false},  // nothing is signed
      {"drip delay_ms=0", true, "applied", false},
      {"drip delay_ms=60000", false, "applied", true},
  };
  return rows;
}

class RemoteFaults : public testing::TestWithParam<FaultRow> {
 protected:
  void SetUp() override { WaitUntilUp(); }

  // Connected, and with the card read: so that a short deadline is for the request alone.
  void WaitUntilUp() {
    const Deadline give_up = In(kPlenty);
    while (!Await(biller_->Probe(In(kPlenty)))) ASSERT_LT(std::chrono::steady_clock::now(), give_up);
  }

  static PaymentRequest Payment(uint64_t id = kPayment) {
    return MakePayment(id, kNumber, sandbox::AmountOwed(kNumber));
  }
  std::string Pay(milliseconds limit = kPlenty) { return Kind(Await(biller_->Pay(Payment(), In(limit)))); }
  std::string Query(milliseconds limit = kPlenty) { return Kind(Await(biller_->Query(Payment(), In(limit)))); }
  std::string Reverse(milliseconds limit = kPlenty) { return Kind(Await(biller_->Reverse(Payment(), In(limit)))); }
  std::string Cancel(milliseconds limit = kPlenty) { return Kind(Await(biller_->Cancel(Payment(), In(limit)))); }
  std::string Inquire(milliseconds limit = kPlenty) {
    return Kind(Await(biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(limit))));
  }

  // "applied", "declined", "taken_back", "barred" or "none": the first word of what the books say.
  std::string Effect() {
    const std::string text = Do("effect water " + std::to_string(kPayment));
    return text.substr(0, text.find(' '));
  }
  std::string Do(const std::string& command) { return company_.simulator().Do(command); }
  void Fault(const std::string& operation, const std::string& fault) { Do("fault water " + operation + " * " + fault); }
  // No faults any more, and a connection that no drip holds up.
  void Well() {
    Do("clear water");
    Do("cut water");
    WaitUntilUp();
  }
  static milliseconds LimitFor(const FaultRow& row) { return row.silent ? kShort : kPlenty; }

  SimulatedWaterCompany company_;
  LateBox late_;  // outlives the adapter
  std::unique_ptr<BillerAdapter> biller_ = Create("remote", company_.AdapterSettings(), {}).value();
};

TEST_P(RemoteFaults, APaymentComesToWhatTheBooksSay) {
  const FaultRow& row = GetParam();
  Fault("pay", row.fault);
  const std::string outcome = Pay(LimitFor(row));
  EXPECT_EQ(Effect(), row.effect);
  EXPECT_THAT(Do("effect water 42"), HasSubstr(" asked=1"));
  if (!row.in_time) {
    EXPECT_EQ(outcome, "unknown");
  } else {
    EXPECT_EQ(outcome, row.effect == "applied" ? "approved" : "declined 05");
  }
  Well();
  const std::string settled = row.effect == "applied" ? "approved"
                              : row.effect == "none"  ? "never received"
                                                      : "declined 05";
  EXPECT_EQ(Query(), settled);
}

TEST_P(RemoteFaults, AQueryNeverSaysMoreThanTheHost) {
  const FaultRow& row = GetParam();
  ASSERT_EQ(Pay(), "approved");
  Fault("query", row.fault);
  const bool usable = row.in_time && row.fault != "decline";
  EXPECT_EQ(Query(LimitFor(row)), usable ? "approved" : "unknown");
}

TEST_P(RemoteFaults, ReversalAdviceIsDoneOnceTheHostSaysSo) {
  const FaultRow& row = GetParam();
  ASSERT_EQ(Pay(), "approved");
  Fault("reverse", row.fault);
  const std::string outcome = Reverse(LimitFor(row));
  EXPECT_EQ(Effect(), row.effect == "applied" ? "taken_back" : "applied");
  const std::string answered = row.fault == "decline" ? "declined 05" : "taken back";
  EXPECT_EQ(outcome, row.in_time ? answered : "unknown");
  Well();
  EXPECT_EQ(Reverse(), "taken back");
  EXPECT_EQ(Effect(), "taken_back");
}

TEST_P(RemoteFaults, ACancelIsDoneOnceTheHostSaysSo) {
  const FaultRow& row = GetParam();
  ASSERT_EQ(Pay(), "approved");
  Fault("cancel", row.fault);
  const std::string outcome = Cancel(LimitFor(row));
  EXPECT_EQ(Effect(), row.effect == "applied" ? "taken_back" : "applied");
  const std::string answered = row.fault == "decline" ? "declined 05" : "taken back";
  EXPECT_EQ(outcome, row.in_time ? answered : "unknown");
  Well();
  EXPECT_EQ(Cancel(), "taken back");
}

TEST_P(RemoteFaults, AnInquiryFindsOrDoesNotKnow) {
  const FaultRow& row = GetParam();
  Fault("inquire", row.fault);
  const std::string answered = row.fault == "decline" ? "declined 05" : "found";
  EXPECT_EQ(Inquire(LimitFor(row)), row.in_time ? answered : "unknown");
}

TEST_P(RemoteFaults, AProbeIsAnsweredOrNot) {
  const FaultRow& row = GetParam();
  Fault("probe", row.fault);
  const bool answered = Await(biller_->Probe(In(LimitFor(row))));
  // There is nothing in an answer to a probe, and gRPC may put up with a message that it can't read after status OK.
  const bool either = row.fault == "garbage";
  EXPECT_TRUE(either || answered == (row.in_time && row.fault != "decline")) << answered;
}

INSTANTIATE_TEST_SUITE_P(All, RemoteFaults, testing::ValuesIn(FaultTable()), [](const auto& test) {
  std::string name = test.param.fault;
  for (char& c : name) {
    if (c == ' ' || c == '=') c = '_';
  }
  return name;
});

TEST_F(RemoteFaults, AnApprovalTellsWhatTheHostSays) {
  const std::string own = sandbox::BillerReference('W', core::PaymentId::FromNumber(kPayment));
  EXPECT_THAT(Text(Await(biller_->Pay(Payment(), In(kPlenty)))), StartsWith("approved reference " + own));
  EXPECT_THAT(Text(Await(biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(kPlenty)))),
              HasSubstr("owes " + core::FormatYuan(sandbox::AmountOwed(kNumber))));
}

TEST_F(RemoteFaults, OnePaymentHasOneEffect) {
  EXPECT_EQ(Pay(), "approved");
  EXPECT_EQ(Pay(), "approved");
  EXPECT_THAT(Do("effect water 42"), testing::AllOf(HasSubstr("times=1"), HasSubstr(" asked=2 ")));
}

TEST_F(RemoteFaults, WhatWasTakenBackBeforeItCameIsRefused) {
  EXPECT_EQ(Reverse(), "taken back");
  EXPECT_EQ(Effect(), "barred");
  EXPECT_EQ(Pay(), "declined 17");
  EXPECT_EQ(Query(), "never received");
}

TEST_F(RemoteFaults, CancelOfNothingIsDeclined) {
  EXPECT_EQ(Cancel(), "declined 25");
}

TEST_F(RemoteFaults, NobodyThereIsNotSent) {
  Do("refuse water");
  Do("cut water");
  // The cut is noticed when it is; until then a payment may have left.
  uint64_t id = kPayment;
  std::string outcome = "unknown";
  while (outcome == "unknown") outcome = Kind(Await(biller_->Pay(Payment(++id), In(kPlenty))));
  EXPECT_EQ(outcome, "not sent");
  EXPECT_EQ(Inquire(), "not sent");
  EXPECT_EQ(Cancel(), "not sent");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Reverse(), "unknown");
  EXPECT_FALSE(Await(biller_->Probe(In(kPlenty))));
  EXPECT_THAT(Do("counts water"), HasSubstr("applied=0"));
  Do("accept water");
  WaitUntilUp();
  EXPECT_EQ(Pay(), "approved");
}

TEST_F(RemoteFaults, AConnectionIsKeptWhileNewOnesAreRefused) {
  Do("refuse water");
  EXPECT_EQ(Pay(), "approved");
}

TEST_F(RemoteFaults, ItComesBackAfterARestart) {
  EXPECT_EQ(Pay(), "approved");
  Do("restart water");
  WaitUntilUp();
  EXPECT_EQ(Query(), "approved");
}

TEST_F(RemoteFaults, AHostThatIsCutWhileItWorksLeavesItUnknown) {
  Fault("pay", "silent");
  boost::asio::io_context io;
  std::string kind;
  boost::asio::co_spawn(io, biller_->Pay(Payment(), In(kPlenty)),
                        [&kind](std::exception_ptr, const PayOutcome& outcome) { kind = Kind(outcome); });
  while (Effect() == "none") io.run_one_for(milliseconds(1));
  Do("cut water");
  io.run();
  EXPECT_EQ(kind, "unknown");
}

TEST_F(RemoteFaults, AnApprovalAfterTheDeadlineIsTold) {
  biller_ = Create("remote", company_.AdapterSettings(), {}).value();
  biller_->ReportLateApprovalsTo(&late_);
  WaitUntilUp();
  Fault("pay", "late delay_ms=1500");
  EXPECT_EQ(Pay(kShort), "unknown");
  const LateBox::Late told = late_.First();
  EXPECT_EQ(told.payment, core::PaymentId::FromNumber(kPayment));
  EXPECT_EQ(told.station, core::StationId::FromNumber(1));
  EXPECT_EQ(told.approved.biller_reference, sandbox::BillerReference('W', told.payment));
}

// The deadline and what gRPC says of it come at the same moment, from two threads.
TEST_F(RemoteFaults, DeadlinesThatPassByTheThousandHurtNothing) {
  Fault("pay", "silent");
  constexpr uint64_t kPayments = 8'000;
  uint64_t answered = 0;
  boost::asio::io_context io;
  for (uint64_t id = 1; id <= kPayments; ++id) {
    boost::asio::co_spawn(io, biller_->Pay(Payment(id), In(milliseconds(50 + id % 400))),
                          [&answered](std::exception_ptr, const PayOutcome& outcome) {
                            const std::string kind = Kind(outcome);
                            EXPECT_TRUE(kind == "unknown" || kind == "not sent") << kind;
                            ++answered;
                          });
  }
  io.run();
  EXPECT_EQ(answered, kPayments);
}

// The answer's first byte goes out, and then nothing on the whole connection for ten minutes: as with a host that lost
// its power. What is asked meanwhile gets no answer either, until pings that are not answered have it count as gone.
TEST_F(RemoteFaults, AConnectionThatIsDeadIsNoticed) {
  Settings settings = company_.AdapterSettings();
  settings["keepalive_ms"] = "1000";
  biller_ = Create("remote", settings, {}).value();
  WaitUntilUp();
  Fault("pay", "drip delay_ms=600000 times=1");
  EXPECT_THAT(Text(Await(biller_->Pay(Payment(), In(kPlenty)))), StartsWith("unknown: gRPC status 14: "));
  WaitUntilUp();
  EXPECT_EQ(Query(), "approved");
}

TEST_F(RemoteFaults, TheStatementListsWhatHasItsEffect) {
  EXPECT_EQ(Pay(), "approved");
  const core::BusinessDate today = sim::DayInChina(core::SystemClock().Now());
  const std::string head = "payment_id,reference,customer_number,amount_fen,at_ms\n";
  EXPECT_THAT(company_.simulator().Statement("water", today), StartsWith(head + "42,W"));
  EXPECT_EQ(Reverse(), "taken back");
  EXPECT_EQ(company_.simulator().Statement("water", today), head + "total,0,,0,\n");
}

TEST(WaterHostSettings, FaultsNameTheSetting) {
  sim::SimulatorConfig config;
  const storage::TemporaryFolder folder;
  config.books = folder.Under("books.jsonl");
  config.hosts = {{.name = "water", .protocol = "remote", .faults = {}, .settings = {}}};
  const core::SystemClock clock;
  const auto fault = [&] {
    return std::string(sim::Simulator::Make(config, &clock, sim::BooksUse::kKeep).status().message());
  };
  EXPECT_EQ(fault(), "settings.card_file: missing; expected a text");
  config.hosts[0].settings["card_file"] = folder.Under("none");
  EXPECT_THAT(fault(), HasSubstr("none: No such file or directory"));
}

}  // namespace
}  // namespace waystation::adapters
