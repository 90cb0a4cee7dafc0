#include <memory>
#include <string>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/iso8583/trace.h"
#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/answered_host.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/late_box.h"
#include "tests/adapters/payment.h"

// What the adapter sends, and what it makes of an answer: against a host that a test answers for, element by element.
namespace waystation::adapters::iso8583 {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr seconds kPatience{60};

class Requests : public testing::Test {
 protected:
  Requests() : biller_(Make({})) {
    SendAlarmsTo([this](std::string_view, std::string_view text) { alarms_ += std::string(text) + "\n"; });
    biller_->ReportLateApprovalsTo(&late_);
  }
  ~Requests() override {
    biller_.reset();
    SendAlarmsTo({});
  }

  std::unique_ptr<BillerAdapter> Make(Settings settings) {
    const Settings usual = {{"specification", ElectricityFile()},
                            {"address", host_.address()},
                            {"terminal", "SWITCH01"},
                            {"acquirer", "4500"},
                            {"stall_limit_ms", "100"}};
    settings.insert(usual.begin(), usual.end());
    auto created = Create("iso8583", settings, {});
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }

  PaymentRequest Payment() const {
    PaymentRequest payment = MakePayment(1'234'567'890'123'456, "1234567800", core::Money::Fen(10'050));
    payment.station = core::StationId::FromNumber(450'000'000'017);
    return payment;
  }
  std::string Private(const Message& message, const Place& place) {
    return std::string(host_.file().dialect.Read(message, place));
  }
  // What Pay makes of the answer that has these private parts and this response code.
  PayOutcome PayAnswered(const std::string& code, const std::string& reference, const std::string& voucher) {
    host_.Answer([=, this](const Message&, Message* answer) {
      const Dialect& dialect = host_.file().dialect;
      answer->Set(39, code);
      if (!reference.empty()) Put(dialect.biller_reference, reference, answer);
      if (!voucher.empty()) Put(dialect.voucher, voucher, answer);
      return true;
    });
    return Await(biller_->Pay(Payment(), In(kPatience)));
  }
  void Put(const Place& place, const std::string& value, Message* message) {
    const absl::Status written = host_.file().dialect.Write(place, value, message);
    EXPECT_TRUE(written.ok()) << written;
  }
  // The answer to a payment that nobody waits for any more, with this response code and voucher.
  void AnswerLate(const std::string& code, const std::string& voucher) {
    host_.Answer([](const Message&, Message*) { return false; });
    ASSERT_EQ(Kind(Await(biller_->Pay(Payment(), In(milliseconds(300))))), "unknown");
    Message late = host_.Requests().back();
    late.set_mti("0210");
    late.Set(39, code);
    Put(host_.file().dialect.biller_reference, "E1", &late);
    if (!voucher.empty()) Put(host_.file().dialect.voucher, voucher, &late);
    host_.SendAlong(late);
    // Comes after it.
    ASSERT_TRUE(Await(biller_->Probe(In(kPatience))));
  }

  std::string alarms_;
  LateBox late_;
  AnsweredHost host_;
  std::unique_ptr<BillerAdapter> biller_;
};

TEST_F(Requests, APaymentHasAllThatTheHostNeeds) {
  ASSERT_EQ(Kind(PayAnswered("00", "E1", "12345678901234567890")), "approved");
  const Message request = host_.Requests().at(0);
  const Dialect& dialect = host_.file().dialect;
  EXPECT_EQ(request.mti(), "0200");
  EXPECT_EQ(request.Get(3), "500000");
  EXPECT_EQ(request.Get(4), "000000010050");
  // 2026-11-18T11:06:40Z, when it was accepted, and a trace number that follows from the id.
  EXPECT_EQ(request.Get(7), "1118110640") << TransmissionTime(Payment().accepted_at);
  EXPECT_EQ(request.Get(11), TraceText(1'234'567'890'123'456 % 333'333 * 3 + 1));
  EXPECT_EQ(request.Get(12), "190640");
  EXPECT_EQ(request.Get(13), "1118");
  EXPECT_EQ(request.Get(32), "4500");
  EXPECT_EQ(request.Get(41), "SWITCH01");
  EXPECT_EQ(request.Get(42), "450000000017   ");
  EXPECT_EQ(request.Get(49), "156");
  EXPECT_EQ(request.Get(102), "1234567800");
  EXPECT_EQ(Private(request, dialect.our_reference), "1234567890123456");
  EXPECT_FALSE(request.Has(90));
}

TEST_F(Requests, ReversalAdviceNamesTheOriginalAndIsRepeatedAs0421) {
  PaymentRequest payment = Payment();
  EXPECT_EQ(Kind(Await(biller_->Reverse(payment, In(kPatience)))), "taken back");
  payment.earlier_attempts = 1;
  EXPECT_EQ(Kind(Await(biller_->Reverse(payment, In(kPatience)))), "taken back");
  const std::vector<Message> requests = host_.Requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].mti(), "0420");
  EXPECT_EQ(requests[1].mti(), "0421");
  for (const Message& request : requests) {
    EXPECT_EQ(request.Get(3), "500000");
    EXPECT_EQ(request.Get(90), "0200" + TraceText(1'234'567'890'123'456 % 333'333 * 3 + 1) + "1118110640" +
                                   "00000004500" + "00000000000");
    EXPECT_EQ(Private(request, host_.file().dialect.our_reference), "1234567890123456");
  }
  // Nothing but the type differs, so that the host knows the second for the first.
  Message first = requests[0];
  first.set_mti("0421");
  EXPECT_EQ(first, requests[1]);
}

