// Many at once: the same request from many connections, and more payments than an account covers.

#include <atomic>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

class Concurrency : public SwitchTest {
 protected:
  void SetUp() override { StartSwitch(); }

  // The answers to the same request from as many connections, all sent at once.
  std::vector<Answer<v1::PayResponse>> PayFromConnections(int connections, const v1::PayRequest& request) {
    std::vector<Answer<v1::PayResponse>> answers(static_cast<size_t>(connections));
    std::vector<std::thread> threads;
    std::atomic<int> ready{0};
    for (Answer<v1::PayResponse>& answer : answers) {
      threads.emplace_back([&, api = process_->Connect()] {
        // Connected and waiting before the first one sends.
        EXPECT_TRUE(api.channel->WaitForConnected(std::chrono::system_clock::now() + kCallLimit));
        ++ready;
        while (ready < connections) std::this_thread::yield();
        answer = Pay(api, request);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return answers;
  }
};

TEST_F(Concurrency, TheSameRequestFromSixtyFourConnectionsIsOnePayment) {
  constexpr int kConnections = 64;
  ASSERT_TRUE(OpenStation(api_, StationNumber(1), 1'000'000).ok());
  // Approved at once; approved after 2 s, so that all wait together; declined; found out only later.
  for (const int ending : {0, 95, 90, 99}) {
    SCOPED_TRACE(ending);
    const v1::PayRequest request = PayRequestFor(StationNumber(1), fmt::format("same-{}", ending), "electricity",
                                                 CustomerNumber("electricity", 1, ending), 10'000);
    const uint64_t before = GetDay(api_).value.last_sequence();
    const std::vector<Answer<v1::PayResponse>> answers = PayFromConnections(kConnections, request);
    const v1::Payment& payment = answers.front().value.payment();
    for (const Answer<v1::PayResponse>& answer : answers) {
      ASSERT_TRUE(answer.ok()) << answer.status.error_message();
      EXPECT_EQ(answer.value.SerializeAsString(), answers.front().value.SerializeAsString());
    }
    EXPECT_EQ(payment.state(), ending == 90 ? v1::PAYMENT_STATE_DECLINED : v1::PAYMENT_STATE_SUCCEEDED);
    // Its own legs, and no others.
    EXPECT_EQ(GetDay(api_).value.last_sequence(), before + static_cast<uint64_t>(payment.history_size()));
  }
  EXPECT_EQ(GetAccount(api_, StationNumber(1)).value.balance_fen(), 1'000'000 - 3 * 10'000);
}

// What each leg left of the station's account.
struct Figures {
  int64_t balance = 0;
  int64_t reserved = 0;
  int64_t forwarded = 0;
  int64_t credit_limit = 0;
  int64_t available() const { return balance + credit_limit - reserved - forwarded; }
};

void ApplyLeg(const journal::v1::Leg& leg, Figures* figures) {
  const journal::v1::AccountAfter* after = nullptr;
  if (leg.has_credit_granted()) {
    figures->credit_limit = leg.credit_granted().credit_limit_fen();
    after = &leg.credit_granted().after();
  }
  if (leg.has_counter_purchased()) after = &leg.counter_purchased().after();
  if (leg.has_payment_accepted()) after = &leg.payment_accepted().after();
  if (leg.has_payment_moved()) after = &leg.payment_moved().after();
  if (after == nullptr) return;
  figures->balance = after->balance_fen();
  figures->reserved = after->reserved_fen();
  figures->forwarded = after->forwarded_fen();
}

TEST_F(Concurrency, PaymentsThatTogetherExceedTheAccountFitItExactly) {
  constexpr int kThreads = 16;
  constexpr int kPaymentsEach = 25;
  constexpr int64_t kAmount = 500;
  constexpr int64_t kBalance = 50'000;
  constexpr int64_t kCredit = 50'000;
  // 400 payments of 5 yuan: twice what balance and credit cover.
  static_assert(kThreads * kPaymentsEach * kAmount == 2 * (kBalance + kCredit));
  const std::string station = StationNumber(1);
  ASSERT_TRUE(OpenStation(api_, station, kBalance).ok());
  v1::GrantCreditRequest credit;
  credit.set_station_id(station);
  credit.set_credit_limit_fen(kCredit);
  ASSERT_TRUE(Call(api_.admin.get(), &v1::AdminService::Stub::GrantCredit, credit).ok());

  std::atomic<int> succeeded{0};
  std::atomic<int> declined{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t, api = process_->Connect()] {
      for (int i = 0; i < kPaymentsEach; ++i) {
        // Some are captured at once, some are forwarded first; in the end all are paid.
        constexpr int kEndings[] = {0, 92, 99, 7};
        const v1::PayRequest request = PayRequestFor(station, fmt::format("r-{}-{}", t, i), "electricity",
                                                     CustomerNumber("electricity", i, kEndings[i % 4]), kAmount);
        const v1::Payment payment = Pay(api, request).value.payment();
        if (payment.state() == v1::PAYMENT_STATE_SUCCEEDED) ++succeeded;
        if (payment.decline().reason() == v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE) ++declined;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(succeeded, (kBalance + kCredit) / kAmount);
  EXPECT_EQ(declined, kThreads * kPaymentsEach - succeeded);
  const v1::Account account = GetAccount(api_, station).value;
  EXPECT_EQ(account.balance_fen(), -kCredit);
  EXPECT_EQ(account.available_fen(), 0);

  ASSERT_TRUE(Stop().ok());
  EXPECT_TRUE(process_->VerifyJournal().ok());
  const absl::StatusOr<std::vector<journal::v1::Leg>> legs = process_->ExportJournal();
  ASSERT_TRUE(legs.ok()) << legs.status();
  Figures figures;
  bool was_full = false;
  uint64_t sequence = 0;
  for (const journal::v1::Leg& leg : *legs) {
    ASSERT_EQ(leg.sequence(), ++sequence);
    ApplyLeg(leg, &figures);
    ASSERT_GE(figures.available(), 0) << leg.ShortDebugString();
    ASSERT_GE(figures.reserved, 0);
    ASSERT_GE(figures.forwarded, 0);
    was_full = was_full || (figures.available() == 0 && figures.credit_limit > 0);
  }
  EXPECT_TRUE(was_full);
}

}  // namespace
}  // namespace waystation::e2e
