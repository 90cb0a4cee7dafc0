#include "adapters/mobile/mobile_biller.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/http/client.h"
#include "adapters/http/settings.h"
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
// From when a connection is there: for what goes out over it, on a machine that is busy.
constexpr milliseconds kShort{500};
const std::string kNumber = "13800138000";
constexpr uint64_t kOrder = 42;

// The carrier of billersim, and an adapter that talks to it.
class MobileBiller : public testing::TestWithParam<FaultRow> {
 protected:
  MobileBiller() { Listen(); }
  ~MobileBiller() override { SendAlarmsTo(nullptr); }

  static PaymentRequest Payment(uint64_t id = kOrder) { return MakePayment(id, kNumber, core::Money::Fen(5'000)); }

  std::string Pay(milliseconds limit = kPlenty) { return Kind(AwaitOn(io_, biller_->Pay(Payment(), In(limit)))); }
  std::string Query(milliseconds limit = kPlenty) { return Kind(AwaitOn(io_, biller_->Query(Payment(), In(limit)))); }
  std::string Reverse(milliseconds limit = kPlenty) {
    return Kind(AwaitOn(io_, biller_->Reverse(Payment(), In(limit))));
  }
  std::string Cancel(milliseconds limit = kPlenty) { return Kind(AwaitOn(io_, biller_->Cancel(Payment(), In(limit)))); }
  std::string Inquire(milliseconds limit = kPlenty) {
    return Kind(AwaitOn(io_, biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(limit))));
  }
  bool Probe() { return AwaitOn(io_, biller_->Probe(In(kPlenty))); }

  std::string PayAs(uint64_t id) { return Text(AwaitOn(io_, biller_->Pay(Payment(id), In(kPlenty)))); }

  // For alarms, with none held back yet.
  void Listen() {
    SendAlarmsTo([this](std::string_view, std::string_view text) {
      const std::lock_guard lock(mutex_);
      alarms_.emplace_back(text);
    });
    const std::lock_guard lock(mutex_);
    alarms_.clear();
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
  // How long the next operation waits. Where nothing will come, the connection is opened before, so that its deadline
  // covers no more than the request.
  milliseconds LimitFor(const FaultRow& row) {
    if (!IsSilent(row)) return kPlenty;
    EXPECT_TRUE(Probe());
    seen_ = Requests();
    return kShort;
  }
  // After that operation, once the host has it too.
  std::string EffectOf(const FaultRow& row) {
    while (IsSilent(row) && Requests() == seen_) {
    }
    return Effect();
  }
  std::string Requests() {
    const std::string text = hosts_.simulator().Do("counts mobile");
    return text.substr(0, text.find(' '));
  }

  std::vector<std::string> alarms() {
    const std::lock_guard lock(mutex_);
    return alarms_;
  }

  // Outlives the adapter, as a worker's does.
  boost::asio::io_context io_;
  std::string seen_;
  HttpHosts hosts_;
  std::unique_ptr<BillerAdapter> biller_ = MakeAdapter("mobile_json", hosts_.MobileSettings());
  std::mutex mutex_;
  std::vector<std::string> alarms_;
};

TEST_P(MobileBiller, APaymentComesToWhatTheBooksSay) {
  const FaultRow& row = GetParam();
  Fault("pay", row.fault);
  const std::string outcome = Pay(LimitFor(row));
  EXPECT_EQ(EffectOf(row), row.effect);
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
  EXPECT_EQ(EffectOf(row), row.effect == "applied" ? "taken_back" : "applied");
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
  EXPECT_EQ(EffectOf(row), row.effect == "applied" ? "taken_back" : "applied");
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
  struct Row {
    std::string operation;
    std::function<std::string()> ask;
    std::string effect;
  };
  const std::vector<Row> rows = {{"inquire", [this] { return Inquire(); }, "none"},
                                 {"pay", [this] { return Pay(); }, "applied"},
                                 {"query", [this] { return Query(); }, "applied"},
                                 {"cancel", [this] { return Cancel(); }, "taken_back"},
                                 {"reverse", [this] { return Reverse(); }, "taken_back"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.operation);
    Fault(row.operation, "bad_mac");
    Listen();
    EXPECT_EQ(row.ask(), "unknown");
    EXPECT_EQ(Effect(), row.effect);
    EXPECT_THAT(alarms(), ElementsAre(HasSubstr("signature")));
  }
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
  ASSERT_TRUE(Probe());
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

// The station has been charged for it.
TEST_F(MobileBiller, CancelOfWhatTheHostDoesNotKnowIsUnknown) {
  EXPECT_EQ(Cancel(), "unknown");
}

TEST_F(MobileBiller, NobodyThereIsNotSent) {
  hosts_.simulator().Do("refuse mobile");
  EXPECT_EQ(Pay(), "not sent");
  EXPECT_EQ(Inquire(), "not sent");
  EXPECT_EQ(Cancel(), "not sent");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Reverse(), "unknown");
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Effect(), "none");
  hosts_.simulator().Do("accept mobile");
  EXPECT_EQ(Pay(), "approved");
}

TEST_F(MobileBiller, AConnectionIsKeptFromOneOperationToTheNext) {
  EXPECT_THAT(PayAs(1), StartsWith("approved"));
  hosts_.simulator().Do("refuse mobile");
  EXPECT_THAT(PayAs(2), StartsWith("approved"));
  EXPECT_THAT(PayAs(3), StartsWith("approved"));
}

TEST_F(MobileBiller, AKeptConnectionThatARestartClosedIsReplaced) {
  EXPECT_THAT(PayAs(1), StartsWith("approved"));
  hosts_.simulator().Do("restart mobile");
  EXPECT_THAT(PayAs(2), StartsWith("approved"));
  EXPECT_THAT(PayAs(3), StartsWith("approved"));
  EXPECT_THAT(hosts_.simulator().Do("counts mobile"), HasSubstr("applied=3"));
}

// The second answer comes before the next request goes out, and ends the connection, or after it, and bears another
// request's nonce. Which of the two is a race; that it is never taken for the next one's answer is not.
TEST_F(MobileBiller, AnAnswerThatComesTwiceIsNotTakenForTheNext) {
  Fault("pay", "double times=1");
  EXPECT_THAT(PayAs(1), StartsWith("approved"));
  const std::string own = sandbox::BillerReference('M', core::PaymentId::FromNumber(2));
  EXPECT_THAT(PayAs(2), testing::AnyOf(StartsWith("approved reference " + own), StartsWith("unknown: ")));
  EXPECT_THAT(PayAs(3), testing::Not(HasSubstr(own)));
}

TEST_F(MobileBiller, AHostThatIsCutWhileItWorksLeavesItUnknown) {
  Fault("pay", "silent");
  std::string kind;
  boost::asio::co_spawn(io_, biller_->Pay(Payment(), In(kPlenty)),
                        [&kind](std::exception_ptr, PayOutcome outcome) { kind = Kind(outcome); });
  while (Effect() == "none") io_.run_one_for(milliseconds(1));
  hosts_.simulator().Do("cut mobile");
  while (kind.empty()) io_.run_one();
  EXPECT_EQ(kind, "unknown");
}

TEST_F(MobileBiller, ACertificateThatDoesNotHoldIsNotSent) {
  struct Row {
    std::string label;
    sim::CertificateFiles files;
    std::string trusted;
    std::string host;  // as the url has it
    std::string cause;
  };
  const std::string folder = hosts_.folder().path();
  const sim::CertificateAuthority& ours = hosts_.authority();
  const sim::CertificateAuthority other(folder, "other");
  const std::string here = "IP:127.0.0.1,DNS:localhost";
  const std::vector<Row> rows = {
      {"wrong CA", other.Issue("of_other", here, -1, 1), ours.file(), "127.0.0.1",
       "unable to get local issuer certificate"},
      {"wrong name", ours.Issue("elsewhere", "IP:127.0.0.2,DNS:carrier.example", -1, 1), ours.file(), "127.0.0.1",
       "IP address mismatch"},
      {"wrong host name", ours.Issue("elsewhere_here", "DNS:carrier.example,IP:127.0.0.1", -1, 1), ours.file(),
       "localhost", "hostname mismatch"},
      {"expired", ours.Issue("expired", here, -2, -1), ours.file(), "127.0.0.1", "certificate has expired"},
      {"not yet", ours.Issue("not_yet", here, 1, 2), ours.file(), "127.0.0.1", "certificate is not yet valid"},
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
    const std::string address = simulator.AddressOf("mobile");
    settings["url"] = "https://" + row.host + address.substr(address.find(':'));
    settings["ca_file"] = row.trusted;
    const auto biller = MakeAdapter("mobile_json", settings);
    const PayOutcome outcome = Await(biller->Pay(Payment(), In(kPlenty)));
    EXPECT_THAT(Text(outcome), AllOf(StartsWith("not sent: TLS with "), HasSubstr(row.cause)));
    EXPECT_THAT(simulator.Do("counts mobile"), StartsWith("requests=0 "));
  }
}

TEST_F(MobileBiller, AHostIsReachedByItsNameToo) {
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

// A host whose answers are of a status, signed or not, as the test says.
class AnswersOfAnyStatus : public MobileBiller {
 protected:
  AnswersOfAnyStatus() {
    EXPECT_TRUE(front_.listener().Open().ok());
    Settings settings = hosts_.MobileSettings();
    settings["url"] = "https://" + front_.listener().address();
    biller_ = MakeAdapter("mobile_json", settings);
  }

  sim::HttpAnswer Answer(const sim::HttpRequest& request) const {
    const std::string nonce(request["X-Nonce"]);
    const std::string path(request.target());
    std::string signature = signer_.Sign({std::to_string(status_), path, "1", nonce, body_});
    if (!is_signed_) signature.clear();
    return {sim::HttpBytes(status_, {{"X-Timestamp", "1"}, {"X-Signature", signature}}, body_), {}};
  }

  sim::HostParts Parts() {
    sim::HostParts parts;
    parts.listen = "127.0.0.1:0";
    parts.faults = &faults_;
    parts.io = &io_;
    return parts;
  }

  unsigned status_ = 200;
  bool is_signed_ = true;
  std::string body_ = R"({"code":"00","order":"42","state":"paid","amount_fen":5000,"reference":"M1"})";
  const mobile::Signer signer_ = *mobile::Signer::FromFile(hosts_.folder().Under("hmac.key"));
  const sim::CertificateFiles files_ = hosts_.authority().Issue("gateway", "IP:127.0.0.1", -1, 1);
  sim::Faults faults_{1};
  sim::HttpFront front_{Parts(), *sim::ServerTls(files_.certificate, files_.private_key),
                        [this](const sim::HttpRequest& request) { return Answer(request); }};
};

// Whatever the body says, and signed or not: it may come from whoever stands between.
TEST_F(AnswersOfAnyStatus, SettleAPaymentWithSuccessAndASignatureAlone) {
  for (const unsigned other : {201, 204, 302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504}) {
    status_ = other;
    is_signed_ = true;
    EXPECT_EQ(Pay(), "unknown") << other;
    is_signed_ = false;
    EXPECT_EQ(Pay(), "unknown") << other;
  }
  status_ = 200;
  EXPECT_EQ(Pay(), "unknown");
  is_signed_ = true;
  EXPECT_EQ(Pay(), "approved");
}

// What stands in front of a host that is down does not sign.
TEST_F(AnswersOfAnyStatus, AreAlarmedWithoutASignatureUnlessTheHostIsOutOfOrder) {
  for (const unsigned other : {200, 302, 404, 499}) {
    status_ = other;
    is_signed_ = false;
    Listen();
    Pay();
    EXPECT_THAT(alarms(), ElementsAre(HasSubstr("of status " + std::to_string(other)))) << other;
    is_signed_ = true;
    Listen();
    Pay();
    EXPECT_THAT(alarms(), testing::IsEmpty()) << other;
  }
  is_signed_ = false;
  for (const unsigned other : {500, 502, 503, 504}) {
    status_ = other;
    Listen();
    EXPECT_EQ(Pay(), "unknown");
    EXPECT_THAT(alarms(), testing::IsEmpty()) << other;
  }
}

// A host that is there comes back into service, whether it knows /v1/health or not.
TEST_F(AnswersOfAnyStatus, ShowThatTheHostIsThere) {
  struct Row {
    unsigned status;
    bool is_signed;
    std::string body;
    bool there;
  };
  const std::vector<Row> rows = {
      {200, true, R"({"code":"00"})", true},
      {200, true, R"({"code":"98"})", true},
      {200, true, "ok", true},
      {404, true, R"({"code":"98"})", true},
      {404, true, "", true},
      {405, true, "", true},
      {503, true, R"({"code":"96"})", false},  // it says itself that it is not
      {200, false, R"({"code":"00"})", false},
      {404, false, "", false},
      {502, false, "", false},
  };
  for (const Row& row : rows) {
    status_ = row.status;
    is_signed_ = row.is_signed;
    body_ = row.body;
    EXPECT_EQ(Probe(), row.there) << row.status << " " << row.is_signed << " " << row.body;
  }
}

// billersim, asked what its interface does not have.
TEST_F(MobileBiller, ARequestThatTheHostDoesNotUnderstandIsAnswered) {
  const Settings settings = hosts_.MobileSettings();
  SettingsReader reader(settings);
  http::Client client(http::ReadClientOptions(reader, http::Transport::kTls));
  const mobile::Signer signer = *mobile::Signer::FromFile(hosts_.folder().Under("hmac.key"));
  for (const std::string target : {"/v1/orders", "/v1/ordersx", "/v1/orders/42/receipt", "/v1", "/"}) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string timestamp = std::to_string(std::chrono::duration_cast<milliseconds>(now).count());
    http::Request request{.method = "GET", .target = target, .fields = {}, .body = ""};
    request.fields = {{"X-Partner", "waystation"},
                      {"X-Timestamp", timestamp},
                      {"X-Nonce", "1"},
                      {"X-Signature", signer.Sign({"GET", target, timestamp, "1", ""})}};
    const auto result =
        AwaitOn(io_, client.Send(std::move(request), In(kPlenty), [](const http::Answer&) { return true; }));
    const auto* answer = std::get_if<http::Answer>(&result);
    ASSERT_NE(answer, nullptr) << target;
    EXPECT_THAT(answer->body(), HasSubstr(R"("code":"98")")) << target;
  }
}

TEST_F(MobileBiller, EveryRequestStandsInTheBooksOnce) {
  Settings settings = hosts_.MobileSettings();
  settings["partner"] = "stranger";
  const auto stranger = MakeAdapter("mobile_json", settings);
  Fault("inquire", "decline");
  Fault("query", "cut_unheard");
  Fault("reverse", "decline");
  Fault("cancel", "garbage");
  EXPECT_EQ(Requests(), "requests=0");
  EXPECT_TRUE(Probe());
  EXPECT_EQ(Requests(), "requests=1");
  EXPECT_EQ(Inquire(), "declined 05");
  EXPECT_EQ(Requests(), "requests=2");
  EXPECT_EQ(Pay(), "approved");
  EXPECT_EQ(Requests(), "requests=3");
  EXPECT_EQ(Reverse(), "declined 05");
  EXPECT_EQ(Requests(), "requests=4");
  EXPECT_EQ(Cancel(), "unknown");
  EXPECT_EQ(Requests(), "requests=5");
  EXPECT_EQ(Kind(Await(stranger->Pay(Payment(), In(kPlenty)))), "unknown");
  EXPECT_EQ(Requests(), "requests=6");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Requests(), "requests=7");
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