TEST(Trace, PaymentsAdviceAndAllElseHaveNumbersOfTheirOwn) {
  for (const uint64_t number : {0ull, 1ull, 333'332ull, 333'333ull, 9'999'999'999'999'999ull}) {
    const core::PaymentId id = core::PaymentId::FromNumber(number);
    const uint32_t payment = TraceOfPayment(id);
    const uint32_t advice = TraceOfAdvice(id);
    const uint32_t other = TraceOfOther(static_cast<uint32_t>(number));
    EXPECT_EQ(payment % 3, 1u);
    EXPECT_EQ(advice % 3, 2u);
    EXPECT_EQ(other % 3, 0u);
    for (const uint32_t trace : {payment, advice, other}) {
      EXPECT_TRUE(trace >= 1 && trace <= kTraceNumbers) << trace;
      EXPECT_EQ(NextTrace(trace) % 3, trace % 3) << trace;
    }
  }
  EXPECT_EQ(TraceOfOther(333'332), kTraceNumbers);
  EXPECT_EQ(NextTrace(kTraceNumbers), 3u);
  EXPECT_EQ(TraceOfPayment(core::PaymentId::FromNumber(333'333)), TraceOfPayment(core::PaymentId::FromNumber(0)));
}

TEST_F(Requests, TheHostsOwnNetworkRequestIsAnswered) {
  Message echo;
  echo.set_mti("0800");
  echo.Set(7, "1118110641");
  echo.Set(11, "000777");
  echo.Set(70, "301");
  host_.SendAlong(echo);
  ASSERT_TRUE(Await(biller_->Probe(In(kPatience))));
  Message expected = echo;
  expected.set_mti("0810");
  expected.Set(39, "00");
  EXPECT_EQ(host_.FirstNetworkAnswer(), expected);
}

TEST_F(Requests, AHostThatOnlySignsOnIsLeftAloneForLongerAndLonger) {
  host_.DropAfterSignOn();
  const auto biller = Make({{"least_backoff_ms", "1"}, {"most_backoff_ms", "3600000"}});
  std::string outcome;
  while (!outcome.ends_with("the next attempt is within 64 ms")) {
    outcome = Text(Await(biller->Pay(Payment(), In(kPatience))));
    ASSERT_THAT(outcome, testing::AnyOf(testing::StartsWith("not sent: "), testing::StartsWith("unknown: ")));
  }
}

TEST_F(Requests, AHostWhoseNameIsNotFoundIsSentNothing) {
  const auto biller = Make({{"address", "no-such-host.invalid:1"}, {"connect_timeout_ms", "500"}});
  EXPECT_THAT(Text(Await(biller->Pay(Payment(), In(kPatience)))),
              testing::StartsWith("not sent: no connection to no-such-host.invalid:1: "));
  const std::string address = host_.address();
  EXPECT_TRUE(Await(Make({{"address", "localhost" + address.substr(address.find(':'))}})->Probe(In(kPatience))));
}

TEST_F(Requests, ACancelHasTheBillersReference) {
  PaymentRequest payment = Payment();
  payment.biller_reference = "E0001";
  EXPECT_EQ(Kind(Await(biller_->Cancel(payment, In(kPatience)))), "taken back");
  const Message request = host_.Requests().at(0);
  EXPECT_EQ(request.mti(), "0200");
  EXPECT_EQ(request.Get(3), "200000");
  EXPECT_EQ(Private(request, host_.file().dialect.biller_reference), "E0001");
  EXPECT_TRUE(request.Has(90));
}

TEST_F(Requests, OnlyAWholeApprovalIsOne) {
  const std::string voucher = "12345678901234567890";
  EXPECT_EQ(Text(PayAnswered("00", "E1", voucher)), "approved reference E1 voucher " + voucher + " name ");
  EXPECT_EQ(Kind(PayAnswered("00", "E1", "")), "unknown");
  EXPECT_EQ(Kind(PayAnswered("00", "", voucher)), "unknown");
  EXPECT_EQ(Kind(PayAnswered("00", std::string(65, 'E'), voucher)), "unknown");
  const auto without = [&](int element) {
    host_.Answer([=, this](const Message&, Message* answer) {
      answer->Clear(element);
      Put(host_.file().dialect.biller_reference, "E1", answer);
      Put(host_.file().dialect.voucher, voucher, answer);
      return true;
    });
    return Text(Await(biller_->Pay(Payment(), In(kPatience))));
  };
  EXPECT_THAT(without(102), testing::StartsWith("approved"));
  EXPECT_THAT(without(4), testing::EndsWith("was approved without an amount; expected 10050 fen"));
  EXPECT_THAT(without(48), testing::EndsWith("with our reference \"\"; expected 1234567890123456"));
}

TEST_F(Requests, ALateAnswerIsUsedWhenItIsAWholeApproval) {
  ASSERT_NO_FATAL_FAILURE(AnswerLate("14", ""));
  EXPECT_EQ(alarms_, "") << "a query has a late decline";
  ASSERT_NO_FATAL_FAILURE(AnswerLate("00", ""));
  EXPECT_EQ(alarms_, "payment 1234567890123456 was approved with a voucher of 0 bytes; expected 1 .. 64\n");
  EXPECT_EQ(late_.count(), 0u);
  ASSERT_NO_FATAL_FAILURE(AnswerLate("00", "12345678901234567890"));
  EXPECT_EQ(late_.First().payment, Payment().payment_id);
}

TEST_F(Requests, OnlyACodeOfTheTableIsADecline) {
  EXPECT_EQ(Text(PayAnswered("14", "", "")), "declined 14: no such account");
  for (const std::string code : {"91", "96", "99", "ZZ", "30", "1 ", "  "}) {
    EXPECT_EQ(Text(PayAnswered(code, "", "")), "unknown: response code " + code + " to the payment does not settle it");
  }
  host_.Answer([](const Message&, Message* answer) {
    answer->Clear(39);
    return true;
  });
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(kPatience)))),
            "unknown: the answer to the payment has no response code (element 39)");
  // Codes of other operations' tables are none of this one's.
  EXPECT_EQ(Kind(PayAnswered("25", "", "")), "unknown");
  EXPECT_EQ(Kind(PayAnswered("61", "", "")), "unknown");
}

TEST_F(Requests, AnApprovalOfAnotherAmountSettlesNothing) {
  host_.Answer([this](const Message&, Message* answer) {
    const Dialect& dialect = host_.file().dialect;
    answer->Set(4, "000000010051");
    Put(dialect.biller_reference, "E1", answer);
    Put(dialect.voucher, "12345678901234567890", answer);
    return true;
  });
  EXPECT_THAT(Text(Await(biller_->Pay(Payment(), In(kPatience)))),
              HasSubstr("was approved with the amount 000000010051; expected 10050 fen"));
}

TEST_F(Requests, AnAnswerForAnotherTerminalOrAboutAnotherPaymentIsNotThisOnes) {
  host_.Answer([](const Message&, Message* answer) {
    answer->Set(41, "SWITCH02");
    return true;
  });
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(milliseconds(300))))), "unknown: no answer by the deadline");
  host_.Answer([this](const Message&, Message* answer) {
    answer->Clear(48);
    Put(host_.file().dialect.our_reference, "1", answer);
    return true;
  });
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(milliseconds(300))))), "unknown: no answer by the deadline");
}

