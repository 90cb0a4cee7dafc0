#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/trace.h"
#include "adapters/iso8583/wire.h"
#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/payment.h"

// What the adapter sends, and what it makes of an answer: against a host that a test answers for, element by element.
namespace waystation::adapters::iso8583 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr seconds kPatience{60};

// Takes one connection after another, keeps what comes, and answers as the test says.
class AnsweredHost {
 public:
  // Makes the answer to a request out of an echo of it; false: none is sent.
  using AnswerBy = std::function<bool(const Message& request, Message* answer)>;

  AnsweredHost()
      : file_(LoadHost(ElectricityFile())), acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(io_, Accept(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~AnsweredHost() {
    io_.stop();
    thread_.join();
  }
  AnsweredHost(const AnsweredHost&) = delete;
  AnsweredHost& operator=(const AnsweredHost&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  const HostFile& file() const { return file_; }
  void Answer(AnswerBy answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  // From here on only the first half of each answer is sent.
  void AnswerByHalves() {
    const std::lock_guard lock(mutex_);
    by_halves_ = true;
  }
  // All requests but sign-on and echo tests.
  std::vector<Message> Requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  asio::awaitable<void> Accept() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      auto wire = std::make_shared<Wire>(std::move(socket), file_.specification.frame(), kPatience);
      auto out = std::make_shared<std::string>();
      wire->Start({.fill = [out](std::string* to) { to->append(std::exchange(*out, "")); },
                   .message =
                       [this, out, kept = std::weak_ptr<Wire>(wire)](std::string_view bytes) {
                         OnMessage(bytes, out.get());
                         kept.lock()->Kick();
                       },
                   .ended = [](const std::string&) {}});
    }
  }

  void OnMessage(std::string_view bytes, std::string* out) {
    const std::lock_guard lock(mutex_);
    Message request;
    ASSERT_TRUE(Unpack(file_.specification, bytes, &request).ok());
    Message answer = request;
    std::string mti(request.mti());
    mti[2] = static_cast<char>(mti[2] + 1);
    mti[3] = '0';
    answer.set_mti(mti);
    answer.Clear(90);
    answer.Set(39, "00");
    bool send = true;
    if (request.mti() != "0800") {
      requests_.push_back(request);
      send = answer_(request, &answer);
    }
    if (send) {
      ASSERT_TRUE(PackFrame(file_.specification, nullptr, &answer, out).ok());
      if (by_halves_) out->resize(out->size() / 2);
    }
  }

  const HostFile file_;
  std::mutex mutex_;
  AnswerBy answer_ = [](const Message&, Message*) { return true; };
  std::vector<Message> requests_;
  bool by_halves_ = false;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

class Requests : public testing::Test {
 protected:
  Requests() {
    auto created = Create("iso8583",
                          {{"specification", ElectricityFile()},
                           {"address", host_.address()},
                           {"terminal", "SWITCH01"},
                           {"acquirer", "4500"},
                           {"stall_limit_ms", "100"}},
                          {});
    EXPECT_TRUE(created.ok()) << created.status();
    biller_ = *std::move(created);
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
      if (!reference.empty()) dialect.Write(dialect.biller_reference, reference, answer);
      if (!voucher.empty()) dialect.Write(dialect.voucher, voucher, answer);
      return true;
    });
    return Await(biller_->Pay(Payment(), In(kPatience)));
  }

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
  EXPECT_EQ(request.Get(11), TraceText(1'234'567'890'123'456 % 999'999 + 1));
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
    EXPECT_EQ(request.Get(90),
              "0200" + TraceText(1'234'567'890'123'456 % 999'999 + 1) + "1118110640" + "00000004500" + "00000000000");
    EXPECT_EQ(Private(request, host_.file().dialect.our_reference), "1234567890123456");
  }
  EXPECT_NE(requests[0].Get(11), requests[1].Get(11));
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
    dialect.Write(dialect.biller_reference, "E1", answer);
    dialect.Write(dialect.voucher, "12345678901234567890", answer);
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
    host_.file().dialect.Write(host_.file().dialect.our_reference, "1", answer);
    return true;
  });
  EXPECT_EQ(Text(Await(biller_->Pay(Payment(), In(milliseconds(300))))), "unknown: no answer by the deadline");
}

TEST_F(Requests, AQueryIsAnsweredByTheTableOfTheQueryAndTheOriginalByThatOfThePayment) {
  const auto query = [this](const std::string& code, const std::string& original) {
    host_.Answer([=, this](const Message&, Message* answer) {
      const Dialect& dialect = host_.file().dialect;
      answer->Set(39, code);
      if (!original.empty()) dialect.Write(dialect.original_code, original, answer);
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
    dialect.Write(dialect.biller_reference, "E" + std::string(dialect.Read(request, dialect.our_reference)), answer);
    dialect.Write(dialect.voucher, "12345678901234567890", answer);
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
