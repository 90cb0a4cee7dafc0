#include "adapters/mobile/mobile_biller.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/mobile/signature.h"
#include "adapters/outcome_text.h"
#include "adapters/sandbox/answers.h"
#include "adapters/sim/http_front.h"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/http_fault_table.h"
#include "tests/adapters/http_hosts.h"
#include "tests/adapters/payment.h"
#include "tests/adapters/scripted_server.h"

namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds kPlenty{20'000};
constexpr milliseconds kShort{200};
const std::string kNumber = "13800138000";
constexpr uint64_t kOrder = 42;

// The carrier of billersim, and an adapter that talks to it.
class MobileBiller : public testing::TestWithParam<FaultRow> {
 protected:
  MobileBiller() {
    SendAlarmsTo([this](std::string_view, std::string_view text) {
      const std::lock_guard lock(mutex_);
      alarms_.emplace_back(text);
    });
  }
  ~MobileBiller() override { SendAlarmsTo(nullptr); }

  static PaymentRequest Payment(uint64_t id = kOrder) { return MakePayment(id, kNumber, core::Money::Fen(5'000)); }

  std::string Pay(milliseconds limit = kPlenty) { return Kind(Await(biller_->Pay(Payment(), In(limit)))); }
  std::string Query(milliseconds limit = kPlenty) { return Kind(Await(biller_->Query(Payment(), In(limit)))); }
  std::string Reverse(milliseconds limit = kPlenty) { return Kind(Await(biller_->Reverse(Payment(), In(limit)))); }
  std::string Cancel(milliseconds limit = kPlenty) { return Kind(Await(biller_->Cancel(Payment(), In(limit)))); }
  std::string Inquire(milliseconds limit = kPlenty) {
    return Kind(Await(biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(limit))));
  }

  // On an io_context that outlives it, as a worker's does.
  std::string PayOn(boost::asio::io_context& io, uint64_t id) {
    std::string text;
    boost::asio::co_spawn(io, biller_->Pay(Payment(id), In(kPlenty)),
                          [&text](std::exception_ptr, PayOutcome outcome) { text = Text(outcome); });
    io.restart();
    io.run();
    return text;
  }

  // "applied", "declined", "taken_back", "barred" or "none": the first word of what the books say.
  std::string Effect() {
    const std::string text = hosts_.simulator().Do("effect mobile " + std::to_string(kOrder));
    return text.substr(0, text.find(' '));
  }
  void Fault(const std::string& operation, const std::string& fault) {
    hosts_.simulator().Do("fault mobile " + operation + " * " + fault);
  }
  void Well() { hosts_.simulator().Do("clear mobile"); }
  milliseconds LimitFor(const FaultRow& row) const { return IsSilent(row) ? kShort : kPlenty; }

  std::vector<std::string> alarms() {
    const std::lock_guard lock(mutex_);
    return alarms_;
  }

  HttpHosts hosts_;
  std::unique_ptr<BillerAdapter> biller_ = MakeAdapter("mobile_json", hosts_.MobileSettings());
  std::mutex mutex_;
  std::vector<std::string> alarms_;
};

TEST_P(MobileBiller, APaymentComesToWhatTheBooksSay) {
  const FaultRow& row = GetParam();
  Fault("pay", row.fault);
  const std::string outcome = Pay(LimitFor(row));
  EXPECT_EQ(Effect(), row.effect);
  EXPECT_THAT(hosts_.simulator().Do("effect mobile 42"), HasSubstr(" asked=1"));
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

TEST_P(MobileBiller, AQueryNeverSaysMoreThanTheHost) {
  const FaultRow& row = GetParam();
  ASSERT_EQ(Pay(), "approved");
  Fault("query", row.fault);
  const bool usable = row.in_time && row.fault != "decline";
  EXPECT_EQ(Query(LimitFor(row)), usable ? "approved" : "unknown");
}

TEST_P(MobileBiller, ReversalAdviceIsDoneOnceTheHostSaysSo) {
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

TEST_P(MobileBiller, ACancelIsDoneOnceTheHostSaysSo) {
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

TEST_P(MobileBiller, AnInquiryFindsOrDoesNotKnow) {
  const FaultRow& row = GetParam();
  Fault("inquire", row.fault);
  const std::string answered = row.fault == "decline" ? "declined 05" : "found";
  EXPECT_EQ(Inquire(LimitFor(row)), row.in_time ? answered : "unknown");
}

INSTANTIATE_TEST_SUITE_P(Faults, MobileBiller, testing::ValuesIn(FaultTable()), [](const auto& test) {
  std::string name = test.param.fault;
  for (char& c : name) {
    if (c == ' ' || c == '=') c = '_';
  }
  return name;
});

TEST_F(MobileBiller, AWrongSignatureIsUnknownAndAlarmed) {
  for (const std::string operation : {"inquire", "pay", "query", "reverse", "cancel"}) {
    Fault(operation, "bad_mac");
  }
  EXPECT_EQ(Inquire(), "unknown");
  EXPECT_EQ(Pay(), "unknown");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Effect(), "applied");
  EXPECT_EQ(Cancel(), "unknown");
  EXPECT_EQ(Effect(), "taken_back");
  EXPECT_EQ(Reverse(), "unknown");
  EXPECT_THAT(alarms(), ElementsAre(HasSubstr("signature"), HasSubstr("signature"), HasSubstr("signature"),
                                    HasSubstr("signature"), HasSubstr("signature")));
}

TEST_F(MobileBiller, AnApprovalTellsWhatTheHostSays) {
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(kPlenty)))),
            "approved reference M09297814886316923340 voucher  name 周**");
  EXPECT_EQ(Text(Await(biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(kPlenty)))),
            "found 周** owes 0.00");
}

