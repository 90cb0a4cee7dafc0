#include <memory>
#include <string>
#include <utility>

#include "adapters/alarm.h"
#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/frame.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"

// Requests matched to answers, message by message, without a connection.
namespace waystation::adapters::iso8583 {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr char kTerminal[] = "SWITCH01";

Reply NotSent() {
  Reply reply;
  reply.kind = Reply::Kind::kNotSent;
  return reply;
}

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() {
    auto parts = std::make_shared<LinkParts>();
    parts->file = LoadHost(ElectricityFile());
    parts->mac = *Mac::Make("0123456789abcdef");
    parts->terminal = kTerminal;
    parts_ = std::move(parts);
    exchange_ = std::make_unique<Exchange>(parts_);
    SendAlarmsTo([this](std::string_view, std::string_view text) { alarms_ += std::string(text) + "\n"; });
  }
  ~ExchangeTest() override { SendAlarmsTo({}); }

  static Message Payment() {
    Message message;
    message.set_mti("0200");
    message.Set(3, "500000");
    message.Set(7, "1118110640");
    message.Set(11, "000007");
    message.Set(41, kTerminal);
    return message;
  }
  static Message Answer() {
    Message message = Payment();
    message.set_mti("0210");
    message.Set(39, "00");
    return message;
  }
  // As it comes: without its frame.
  std::string Bytes(Message message, const Mac* mac) const {
    std::string frame;
    const absl::Status packed = PackFrame(parts_->file.specification, mac, &message, &frame);
    EXPECT_TRUE(packed.ok()) << packed;
    std::string_view left = frame;
    std::string_view bytes;
    EXPECT_TRUE(*TakeFrame(parts_->file.specification.frame(), &left, &bytes));
    return std::string(bytes);
  }
  bool Came(const Message& message) { return exchange_->OnMessage(Bytes(message, parts_->mac.get()), &reply_); }
  // With another key's MAC.
  bool CameForged(const Message& message) {
    const std::unique_ptr<Mac> other = *Mac::Make("fedcba9876543210");
    return exchange_->OnMessage(Bytes(message, other.get()), &reply_);
  }
  bool Expect(const std::shared_ptr<Waiter>& waiter) {
    return exchange_->Expect(key_, nullptr, waiter, "", [this](const Message&) { ++late_; });
  }
  static Reply::Kind KindOf(const std::shared_ptr<Waiter>& waiter) {
    return Await(Waiter::Wait(waiter, In(milliseconds(0)))).kind;
  }

  std::shared_ptr<const LinkParts> parts_;
  std::unique_ptr<Exchange> exchange_;
  const MatchKey key_ = KeyOfAnswerTo(Payment());
  std::string reply_;
  std::string alarms_;
  int late_ = 0;
};

TEST_F(ExchangeTest, AnAnswerSettlesItsRequestAndNoOther) {
  const auto waiter = std::make_shared<Waiter>();
  ASSERT_TRUE(Expect(waiter));
  EXPECT_FALSE(Expect(std::make_shared<Waiter>())) << "its key is taken";
  ASSERT_TRUE(waiter->Leave());
  Message other = Answer();
  other.Set(11, "000008");
  EXPECT_FALSE(Came(other));
  EXPECT_TRUE(Came(Answer()));
  EXPECT_EQ(KindOf(waiter), Reply::Kind::kAnswered);
  EXPECT_FALSE(Came(Answer())) << "the second time it is nobody's";
  EXPECT_EQ(late_, 0);
}

TEST_F(ExchangeTest, WhatIsNotSentLeavesAnotherRequestWithItsKeyAlone) {
  const auto earlier = std::make_shared<Waiter>();
  const auto later = std::make_shared<Waiter>();
  ASSERT_TRUE(Expect(later));
  exchange_->NeverSent(key_, earlier.get(), "too many wait");
  EXPECT_EQ(KindOf(earlier), Reply::Kind::kNotSent);
  ASSERT_TRUE(later->Leave());
  EXPECT_TRUE(Came(Answer()));
  EXPECT_EQ(KindOf(later), Reply::Kind::kAnswered);
}

TEST_F(ExchangeTest, WhoHasBeenToldThatItWasNotSentIsNotSentFor) {
  const auto waiter = std::make_shared<Waiter>();
  EXPECT_TRUE(waiter->Leave());
  waiter->Finish(NotSent());
  EXPECT_FALSE(waiter->Leave());
  const auto gone = std::make_shared<Waiter>();
  EXPECT_EQ(KindOf(gone), Reply::Kind::kNotSent);
  EXPECT_FALSE(gone->Leave());
}

TEST_F(ExchangeTest, AForgedAnswerIsUnknownAndDoesNotTakeTheLateOnesPlace) {
  const auto waiter = std::make_shared<Waiter>();
  ASSERT_TRUE(Expect(waiter));
  ASSERT_TRUE(waiter->Leave());
  EXPECT_FALSE(CameForged(Answer()));
  EXPECT_THAT(alarms_, HasSubstr("a message 0210 with a wrong MAC"));
  EXPECT_EQ(KindOf(waiter), Reply::Kind::kUnknown);
  EXPECT_FALSE(CameForged(Answer()));
  EXPECT_EQ(late_, 0);
  EXPECT_TRUE(Came(Answer()));
  EXPECT_EQ(late_, 1);
}

TEST_F(ExchangeTest, AForgedAnswerToWhomHasJustGivenUpDoesNotTakeTheLateOnesPlace) {
  const auto waiter = std::make_shared<Waiter>();
  ASSERT_TRUE(Expect(waiter));
  ASSERT_TRUE(waiter->Leave());
  EXPECT_EQ(KindOf(waiter), Reply::Kind::kUnknown) << "at its deadline";
  EXPECT_FALSE(CameForged(Answer()));
  exchange_->GiveUp(key_, waiter.get());
  EXPECT_TRUE(Came(Answer()));
  EXPECT_EQ(late_, 1);
}

TEST_F(ExchangeTest, TheHostsNetworkRequestIsAnsweredIfItIsTheHosts) {
  Message echo;
  echo.set_mti("0800");
  echo.Set(7, "1118110641");
  echo.Set(11, "000777");
  echo.Set(70, "301");
  EXPECT_FALSE(CameForged(echo));
  EXPECT_EQ(reply_, "");
  EXPECT_FALSE(Came(echo)) << "it answers nothing";
  Message expected = echo;
  expected.set_mti("0810");
  expected.Set(39, "00");
  std::string frame;
  ASSERT_TRUE(PackFrame(parts_->file.specification, parts_->mac.get(), &expected, &frame).ok());
  EXPECT_EQ(reply_, frame);
}

}  // namespace
}  // namespace waystation::adapters::iso8583