TEST_F(Requests, AQueryIsAnsweredByTheTableOfTheQueryAndTheOriginalByThatOfThePayment) {
  const auto query = [this](const std::string& code, const std::string& original) {
    host_.Answer([=, this](const Message&, Message* answer) {
      const Dialect& dialect = host_.file().dialect;
      answer->Set(39, code);
      if (!original.empty()) Put(dialect.original_code, original, answer);
      return true;
    });
    return Kind(Await(biller_->Query(Payment(), In(kPatience))));
  };
  EXPECT_EQ(query("25", ""), "never received");
  EXPECT_EQ(query("00", "14"), "declined 14");
  EXPECT_EQ(query("00", "96"), "unknown");
  EXPECT_EQ(query("00", ""), "unknown");
  EXPECT_EQ(query("14", "00"), "unknown");
  EXPECT_EQ(query("00", "00"), "unknown") << "approved, but without reference and voucher";
}

TEST_F(Requests, AnAnswerThatStopsInTheMiddleEndsTheConnection) {
  ASSERT_EQ(Kind(PayAnswered("14", "", "")), "declined 14");
  host_.AnswerByHalves();
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(kPatience)))), "unknown: a message stopped in the middle");
}

TEST_F(Requests, ThousandsAreUnderWayAtOnceOverOneConnection) {
  host_.Answer([this](const Message& request, Message* answer) {
    const Dialect& dialect = host_.file().dialect;
    Put(dialect.biller_reference, "E" + std::string(dialect.Read(request, dialect.our_reference)), answer);
    Put(dialect.voucher, "12345678901234567890", answer);
    return true;
  });
  constexpr uint64_t kPayments = 4'000;
  asio::io_context io;
  uint64_t approved = 0;
  for (uint64_t id = 1; id <= kPayments; ++id) {
    PaymentRequest payment = Payment();
    payment.payment_id = core::PaymentId::FromNumber(id);
    asio::co_spawn(io, biller_->Pay(payment, In(kPatience)), [&, id](std::exception_ptr, const PayOutcome& outcome) {
      const auto* is = std::get_if<Approved>(&outcome);
      if (is != nullptr && is->biller_reference == "E" + std::to_string(id)) ++approved;
    });
  }
  io.run();
  EXPECT_EQ(approved, kPayments);
}