TEST_F(MobileBiller, OneOrderHasOneEffect) {
  EXPECT_EQ(Pay(), "approved");
  EXPECT_EQ(Pay(), "approved");
  EXPECT_THAT(hosts_.simulator().Do("effect mobile 42"), AllOf(HasSubstr("times=1"), HasSubstr(" asked=2 ")));
}

// What the card's settling time is for.
TEST_F(MobileBiller, AnOrderThatIsHeldUpIsDeniedUntilItIsTakenUp) {
  Fault("pay", "held_up delay_ms=3000");
  ASSERT_EQ(Pay(kShort), "unknown");
  EXPECT_EQ(Query(), "never received");
  while (Effect() == "none") {
  }
  EXPECT_EQ(Query(), "approved");
}

TEST_F(MobileBiller, WhatWasTakenBackBeforeItCameIsRefused) {
  EXPECT_EQ(Reverse(), "taken back");
  EXPECT_EQ(Effect(), "barred");
  EXPECT_EQ(Pay(), "declined 17");
  EXPECT_EQ(Query(), "never received");
}

TEST_F(MobileBiller, AnOrderThatTheHostTookBackHasNoEffect) {
  ASSERT_EQ(Pay(), "approved");
  ASSERT_EQ(Reverse(), "taken back");
  EXPECT_EQ(Text(Await(biller_->Query(Payment(), In(kPlenty)))), "declined : taken back at the biller");
}

TEST_F(MobileBiller, CancelOfNothingIsDeclined) {
  EXPECT_EQ(Cancel(), "declined 25");
}

TEST_F(MobileBiller, NobodyThereIsNotSent) {
  hosts_.simulator().Do("refuse mobile");
  EXPECT_EQ(Pay(), "not sent");
  EXPECT_EQ(Inquire(), "not sent");
  EXPECT_EQ(Cancel(), "not sent");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Reverse(), "unknown");
  EXPECT_FALSE(Await(biller_->Probe(In(kPlenty))));
  EXPECT_EQ(Effect(), "none");
  hosts_.simulator().Do("accept mobile");
  EXPECT_EQ(Pay(), "approved");
}

TEST_F(MobileBiller, AConnectionIsKeptFromOneOperationToTheNext) {
  boost::asio::io_context io;
  EXPECT_THAT(PayOn(io, 1), StartsWith("approved"));
  hosts_.simulator().Do("refuse mobile");
  EXPECT_THAT(PayOn(io, 2), StartsWith("approved"));
  EXPECT_THAT(PayOn(io, 3), StartsWith("approved"));
}

TEST_F(MobileBiller, AKeptConnectionThatARestartClosedIsReplaced) {
  boost::asio::io_context io;
  EXPECT_THAT(PayOn(io, 1), StartsWith("approved"));
  hosts_.simulator().Do("restart mobile");
  EXPECT_THAT(PayOn(io, 2), StartsWith("approved"));
  EXPECT_THAT(PayOn(io, 3), StartsWith("approved"));
  EXPECT_THAT(hosts_.simulator().Do("counts mobile"), HasSubstr("applied=3"));
}

