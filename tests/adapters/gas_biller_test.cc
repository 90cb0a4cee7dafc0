#include "adapters/gas/gas_biller.h"

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "adapters/gas/gbk.h"
#include "adapters/gas/message.h"
#include "adapters/outcome_text.h"
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
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds kPlenty{20'000};
// From when a connection is there: for what goes out over it, on a machine that is busy.
constexpr milliseconds kShort{500};
const std::string kNumber = "12345600";
const core::Money kOwed = core::Money::Fen(17'515);

// The gas company of billersim, and an adapter that talks to it.
class GasBiller : public testing::TestWithParam<FaultRow> {
 protected:
  static PaymentRequest Payment() { return MakePayment(42, kNumber, kOwed); }

  std::string Pay(milliseconds limit = kPlenty) { return Kind(AwaitOn(io_, biller_->Pay(Payment(), In(limit)))); }
  std::string Query(milliseconds limit = kPlenty) { return Kind(AwaitOn(io_, biller_->Query(Payment(), In(limit)))); }
  std::string Inquire(milliseconds limit = kPlenty) {
    return Kind(AwaitOn(io_, biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(limit))));
  }
  // The first word of what the books say.
  std::string Effect() {
    const std::string text = hosts_.simulator().Do("effect gas 42");
    return text.substr(0, text.find(' '));
  }
  void Fault(const std::string& operation, const std::string& fault) {
    hosts_.simulator().Do("fault gas " + operation + " * " + fault);
  }
  bool Probe() { return AwaitOn(io_, biller_->Probe(In(kPlenty))); }
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
  // From here on the adapter talks to another host, which answers this to anything. SERIAL in it stands for the
  // request's serial number.
  void AnswerAlways(unsigned status, const std::string& answer) {
    sim::HostParts parts;
    parts.listen = "127.0.0.1:0";
    parts.faults = &faults_;
    parts.io = &io_;
    fronts_.emplace_back(parts, nullptr, [status, answer](const sim::HttpRequest& request) -> sim::HttpAnswer {
      const std::string begin = "<serial>";
      const size_t at = request.body().find(begin) + begin.size();
      std::string body = answer;
      if (const size_t serial = body.find("SERIAL"); serial != std::string::npos) {
        body.replace(serial, 6, request.body().substr(at, request.body().find('<', at) - at));
      }
      return {sim::HttpBytes(status, {}, body), {}};
    });
    ASSERT_TRUE(fronts_.back().listener().Open().ok());
    Settings settings = hosts_.GasSettings();
    settings["url"] = "http://" + fronts_.back().listener().address();
    biller_ = MakeAdapter("gas_xml", settings);
  }
  std::string Requests() {
    const std::string text = hosts_.simulator().Do("counts gas");
    return text.substr(0, text.find(' '));
  }

  // Outlives the adapter, as a worker's does.
  boost::asio::io_context io_;
  std::string seen_;
  HttpHosts hosts_;
  sim::Faults faults_{1};
  std::deque<sim::HttpFront> fronts_;  // those before too: there may be connections to them
  std::unique_ptr<BillerAdapter> biller_ = MakeAdapter("gas_xml", hosts_.GasSettings());
};

TEST_P(GasBiller, APaymentComesToWhatTheBooksSay) {
  const FaultRow& row = GetParam();
  Fault("pay", row.fault);
  const std::string outcome = Pay(LimitFor(row));
  EXPECT_EQ(EffectOf(row), row.effect);
  EXPECT_THAT(hosts_.simulator().Do("effect gas 42"), HasSubstr(" asked=1"));
  if (!row.in_time) {
    EXPECT_EQ(outcome, "unknown");
  } else {
    EXPECT_EQ(outcome, row.effect == "applied" ? "approved" : "declined 05");
  }
  hosts_.simulator().Do("clear gas");
  const std::string settled = row.effect == "applied" ? "approved"
                              : row.effect == "none"  ? "never received"
                                                      : "declined 05";
  EXPECT_EQ(Query(), settled);
}

TEST_P(GasBiller, AQueryNeverSaysMoreThanTheHost) {
  const FaultRow& row = GetParam();
  ASSERT_EQ(Pay(), "approved");
  Fault("query", row.fault);
  const bool usable = row.in_time && row.fault != "decline";
  EXPECT_EQ(Query(LimitFor(row)), usable ? "approved" : "unknown");
}

TEST_P(GasBiller, AnInquiryFindsOrDoesNotKnow) {
  const FaultRow& row = GetParam();
  Fault("inquire", row.fault);
  const std::string answered = row.fault == "decline" ? "declined 05" : "found";
  EXPECT_EQ(Inquire(LimitFor(row)), row.in_time ? answered : "unknown");
}

INSTANTIATE_TEST_SUITE_P(Faults, GasBiller, testing::ValuesIn(FaultTable()), [](const auto& test) {
  std::string name = test.param.fault;
  for (char& c : name) {
    if (c == ' ' || c == '=') c = '_';
  }
  return name;
});

TEST_F(GasBiller, TextComesThroughGbk) {
  EXPECT_EQ(Text(Await(biller_->Inquire({core::StationId::FromNumber(1), kNumber}, In(kPlenty)))),
            "found 杨* owes 175.15");
  EXPECT_THAT(Text(Await(biller_->Pay(Payment(), In(kPlenty)))),
              AllOf(StartsWith("approved reference G"), testing::EndsWith("name 杨*")));
}

TEST_F(GasBiller, OnlyWhatIsOwedIsTaken) {
  const PaymentRequest request = MakePayment(42, kNumber, kOwed + core::Money::Fen(1));
  EXPECT_EQ(Kind(Await(biller_->Pay(request, In(kPlenty)))), "declined 13");
  EXPECT_EQ(Kind(Await(biller_->Query(request, In(kPlenty)))), "declined 13");
}

TEST_F(GasBiller, OneOrderHasOneEffect) {
  EXPECT_EQ(Pay(), "approved");
  EXPECT_EQ(Pay(), "approved");
  EXPECT_THAT(hosts_.simulator().Do("effect gas 42"), AllOf(HasSubstr("times=1"), HasSubstr(" asked=2 ")));
}

TEST_F(GasBiller, ItsCardRulesOutWhatTheHostHasNot) {
  const CapabilityCard& card = biller_->card();
  EXPECT_EQ(card.inquiry, InquiryRule::kRequired);
  EXPECT_EQ(card.amount_rule, AmountRule::kExact);
  EXPECT_EQ(card.cancel, CancelRule::kNone);
  EXPECT_FALSE(card.can_reverse);
  EXPECT_TRUE(card.can_query);
}

TEST_F(GasBiller, NobodyThereIsNotSent) {
  hosts_.simulator().Do("refuse gas");
  EXPECT_EQ(Pay(), "not sent");
  EXPECT_EQ(Inquire(), "not sent");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Effect(), "none");
  hosts_.simulator().Do("accept gas");
  EXPECT_TRUE(Probe());
  EXPECT_EQ(Pay(), "approved");
}

