// SIGTERM: what is in flight is answered, the exit status is 0, and the next start has nothing to replay.

#include <csignal>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class Shutdown : public SwitchTest {};

// Payments from some threads until the switch stops; each answer is kept.
class Load {
 public:
  Load(const SwitchProcess& process, int threads) {
    for (int t = 0; t < threads; ++t) {
      threads_.emplace_back([this, t, api = process.Connect()] { Run(api, t); });
    }
  }

  void WaitForAnswers(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(answered_.wait_for(lock, kCallLimit, [&] { return answers_.size() >= count; }));
  }

  // After the switch's end: what it answered, by request id.
  const std::map<std::string, v1::Payment>& Join() {
    for (std::thread& thread : threads_) thread.join();
    return answers_;
  }

 private:
  void Run(const Api& api, int thread) {
    for (int i = 0;; ++i) {
      // Every fourth takes 100 ms: some are always with the biller.
      const v1::PayRequest request = PayRequestFor(StationNumber(thread), fmt::format("r{}", i), "mobile",
                                                   CustomerNumber("mobile", i % 1'000, i % 4 == 0 ? 92 : 0), 2'000);
      const Answer<v1::PayResponse> answer = Pay(api, request);
      if (!answer.ok()) {
        // CANCELLED: gRPC's own, for a call that comes in just as the server closes.
        EXPECT_THAT(answer.status.error_code(), AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED))
            << answer.status.error_message();
        return;
      }
      const std::lock_guard lock(mutex_);
      answers_[StationNumber(thread) + request.request_id()] = answer.value.payment();
      answered_.notify_all();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<std::string, v1::Payment> answers_;
};

TEST_F(Shutdown, UnderLoadNothingThatWasAnsweredIsLostAndNothingIsReplayed) {
  constexpr int kThreads = 8;
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  for (int t = 0; t < kThreads; ++t) ASSERT_TRUE(OpenStation(api_, StationNumber(t), 1'000'000'000).ok());
  Load load(*process_, kThreads);
  load.WaitForAnswers(500);
  process_->child().Signal(SIGTERM);
  const std::map<std::string, v1::Payment>& answers = load.Join();
  const absl::Status stopped = process_->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_TRUE(process_->VerifyJournal().ok());

  ASSERT_TRUE(process_->Start().ok());
  EXPECT_THAT(process_->child().Errors(), HasSubstr(" replayed 0 legs "));
  api_ = process_->Connect();
  for (const auto& [key, answered] : answers) {
    const v1::Payment now = GetPayment(api_, answered.payment_id()).value;
    ASSERT_EQ(now.request_id(), answered.request_id());
    ASSERT_GE(now.sequence(), answered.sequence());
    if (answered.state() == v1::PAYMENT_STATE_SUCCEEDED) {
      ASSERT_EQ(now.SerializeAsString(), answered.SerializeAsString());
    }
  }
}

// A payment whose biller stays silent, and a caller who waits for it.
class WaitingCaller {
 public:
  WaitingCaller(const SwitchProcess& process, const std::string& station)
      : thread_([this, station, api = process.Connect()] {
          answer_ = Pay(api, PayRequestFor(station, "silent", "mobile", CustomerNumber("mobile", 1, 96), 5'000));
        }) {}
  const Answer<v1::PayResponse>& Join() {
    thread_.join();
    return answer_;
  }

 private:
  Answer<v1::PayResponse> answer_;
  std::thread thread_;
};

class ShutdownWithSilentBiller : public SwitchTest {
 protected:
  // Starts, has a payment held, and sends SIGTERM; then checks that all ends well.
  void StopWhileHeld(uint32_t time_limit_ms, v1::PaymentState answered_state) {
    SwitchOptions options;
    options.time_limit_ms = time_limit_ms;
    options.first_query_after_ms = 20'000;
    options.longest_interval_ms = 20'000;
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
    ASSERT_TRUE(OpenStation(api_, StationNumber(1), 100'000).ok());
    Watch watch(api_, StationNumber(1), 0);
    WaitingCaller caller(*process_, StationNumber(1));
    const std::optional<v1::PaymentEvent> held = watch.Next();
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(held->payment().state(), v1::PAYMENT_STATE_HELD);

    process_->child().Signal(SIGTERM);
    // Only where the drain is long enough for a test on a busy machine to come in time.
    if (answered_state == v1::PAYMENT_STATE_HELD) ExpectRefusedInWords();
    const absl::Status stopped = process_->Stop();
    const Answer<v1::PayResponse> answer = caller.Join();
    ASSERT_TRUE(stopped.ok()) << stopped;
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.value.payment().state(), answered_state);
    while (watch.Next().has_value()) continue;
    const grpc::Status ended = watch.Finish();
    EXPECT_EQ(ended.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(ended.error_message(), HasSubstr("the switch is shutting down"));

    // The next start finds it out by asking, and never sends it again.
    ASSERT_TRUE(process_->Start().ok());
    EXPECT_THAT(process_->child().Errors(), HasSubstr(" replayed 0 legs "));
    EXPECT_THAT(process_->child().Errors(), HasSubstr(" 1 open payments"));
    const v1::Account account = GetAccount(process_->Connect(), StationNumber(1)).value;
    EXPECT_EQ(account.balance_fen(), 100'000);
    EXPECT_EQ(account.available_fen(), 95'000);
    EXPECT_TRUE(Stop().ok());
    EXPECT_TRUE(process_->VerifyJournal().ok());
  }

 private:
  // While what is in progress is waited for, a new request is told why it is refused. It is of a station that is not
  // there, since the signal may come later than the first of them.
  void ExpectRefusedInWords() {
    const v1::PayRequest request =
        PayRequestFor(StationNumber(2), "late", "mobile", CustomerNumber("mobile", 1, 0), 2'000);
    Answer<v1::PayResponse> answer = Pay(api_, request);
    for (int i = 0; i < 10'000 && answer.status.error_code() != grpc::StatusCode::UNAVAILABLE; ++i) {
      answer = Pay(api_, request);
    }
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(answer.status.error_message(), HasSubstr("the switch is shutting down; nothing was done"));
  }
};

TEST_F(ShutdownWithSilentBiller, ThatIsGivenUpInTimeAnswersUnknown) {
  StopWhileHeld(500, v1::PAYMENT_STATE_UNKNOWN);
}

TEST_F(ShutdownWithSilentBiller, ThatOutlastsTheDrainAnswersHeld) {
  StopWhileHeld(60'000, v1::PAYMENT_STATE_HELD);
}

}  // namespace
}  // namespace waystation::e2e