// The second answer comes before the next request goes out, and ends the connection, or after it, and bears another
// request's nonce. Which of the two is a race; that it is never taken for the next one's answer is not.
TEST_F(MobileBiller, AnAnswerThatComesTwiceIsNotTakenForTheNext) {
  boost::asio::io_context io;
  Fault("pay", "double times=1");
  EXPECT_THAT(PayOn(io, 1), StartsWith("approved"));
  const std::string own = sandbox::BillerReference('M', core::PaymentId::FromNumber(2));
  EXPECT_THAT(PayOn(io, 2), testing::AnyOf(StartsWith("approved reference " + own), StartsWith("unknown: ")));
  EXPECT_THAT(PayOn(io, 3), testing::Not(HasSubstr(own)));
}

TEST_F(MobileBiller, AHostThatIsCutWhileItWorksLeavesItUnknown) {
  Fault("pay", "silent");
  boost::asio::io_context io;
  std::string kind;
  boost::asio::co_spawn(io, biller_->Pay(Payment(), In(kPlenty)),
                        [&kind](std::exception_ptr, PayOutcome outcome) { kind = Kind(outcome); });
  while (Effect() == "none") io.run_one_for(milliseconds(1));
  hosts_.simulator().Do("cut mobile");
  io.run();
  EXPECT_EQ(kind, "unknown");
}

TEST_F(MobileBiller, ACertificateThatDoesNotHoldIsNotSent) {
  struct Row {
    std::string label;
    sim::CertificateFiles files;
    std::string trusted;
    std::string cause;
  };
  const std::string folder = hosts_.folder().path();
  const sim::CertificateAuthority& ours = hosts_.authority();
  const sim::CertificateAuthority other(folder, "other");
  const std::string here = "IP:127.0.0.1,DNS:localhost";
  const std::vector<Row> rows = {
      {"wrong CA", other.Issue("of_other", here, -1, 1), ours.file(), "unable to get local issuer certificate"},
      {"wrong name", ours.Issue("elsewhere", "IP:127.0.0.2,DNS:carrier.example", -1, 1), ours.file(),
       "IP address mismatch"},
      {"expired", ours.Issue("expired", here, -2, -1), ours.file(), "certificate has expired"},
      {"not yet", ours.Issue("not_yet", here, 1, 2), ours.file(), "certificate is not yet valid"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.label);
    sim::SimulatorConfig config;
    config.books = hosts_.folder().Under(row.label + ".jsonl");
    config.hosts = {{.name = "mobile",
                     .protocol = "mobile_json",
                     .faults = {},
                     .settings = {{"certificate_file", row.files.certificate},
                                  {"private_key_file", row.files.private_key},
                                  {"partner", "waystation"},
                                  {"key_file", hosts_.folder().Under("hmac.key")}}}};
    RunningSimulator simulator(config);
    Settings settings = hosts_.MobileSettings();
    settings["url"] = "https://" + simulator.AddressOf("mobile");
    settings["ca_file"] = row.trusted;
    const auto biller = MakeAdapter("mobile_json", settings);
    const PayOutcome outcome = Await(biller->Pay(Payment(), In(kPlenty)));
    EXPECT_THAT(Text(outcome), AllOf(StartsWith("not sent: TLS with "), HasSubstr(row.cause)));
    EXPECT_THAT(simulator.Do("counts mobile"), StartsWith("requests=0 "));
  }
}

TEST_F(MobileBiller, AHostNameIsVerifiedToo) {
  Settings settings = hosts_.MobileSettings();
  const std::string address = hosts_.simulator().AddressOf("mobile");
  const std::string port = address.substr(address.find(':'));
  settings["url"] = "https://localhost" + port;
  EXPECT_EQ(Kind(Await(MakeAdapter("mobile_json", settings)->Pay(Payment(1), In(kPlenty)))), "approved");
}

TEST_F(MobileBiller, AHostWithoutTlsIsNotSent) {
  struct Row {
    std::string label;
    std::string bytes;
    milliseconds limit;
  };
  for (const Row& row : {Row{"says nothing", "", kShort}, Row{"says something else", "220 ready\r\n", kPlenty}}) {
    SCOPED_TRACE(row.label);
    boost::asio::io_context io;
    ScriptedServer server(io, {});
    Settings settings = hosts_.MobileSettings();
    settings["url"] = "https://127.0.0.1:" + server.port();
    const auto biller = MakeAdapter("mobile_json", settings);
    std::string text;
    boost::asio::co_spawn(io, biller->Pay(Payment(), In(row.limit)),
                          [&text](std::exception_ptr, PayOutcome outcome) { text = Text(outcome); });
    while (server.connections() == 0) io.run_one();
    server.Push(row.bytes);
    while (text.empty()) io.run_one();
    EXPECT_THAT(text, StartsWith("not sent: TLS with "));
  }
}