// What a host may send instead of an answer. The body stands as it would be right but for one thing.
TEST_F(GasBiller, WhatIsNoAnswerToThisIsUnknown) {
  const std::string head = R"(<?xml version="1.0" encoding="GBK"?>)";
  const auto message = [](const std::string& serial, const std::string& body) {
    return "<message><head><service>pay</service><serial>" + serial + "</serial><code>00</code></head><body>" + body +
           "</body></message>";
  };
  const std::string paid =
      "<order>42</order><state>paid</state><amount>175.15</amount><reference>G1</reference><name>\xce\xe2*</name>";
  struct Row {
    std::string label;
    unsigned status;
    std::string body;  // SERIAL stands for the request's serial number
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {"as it should be", 200, head + message("SERIAL", paid), "approved"},
      {"a server's error", 500, head + message("SERIAL", paid), "unknown"},
      {"a gateway's error", 502, "<html>Bad Gateway</html>", "unknown"},
      {"not found", 404, head + message("SERIAL", paid), "unknown"},
      {"nothing", 200, "", "unknown"},
      {"not XML", 200, "OK", "unknown"},
      {"half of it", 200, head + message("SERIAL", paid).substr(0, 150), "unknown"},
      {"another request's", 200, head + message("1", paid), "unknown"},
      {"another order", 200, head + message("SERIAL", "<order>43</order>" + paid.substr(17)), "unknown"},
      {"two orders", 200, head + message("SERIAL", "<order>43</order>" + paid), "unknown"},
      {"another amount", 200,
       head + message("SERIAL", "<order>42</order><state>paid</state><amount>1.00</amount><reference>G1</reference>"),
       "unknown"},
      {"no reference", 200, head + message("SERIAL", "<order>42</order><state>paid</state><amount>175.15</amount>"),
       "unknown"},
      {"still at work", 200,
       head + message("SERIAL", "<order>42</order><state>processing</state><amount>175.15</amount>"), "unknown"},
      {"another encoding", 200, R"(<?xml version="1.0" encoding="UTF-8"?>)" + message("SERIAL", paid), "unknown"},
      {"not GBK", 200, head + message("SERIAL", paid + "<text>\xff\xff</text>"), "unknown"},
      {"a document type", 200, head + "<!DOCTYPE message>" + message("SERIAL", paid), "unknown"},
      {"an entity", 200, head + "<!DOCTYPE m [<!ENTITY a \"paid\">]>" + message("SERIAL", paid), "unknown"},
      {"too large", 200, head + message("SERIAL", paid + "<x>" + std::string(70'000, 'a') + "</x>"), "unknown"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.label);
    AnswerAlways(row.status, row.body);
    EXPECT_EQ(Pay(), row.outcome);
  }
}

// A host that is there comes back into service, whether it knows the echo or not.
TEST_F(GasBiller, AHostThatAnswersIsThere) {
  const auto message = [](const std::string& code) {
    return "<message><head><service>echo</service><serial>SERIAL</serial><code>" + code +
           "</code></head><body/></message>";
  };
  struct Row {
    std::string label;
    unsigned status;
    std::string body;
    bool there;
  };
  const std::vector<Row> rows = {
      {"well", 200, message("00"), true},
      {"it has no echo", 200, message("98"), true},
      {"nor says whose answer it is", 200, "<message><head><code>98</code></head></message>", true},
      {"with a status", 404, message("98"), true},
      {"it can't do its work", 503, message("96"), false},
      {"a gateway's error", 502, "<html>Bad Gateway</html>", false},
      {"a gateway's page", 200, "<html>Welcome</html>", false},
      {"nothing", 200, "", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.label);
    AnswerAlways(row.status, row.body);
    EXPECT_EQ(Probe(), row.there);
  }
}

TEST_F(GasBiller, EveryRequestStandsInTheBooksOnce) {
  Settings settings = hosts_.GasSettings();
  settings["partner"] = "stranger";
  const auto stranger = MakeAdapter("gas_xml", settings);
  Fault("inquire", "decline");
  Fault("query", "cut_unheard");
  EXPECT_EQ(Requests(), "requests=0");
  EXPECT_TRUE(Probe());
  EXPECT_EQ(Requests(), "requests=1");
  EXPECT_EQ(Inquire(), "declined 05");
  EXPECT_EQ(Requests(), "requests=2");
  EXPECT_EQ(Pay(), "approved");
  EXPECT_EQ(Requests(), "requests=3");
  EXPECT_EQ(Query(), "unknown");
  EXPECT_EQ(Requests(), "requests=4");
  EXPECT_EQ(Kind(Await(stranger->Pay(Payment(), In(kPlenty)))), "unknown");
  EXPECT_EQ(Requests(), "requests=5");
}

TEST_F(GasBiller, TheStatementIsInGbk) {
  EXPECT_EQ(Pay(), "approved");
  const core::BusinessDate today = sim::DayInChina(core::SystemClock().Now());
  const absl::StatusOr<std::string> statement = gas::Utf8FromGbk(hosts_.simulator().Statement("gas", today));
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_THAT(*statement, StartsWith(std::to_string(today.number()) + "|1|175.15\n42|G"));
  EXPECT_THAT(*statement, HasSubstr("|12345600|175.15|"));
  EXPECT_THAT(*statement, testing::EndsWith("|缴费成功\n"));
}

TEST(GasBillerTrace, GoesWithEachRequestOfAPayment) {
  boost::asio::io_context io;
  const std::string busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
  ScriptedServer server(io, {{busy}, {busy}, {busy}, {busy}});
  const auto biller = adapters::Create(
      "gas_xml",
      {{"url", "http://127.0.0.1:" + server.port() + "/"}, {"partner", "waystation"}, {"result_codes", kResultCodes}},
      {});
  ASSERT_TRUE(biller.ok()) << biller.status();
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  PaymentRequest payment = MakePayment(42, kNumber, kOwed);
  payment.trace = *core::ParseTraceparent(traceparent);
  AwaitOn(io, (*biller)->Pay(payment, In(kPlenty)));
  AwaitOn(io, (*biller)->Query(payment, In(kPlenty)));
  AwaitOn(io, (*biller)->Inquire({payment.station, kNumber, payment.trace}, In(kPlenty)));
  for (const std::string& request : server.requests()) EXPECT_THAT(request, HasSubstr("traceparent: " + traceparent));
  AwaitOn(io, (*biller)->Probe(In(kPlenty)));
  ASSERT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(server.requests().back().find("traceparent"), std::string::npos) << "a probe is of no trace";
}

}  // namespace
}  // namespace waystation::adapters