std::string SettingsFault(Settings settings) {
  const Settings good = {{"specification", ElectricityFile()}, {"address", "127.0.0.1:7501"}, {"terminal", "SWITCH01"}};
  settings.insert(good.begin(), good.end());
  for (auto setting = settings.begin(); setting != settings.end();) {
    setting = setting->second == "none" ? settings.erase(setting) : std::next(setting);
  }
  return std::string(Create("iso8583", settings, {}).status().message());
}

TEST(Iso8583Settings, FaultsNameTheSetting) {
  EXPECT_THAT(SettingsFault({}), IsEmpty());
  EXPECT_THAT(SettingsFault({{"specification", "none"}}), HasSubstr("settings.specification: missing"));
  EXPECT_THAT(SettingsFault({{"specification", "no_such_file.json"}}),
              HasSubstr("settings.specification: no_such_file.json: cannot be read"));
  for (const std::string address :
       {"localhost", ":1", "localhost:", "localhost:65536", "localhost:0", "localhost:1x"}) {
    EXPECT_EQ(SettingsFault({{"address", address}}),
              "settings.address: \"" + address + "\" is not understood; expected HOST:PORT");
  }
  EXPECT_THAT(SettingsFault({{"terminal", "SHORT"}}), HasSubstr("settings.terminal: \"SHORT\"; expected 8 characters"));
  EXPECT_THAT(SettingsFault({{"acquirer", "45x"}}),
              HasSubstr("settings.acquirer: \"45x\"; expected at most 11 digits"));
  EXPECT_THAT(SettingsFault({{"mac_key_file", "no_such_key"}}),
              HasSubstr("settings.mac_key_file: no_such_key cannot be read"));
  EXPECT_THAT(SettingsFault({{"connections", "17"}}), HasSubstr("settings.connections: 17 is out of range"));
  EXPECT_THAT(SettingsFault({{"most_backoff_ms", "50"}}), HasSubstr("settings.most_backoff_ms: less than"));
  EXPECT_THAT(SettingsFault({{"speed", "fast"}}), HasSubstr("settings.speed: unknown setting; expected one of"));
}

}  // namespace
}  // namespace waystation::adapters::iso8583