TEST_F(MobileBiller, TheWrongKeyOnOurSideIsUnknown) {
  Settings settings = hosts_.MobileSettings();
  settings["key_file"] = hosts_.folder().Under("other.key");
  std::ofstream(settings["key_file"]) << std::string(64, 'a');
  const auto biller = MakeAdapter("mobile_json", settings);
  EXPECT_EQ(Kind(Await(biller->Pay(Payment(), In(kPlenty)))), "unknown");
  EXPECT_EQ(Effect(), "none");
}

// Whatever the body says, and signed or not: it may come from whoever stands between.
TEST_F(MobileBiller, AnyStatusButSuccessIsUnknown) {
  const mobile::Signer signer = *mobile::Signer::FromFile(hosts_.folder().Under("hmac.key"));
  const sim::CertificateFiles files = hosts_.authority().Issue("gateway", "IP:127.0.0.1", -1, 1);
  unsigned status = 0;
  bool is_signed = false;
  sim::Faults faults(1);
  boost::asio::io_context io;
  sim::HostParts parts;
  parts.listen = "127.0.0.1:0";
  parts.faults = &faults;
  parts.io = &io;
  sim::HttpFront front(parts, *sim::ServerTls(files.certificate, files.private_key),
                       [&](const sim::HttpRequest& request) -> sim::HttpAnswer {
                         const std::string body =
                             R"({"code":"00","order":"42","state":"paid","amount_fen":5000,"reference":"M1"})";
                         const std::string nonce(request["X-Nonce"]);
                         const std::string path(request.target());
                         std::string signature = signer.Sign({std::to_string(status), path, "1", nonce, body});
                         if (!is_signed) signature.clear();
                         return {sim::HttpBytes(status, {{"X-Timestamp", "1"}, {"X-Signature", signature}}, body), {}};
                       });
  ASSERT_TRUE(front.listener().Open().ok());
  Settings settings = hosts_.MobileSettings();
  settings["url"] = "https://" + front.listener().address();
  const auto biller = MakeAdapter("mobile_json", settings);
  const auto pay = [&] {
    std::string text;
    boost::asio::co_spawn(io, biller->Pay(Payment(), In(kPlenty)),
                          [&text](std::exception_ptr, PayOutcome outcome) { text = Text(outcome); });
    while (text.empty()) io.run_one();
    return text;
  };
  for (const unsigned other : {201, 204, 302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504}) {
    status = other;
    is_signed = true;
    EXPECT_THAT(pay(), StartsWith("unknown: ")) << status;
    is_signed = false;
    EXPECT_THAT(pay(), StartsWith("unknown: ")) << status;
  }
  status = 200;
  EXPECT_THAT(pay(), StartsWith("unknown: "));
  is_signed = true;
  EXPECT_THAT(pay(), StartsWith("approved"));
}

// A host that answers what the table does not have, or takes for unknown, settles nothing.
TEST_F(MobileBiller, ACodeThatTheTableLacksIsUnknown) {
  Settings settings = hosts_.MobileSettings();
  settings["result_codes"] = "00 success\n14 unknown";
  const auto biller = MakeAdapter("mobile_json", settings);
  PaymentRequest request = Payment();
  Fault("pay", "decline times=1");
  EXPECT_EQ(Kind(Await(biller->Pay(request, In(kPlenty)))), "unknown");
  EXPECT_EQ(Kind(Await(biller->Query(request, In(kPlenty)))), "unknown");
  request = MakePayment(43, "13800138090", core::Money::Fen(5'000));
  EXPECT_EQ(Kind(Await(biller->Pay(request, In(kPlenty)))), "unknown");
  EXPECT_EQ(Kind(Await(biller->Cancel(MakePayment(44, kNumber, core::Money::Fen(5'000)), In(kPlenty)))), "unknown");
}

TEST_F(MobileBiller, TheStatementListsWhatHasItsEffect) {
  EXPECT_EQ(Pay(), "approved");
  const core::BusinessDate today = sim::DayInChina(core::SystemClock().Now());
  EXPECT_THAT(hosts_.simulator().Statement("mobile", today),
              AllOf(StartsWith("order,reference,mobile,amount_fen,at_ms\n42,M09297814886316923340,13800138000,5000,"),
                    testing::EndsWith("\ntotal,1,,5000,\n")));
  EXPECT_EQ(Reverse(), "taken back");
  EXPECT_EQ(hosts_.simulator().Statement("mobile", today), "order,reference,mobile,amount_fen,at_ms\ntotal,0,,0,\n");
}

}  // namespace
}  // namespace waystation::adapters
