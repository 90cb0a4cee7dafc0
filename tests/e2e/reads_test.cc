// Lists and streams: pages, days, resuming, restarts.

#include <csignal>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class Reads : public SwitchTest {
 protected:
  // Pays for electricity; the customer's ending says what becomes of it.
  v1::Payment PayWithEnding(int ending) {
    const std::string id = fmt::format("r{}", paid_++);
    return Pay(api_, PayRequestFor(station_, id, "electricity", CustomerNumber("electricity", 1, ending), 1'000))
        .value.payment();
  }

  // All pages of a list.
  std::vector<v1::Payment> List(v1::ListPaymentsRequest request) {
    std::vector<v1::Payment> payments;
    do {
      const Answer<v1::ListPaymentsResponse> page =
          Call(api_.payments.get(), &v1::PaymentService::Stub::ListPayments, request);
      EXPECT_TRUE(page.ok()) << page.status.error_message();
      EXPECT_LE(page.value.payments_size(), request.page_size() > 0 ? static_cast<int>(request.page_size()) : 100);
      payments.insert(payments.end(), page.value.payments().begin(), page.value.payments().end());
      request.set_page_token(page.value.next_page_token());
    } while (!request.page_token().empty());
    return payments;
  }

  static std::vector<std::string> Texts(const std::vector<v1::Payment>& payments) {
    std::vector<std::string> texts;
    for (const v1::Payment& payment : payments) texts.push_back(payment.SerializeAsString());
    return texts;
  }

  // The station's events after `after_sequence`, up to and with `last`.
  std::vector<v1::PaymentEvent> EventsAfter(uint64_t after_sequence, uint64_t last) {
    std::vector<v1::PaymentEvent> events;
    if (after_sequence >= last) return events;
    Watch watch(api_, station_, after_sequence);
    while (std::optional<v1::PaymentEvent> event = watch.Next()) {
      events.push_back(*event);
      if (event->sequence() >= last) break;
    }
    return events;
  }

  const std::string station_ = StationNumber(1);
  int paid_ = 0;
};

TEST_F(Reads, ListsByDateAndStateInPagesOfAnySize) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  ASSERT_TRUE(OpenStation(api_, StationNumber(2), 1'000'000).ok());
  std::vector<v1::Payment> all;  // newest first
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    if (!all.empty()) {
      ASSERT_EQ(CloseDay(api_, all.front().business_date()).value.business_date(), date);
    }
    for (int i = 0; i < 7; ++i) all.insert(all.begin(), PayWithEnding(i == 3 ? 90 : 0));
    Pay(api_, PayRequestFor(StationNumber(2), date, "electricity", CustomerNumber("electricity", 1, 0), 1'000));
  }
  v1::ListPaymentsRequest request;
  request.set_station_id(station_);
  EXPECT_EQ(Texts(List(request)), Texts({all.begin(), all.begin() + 7})) << "the current date";
  request.set_from_date("2026-11-20");
  request.set_to_date("2026-11-22");
  for (const int signal : {SIGTERM, SIGKILL}) {
    for (const uint32_t page_size : {0, 1, 2, 7, 20, 21, 500}) {
      request.set_page_size(page_size);
      EXPECT_EQ(Texts(List(request)), Texts(all)) << page_size;
    }
    ASSERT_NO_FATAL_FAILURE(Restart(signal));
  }
  request.set_page_size(2);
  request.set_from_date("2026-11-21");
  request.set_to_date("2026-11-21");
  EXPECT_EQ(Texts(List(request)), Texts({all.begin() + 7, all.begin() + 14}));
  request.set_from_date("2026-11-01");
  request.add_states(v1::PAYMENT_STATE_DECLINED);
  request.set_page_size(1);
  EXPECT_EQ(Texts(List(request)), Texts({all[10], all[17]}));
  request.add_states(v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(List(request).size(), 14U);
}

TEST_F(Reads, APageTokenIsGoodForItsOwnListOnlyAndOutlivesARestart) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  for (int i = 0; i < 4; ++i) PayWithEnding(0);
  v1::ListPaymentsRequest request;
  request.set_station_id(station_);
  request.set_page_size(2);
  const auto list = [&](const v1::ListPaymentsRequest& r) {
    return Call(api_.payments.get(), &v1::PaymentService::Stub::ListPayments, r);
  };
  request.set_page_token(list(request).value.next_page_token());
  ASSERT_NE(request.page_token(), "");
  v1::ListPaymentsRequest other_station = request;
  other_station.set_station_id(StationNumber(2));
  v1::ListPaymentsRequest other_states = request;
  other_states.add_states(v1::PAYMENT_STATE_SUCCEEDED);
  v1::ListPaymentsRequest other_dates = request;
  other_dates.set_from_date("2026-11-20");
  other_dates.set_to_date("2026-11-20");
  v1::ListPaymentsRequest cut = request;
  cut.mutable_page_token()->pop_back();
  for (const v1::ListPaymentsRequest& changed : {other_station, other_states, other_dates, cut}) {
    const grpc::Status status = list(changed).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << changed.ShortDebugString();
    EXPECT_THAT(status.error_message(), StartsWith("page_token: "));
  }
  const std::string page = list(request).value.SerializeAsString();
  ASSERT_NO_FATAL_FAILURE(Restart(SIGTERM));
  EXPECT_EQ(list(request).value.SerializeAsString(), page);
  EXPECT_EQ(list(request).value.payments_size(), 2);
}

TEST_F(Reads, AWatchResumesFromEachSequenceOverDaysAndRestarts) {
  SwitchOptions options;
  options.time_limit_ms = 100;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  ASSERT_TRUE(OpenStation(api_, StationNumber(2), 1'000'000).ok());
  std::vector<v1::PaymentEvent> live;
  uint64_t last = 0;
  const auto pay_all = [&] {
    Watch watch(api_, station_, last);
    for (const int ending : {0, 90, 92, 93, 97, 99}) {
      last = PayWithEnding(ending).sequence();
      Pay(api_,
          PayRequestFor(StationNumber(2), fmt::format("r{}", paid_), "mobile", CustomerNumber("mobile", 1, 0), 2'000));
    }
    last = Cancel(api_, station_, GetPaymentByRequest(api_, station_, fmt::format("r{}", paid_ - 6)).value.payment_id())
               .value.payment()
               .sequence();
    while (live.empty() || live.back().sequence() < last) {
      const std::optional<v1::PaymentEvent> event = watch.Next();
      ASSERT_TRUE(event.has_value());
      live.push_back(*event);
    }
  };
  ASSERT_NO_FATAL_FAILURE(pay_all());
  ASSERT_TRUE(CloseDay(api_, "2026-11-20").ok());
  ASSERT_NO_FATAL_FAILURE(pay_all());
  ASSERT_TRUE(CloseDay(api_, "2026-11-21").ok());
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  ASSERT_NO_FATAL_FAILURE(pay_all());

  for (size_t i = 1; i < live.size(); ++i) ASSERT_GT(live[i].sequence(), live[i - 1].sequence());
  const std::vector<v1::PaymentEvent> all = EventsAfter(0, last);
  ASSERT_EQ(all.size(), live.size());
  for (size_t i = 0; i < all.size(); ++i) {
    // What a later change wrote over is not kept: those texts may differ from what was sent live.
    v1::Payment then = live[i].payment();
    v1::Payment now = all[i].payment();
    for (v1::Payment* payment : {&then, &now}) {
      payment->clear_customer_name();
      payment->clear_unknown_cause();
      payment->clear_decline();
    }
    EXPECT_EQ(now.ShortDebugString(), then.ShortDebugString());
    EXPECT_EQ(all[i].sequence(), all[i].payment().sequence());
    EXPECT_EQ(all[i].sequence(), live[i].sequence());
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const std::vector<v1::PaymentEvent> rest = EventsAfter(all[i].sequence(), last);
    ASSERT_EQ(rest.size(), all.size() - i - 1) << "after " << all[i].sequence();
    for (size_t k = 0; k < rest.size(); ++k) {
      ASSERT_EQ(rest[k].SerializeAsString(), all[i + 1 + k].SerializeAsString());
    }
  }
}

TEST_F(Reads, AWatchWithoutASequenceSeesOnlyWhatIsNew) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  const uint64_t before = PayWithEnding(0).sequence();
  Watch watch(api_, station_, std::nullopt);
  // Nothing tells when the stream has begun, but the events themselves.
  std::atomic<bool> seen{false};
  std::vector<uint64_t> sequences;
  std::thread reader([&] {
    while (sequences.size() < 4) {
      const std::optional<v1::PaymentEvent> event = watch.Next();
      if (!event.has_value()) break;
      sequences.push_back(event->sequence());
    }
    seen = true;
  });
  while (!seen && paid_ < 900) PayWithEnding(0);
  reader.join();
  ASSERT_EQ(sequences.size(), 4U);
  EXPECT_GT(sequences.front(), before);
  EXPECT_THAT(sequences, ElementsAre(sequences[0], sequences[0] + 1, sequences[0] + 2, sequences[0] + 3));
}

}  // namespace
}  // namespace waystation::e2e
