// PayStream: the payments of many stations over one call, each with the results of Pay.

#include <csignal>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kAmountFen = 2'000;
constexpr int kMostAMessage = static_cast<int>(core::kMaxPaymentsPerMessage);

// The tag is in the request id too.
v1::PayRequest Request(int station, uint64_t tag, int ending) {
  return PayRequestFor(StationNumber(station), fmt::format("stream-{}", tag), "mobile",
                       CustomerNumber("mobile", static_cast<int>(tag) % 1'000, ending), kAmountFen);
}

void Add(uint64_t tag, const v1::PayRequest& request, v1::PayStreamRequest* message) {
  v1::TaggedPayRequest& payment = *message->add_payments();
  payment.set_tag(tag);
  *payment.mutable_request() = request;
}

// One PayStream from the caller's side.
class Stream {
 public:
  explicit Stream(const Api& api) {
    context_.set_deadline(std::chrono::system_clock::now() + kCallLimit);
    stream_ = api.payments->PayStream(&context_);
  }
  ~Stream() {
    if (stream_ == nullptr) return;
    context_.TryCancel();
    Finish();
  }

  bool Send(const v1::PayStreamRequest& message) { return stream_->Write(message); }
  bool Send(uint64_t tag, const v1::PayRequest& request) {
    v1::PayStreamRequest message;
    Add(tag, request, &message);
    return Send(message);
  }
  void CloseMySide() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }

  // Null: the stream has ended.
  std::optional<v1::TaggedPayResult> Next() {
    if (next_ == message_.results_size()) {
      next_ = 0;
      if (!stream_->Read(&message_)) return std::nullopt;
      EXPECT_GE(message_.results_size(), 1);
      EXPECT_LE(message_.results_size(), kMostAMessage);
    }
    return message_.results(next_++);
  }

  // Up to the end of the stream, which has one for each tag.
  std::map<uint64_t, v1::TaggedPayResult> Rest() {
    std::map<uint64_t, v1::TaggedPayResult> results;
    while (std::optional<v1::TaggedPayResult> result = Next()) {
      EXPECT_TRUE(results.emplace(result->tag(), *result).second) << "twice: " << result->tag();
    }
    return results;
  }

  grpc::Status Finish() {
    const grpc::Status status = stream_->Finish();
    stream_.reset();
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PayStreamRequest, v1::PayStreamResponse>> stream_;
  v1::PayStreamResponse message_;
  int next_ = 0;
};

class PayStreamTest : public SwitchTest {
 protected:
  static constexpr int64_t kMoneyFen = 1'000'000'000;

  void SetUp() override { Open({}); }

  void Open(const SwitchOptions& options) {
    StartSwitch(options);
    for (int station = 1; station <= 3; ++station) {
      ASSERT_TRUE(OpenStation(api_, StationNumber(station), kMoneyFen).ok());
    }
  }
};

TEST_F(PayStreamTest, EachPaymentIsAnsweredOnceAndPaidOnce) {
  constexpr int kMessages = 9;
  Stream stream(api_);
  uint64_t tag = 0;
  for (int m = 0; m < kMessages; ++m) {
    v1::PayStreamRequest message;
    for (int i = 0; i < 100; ++i, ++tag) Add(tag, Request(1 + static_cast<int>(tag) % 3, tag, 0), &message);
    ASSERT_TRUE(stream.Send(message));
  }
  stream.CloseMySide();
  const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(results.size(), tag);
  for (const auto& [of, result] : results) {
    EXPECT_EQ(result.payment().request_id(), fmt::format("stream-{}", of));
    EXPECT_EQ(result.payment().station_id(), StationNumber(1 + static_cast<int>(of) % 3));
    EXPECT_EQ(result.payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  }
  for (int station = 1; station <= 3; ++station) {
    EXPECT_EQ(GetAccount(api_, StationNumber(station)).value.balance_fen(), kMoneyFen - 300 * kAmountFen);
  }
}

TEST_F(PayStreamTest, AnswersComeInAnyOrderAndTheEndWaitsForAll) {
  Stream stream(api_);
  // The sandbox's answer to the first comes 2 s later.
  ASSERT_TRUE(stream.Send(1, Request(1, 1, 95)));
  ASSERT_TRUE(stream.Send(2, Request(1, 2, 0)));
  stream.CloseMySide();
  EXPECT_EQ(stream.Next()->tag(), 2u);
  const std::optional<v1::TaggedPayResult> slow = stream.Next();
  ASSERT_TRUE(slow.has_value());
  EXPECT_EQ(slow->tag(), 1u);
  EXPECT_EQ(slow->payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_FALSE(stream.Next().has_value());
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(PayStreamTest, IsIdempotentWithItselfAndWithPay) {
  const Answer<v1::PayResponse> first = Pay(api_, Request(1, 7, 0));
  ASSERT_TRUE(first.ok());
  Stream stream(api_);
  v1::PayStreamRequest message;
  Add(1, Request(1, 7, 0), &message);
  Add(2, Request(1, 8, 0), &message);
  Add(3, Request(1, 8, 0), &message);
  ASSERT_TRUE(stream.Send(message));
  stream.CloseMySide();
  const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results.at(1).payment().SerializeAsString(), first.value.payment().SerializeAsString());
  EXPECT_EQ(results.at(2).payment().SerializeAsString(), results.at(3).payment().SerializeAsString());
  EXPECT_EQ(Pay(api_, Request(1, 8, 0)).value.payment().SerializeAsString(),
            results.at(2).payment().SerializeAsString());
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.balance_fen(), kMoneyFen - 2 * kAmountFen);
}

TEST_F(PayStreamTest, ARefusalIsOfOnePaymentAlone) {
  const v1::PayRequest good = Request(1, 1, 0);
  v1::PayRequest other = good;
  other.set_amount_fen(3'000);
  v1::PayRequest stranger = Request(1, 3, 0);
  stranger.set_station_id(StationNumber(99));
  v1::PayRequest shapeless = Request(1, 4, 0);
  shapeless.set_amount_fen(0);
  v1::PayStreamRequest message;
  Add(1, good, &message);
  Add(2, other, &message);
  Add(3, stranger, &message);
  Add(4, shapeless, &message);
  Add(5, Request(1, 5, 90), &message);
  message.add_payments()->set_tag(6);
  Stream stream(api_);
  // Before the others, so that the second is a repeat of it.
  ASSERT_TRUE(stream.Send(1'000, good));
  ASSERT_EQ(stream.Next()->tag(), 1'000u);
  ASSERT_TRUE(stream.Send(message));
  stream.CloseMySide();
  const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
  EXPECT_TRUE(stream.Finish().ok());
  ASSERT_EQ(results.size(), 6u);
  EXPECT_EQ(results.at(1).payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(results.at(2).refusal().code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(results.at(3).refusal().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(results.at(4).refusal().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(results.at(4).refusal().message(), StartsWith("amount_fen: "));
  EXPECT_EQ(results.at(5).payment().state(), v1::PAYMENT_STATE_DECLINED);
  EXPECT_EQ(results.at(6).refusal().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(results.at(6).refusal().message(), StartsWith("station_id: "));
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.balance_fen(), kMoneyFen - kAmountFen);
}

TEST_F(PayStreamTest, AMessageThatIsNoneEndsItOnceWhatCameBeforeIsAnswered) {
  v1::PayStreamRequest too_many;
  for (int i = 0; i <= kMostAMessage; ++i) Add(static_cast<uint64_t>(i), Request(1, 2, 0), &too_many);
  v1::PayStreamRequest not_utf8;
  Add(2, Request(1, 2, 0), &not_utf8);
  not_utf8.mutable_payments(0)->mutable_request()->set_operator_id("\xff");
  const std::vector<std::pair<v1::PayStreamRequest, const char*>> messages = {
      {v1::PayStreamRequest(), "payments: 0 in a message; expected 1 to 256"},
      {too_many, "payments: 257 in a message; expected 1 to 256"},
      {not_utf8, "is not valid UTF-8"}};
  for (const auto& [message, fault] : messages) {
    SCOPED_TRACE(fault);
    Stream stream(api_);
    // Takes 100 ms, so that it is still with the biller.
    ASSERT_TRUE(stream.Send(1, Request(1, 1, 92)));
    ASSERT_TRUE(stream.Send(message));
    const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
    EXPECT_EQ(results.size(), 1u);
    const grpc::Status status = stream.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(fault));
  }
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.balance_fen(), kMoneyFen - kAmountFen);
}

TEST_F(PayStreamTest, WhatACutStreamHadIsPaidOnceWhenItIsSentAgain) {
  constexpr uint64_t kPayments = 200;
  v1::PayStreamRequest message;
  for (uint64_t tag = 0; tag < kPayments; ++tag) Add(tag, Request(1, tag, tag % 2 == 0 ? 0 : 92), &message);
  {
    Stream stream(api_);
    ASSERT_TRUE(stream.Send(message));
    ASSERT_TRUE(stream.Next().has_value());
    stream.Cancel();
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  Stream again(api_);
  ASSERT_TRUE(again.Send(message));
  again.CloseMySide();
  const std::map<uint64_t, v1::TaggedPayResult> results = again.Rest();
  EXPECT_EQ(results.size(), kPayments);
  for (const auto& [tag, result] : results) EXPECT_EQ(result.payment().state(), v1::PAYMENT_STATE_SUCCEEDED) << tag;
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.balance_fen(),
            kMoneyFen - static_cast<int64_t>(kPayments) * kAmountFen);
}

// Long payments that are refused for their shape: answered at once, and no biller's bounds are in the way.
TEST_F(PayStreamTest, ACallerThatDoesNotReadIsHeldUp) {
  constexpr uint64_t kPayments = 40'000;
  constexpr int kAMessage = 160;
  v1::PayRequest request = Request(1, 1, 0);
  request.set_amount_fen(0);
  request.set_inquiry_token(std::string(256, 'x'));
  std::atomic<uint64_t> sent{0};
  // A caller whose window for answers stays at 64 KiB, however fast they come.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  Api narrow;
  narrow.payments = v1::PaymentService::NewStub(
      grpc::CreateCustomChannel(process_->address(), grpc::InsecureChannelCredentials(), arguments));
  Stream stream(narrow);
  std::thread sender([&] {
    for (uint64_t tag = 0; tag < kPayments;) {
      v1::PayStreamRequest message;
      for (int i = 0; i < kAMessage; ++i) Add(tag++, request, &message);
      if (!stream.Send(message)) return;
      sent = tag;
    }
    stream.CloseMySide();
  });
  // Until nothing more could be sent while so many reads were answered; a switch that held nothing up would take all.
  for (uint64_t before = 0, unchanged = 0; unchanged < 500 && sent < kPayments;) {
    ASSERT_TRUE(GetDay(api_).ok());
    const uint64_t now = sent;
    unchanged = now == before && now >= core::kMaxPayStreamBacklog ? unchanged + 1 : 0;
    before = now;
  }
  EXPECT_LT(sent, kPayments);
  const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
  sender.join();
  EXPECT_EQ(results.size(), kPayments);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(PayStreamTest, OneStreamTooManyIsRefusedUntilAnotherEnds) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (size_t i = 0; i < core::kMaxPayStreams; ++i) {
    streams.push_back(std::make_unique<Stream>(api_));
    ASSERT_TRUE(streams.back()->Send(i, Request(1, i, 0)));
    ASSERT_TRUE(streams.back()->Next().has_value());
  }
  Stream refused(api_);
  EXPECT_FALSE(refused.Next().has_value());
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  streams.pop_back();
  // The switch may hear of the end a little later than its caller.
  for (bool taken = false; !taken;) {
    Stream next(api_);
    next.Send(1'000, Request(1, 1'000, 0));
    taken = next.Next().has_value();
    if (taken) break;
    ASSERT_EQ(next.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
}

void ExpectShutDown(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the switch is shutting down"));
}

TEST_F(PayStreamTest, ASwitchThatStopsAnswersWhatItTook) {
  Stream stream(api_);
  ASSERT_TRUE(stream.Send(1, Request(1, 1, 95)));
  ASSERT_TRUE(stream.Send(2, Request(1, 2, 0)));
  ASSERT_EQ(stream.Next()->tag(), 2u);
  process_->child().Signal(SIGTERM);
  const std::optional<v1::TaggedPayResult> slow = stream.Next();
  ASSERT_TRUE(slow.has_value());
  EXPECT_EQ(slow->tag(), 1u);
  EXPECT_EQ(slow->payment().state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_FALSE(stream.Next().has_value());
  ExpectShutDown(stream.Finish());
  EXPECT_TRUE(Stop().ok());
}

TEST_F(PayStreamTest, ASwitchThatStopsEndsTheStreamsOnWhichNothingComes) {
  Stream never_used(api_);
  Stream idle(api_);
  ASSERT_TRUE(idle.Send(1, Request(1, 1, 0)));
  ASSERT_EQ(idle.Next()->tag(), 1u);
  process_->child().Signal(SIGTERM);
  for (Stream* stream : {&never_used, &idle}) {
    EXPECT_FALSE(stream->Next().has_value());
    ExpectShutDown(stream->Finish());
  }
  EXPECT_TRUE(Stop().ok());
}

class OverloadTest : public PayStreamTest {
 protected:
  static constexpr uint32_t kMost = 3;

  void SetUp() override {
    SwitchOptions options;
    options.max_in_progress = kMost;
    Open(options);
  }
};

TEST_F(OverloadTest, WhatIsTooMuchIsRefusedAtOnceAndInquiriesAreAnswered) {
  constexpr uint64_t kPayments = 10;
  Stream stream(api_);
  // The sandbox's answers come 2 s later.
  v1::PayStreamRequest message;
  for (uint64_t tag = 0; tag < kPayments; ++tag) Add(tag, Request(1, tag, 95), &message);
  ASSERT_TRUE(stream.Send(message));
  for (uint64_t tag = kMost; tag < kPayments; ++tag) {
    const std::optional<v1::TaggedPayResult> refused = stream.Next();
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->tag(), tag);
    EXPECT_EQ(refused->refusal().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(refused->refusal().message(), HasSubstr("nothing was done: send the same request again"));
  }
  EXPECT_EQ(Pay(api_, Request(1, kPayments, 0)).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Inquire(api_, StationNumber(1), "mobile", CustomerNumber("mobile", 1, 0)).ok());
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.reserved_fen(), kMost * kAmountFen);
  stream.CloseMySide();
  const std::map<uint64_t, v1::TaggedPayResult> results = stream.Rest();
  EXPECT_TRUE(stream.Finish().ok());
  ASSERT_EQ(results.size(), kMost);
  for (uint64_t tag = 0; tag < kMost; ++tag) {
    EXPECT_EQ(results.at(tag).payment().state(), v1::PAYMENT_STATE_SUCCEEDED) << tag;
  }
  EXPECT_TRUE(Pay(api_, Request(1, kMost, 0)).ok());
}

}  // namespace
}  // namespace waystation::e2e
