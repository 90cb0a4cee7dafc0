#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "adapters/outcome_text.h"
#include "adapters/remote/card_text.h"
#include "adapters/remote/remote_biller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/adapter_process.h"
#include "tests/adapters/await.h"
#include "tests/adapters/payment.h"

// What the remote adapter makes of what happens on the wire and at the other end.
namespace waystation::adapters {
namespace {

namespace v1 = adapter::v1;
using std::chrono::milliseconds;
using testing::HasSubstr;

// Long enough for a busy machine; nothing waits for it to pass.
constexpr milliseconds kSoon{20'000};

class RemoteLink : public testing::Test {
 protected:
  std::unique_ptr<BillerAdapter> Make(Settings settings = {}) {
    settings.try_emplace("address", process_.address());
    auto made = remote::RemoteBiller::CreateWithCard(settings, remote::CardText(card_), {});
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  static PaymentRequest Payment(uint64_t id = 7) { return MakePayment(id, "123", core::Money::Fen(500)); }
  static std::string Pay(BillerAdapter& biller, uint64_t id = 7) {
    return Text(Await(biller.Pay(Payment(id), In(kSoon))));
  }
  // Until the answer has that kind: for what the adapter comes to know of on its own.
  static std::string PayUntil(BillerAdapter& biller, std::string_view kind, uint64_t id = 7) {
    std::string text;
    const Deadline give_up = In(kSoon);
    do {
      text = Pay(biller, id);
    } while (!text.starts_with(kind) && std::chrono::steady_clock::now() < give_up);
    return text;
  }

  AdapterProcess process_;
  const v1::CapabilityCard card_ = process_.described;
};

TEST_F(RemoteLink, ARequestArrivesAsItIs) {
  v1::PaymentRequest seen;
  process_.pay = [&seen](AdapterProcess::Context*, const v1::PaymentRequest& request, v1::PayResponse* response) {
    seen = request;
    response->mutable_approved()->set_biller_reference("R1");
    response->mutable_approved()->set_customer_name("王*");
    return grpc::Status::OK;
  };
  process_.Start();
  EXPECT_EQ(Pay(*Make()), "approved reference R1 voucher  name 王*");
  EXPECT_EQ(seen.payment_id(), "7");
  EXPECT_EQ(seen.station_id(), "000000000001");
  EXPECT_EQ(seen.customer_number(), "123");
  EXPECT_EQ(seen.amount_fen(), 500);
  EXPECT_EQ(seen.business_date(), "2026-11-21");
  EXPECT_EQ(seen.accepted_at_ms(), 1'795'000'000'000);
  EXPECT_EQ(process_.payments(), 1);
}

TEST_F(RemoteLink, NoStatusOfACallThatWasStartedFreesTheMoney) {
  std::atomic<int> code{0};
  process_.pay = [&code](AdapterProcess::Context*, const v1::PaymentRequest&, v1::PayResponse*) {
    return grpc::Status(static_cast<grpc::StatusCode>(code.load()), "as the test says");
  };
  process_.Start();
  const auto biller = Make();
  for (code = 1; code <= 16; ++code) {
    EXPECT_EQ(Kind(Await(biller->Pay(Payment(), In(kSoon)))), "unknown") << code;
  }
  // Each was sent once: nothing repeats it, also not below us.
  EXPECT_EQ(process_.payments(), 16);
}

TEST_F(RemoteLink, AnAnswerThatCantBeReadIsUnknown) {
  v1::PayResponse answer;
  process_.pay = [&answer](AdapterProcess::Context*, const v1::PaymentRequest&, v1::PayResponse* response) {
    *response = answer;
    return grpc::Status::OK;
  };
  process_.Start();
  const auto biller = Make();
  EXPECT_EQ(Pay(*biller), "unknown: the adapter's answer has no outcome that is known here");
  answer.mutable_approved()->set_voucher("1");
  EXPECT_EQ(Pay(*biller), "unknown: the adapter's approval has no biller reference");
  answer.Clear();
  answer.GetReflection()->MutableUnknownFields(&answer)->AddLengthDelimited(9, "");
  EXPECT_EQ(Pay(*biller), "unknown: the adapter's answer has no outcome that is known here");
  answer.Clear();
  answer.mutable_declined()->set_text(std::string(100'000, 'x'));
  EXPECT_THAT(Pay(*biller), HasSubstr("unknown: gRPC status 8: "));
}

TEST_F(RemoteLink, WhereNothingListensNothingIsSent) {
  process_.Start();
  process_.Stop();
  const auto biller = Make();
  EXPECT_THAT(Pay(*biller), testing::StartsWith("not sent: no connection with the adapter at 127.0.0.1:"));
  EXPECT_EQ(Kind(Await(biller->Query(Payment(), In(kSoon)))), "unknown");
  EXPECT_FALSE(Await(biller->Probe(In(kSoon))));
}

TEST_F(RemoteLink, ItComesBackWhenTheAdapterDoes) {
  process_.Start();
  const auto biller = Make();
  EXPECT_EQ(Kind(Await(biller->Pay(Payment(), In(kSoon)))), "approved");
  process_.Stop();
  EXPECT_THAT(PayUntil(*biller, "not sent"), HasSubstr("no connection"));
  process_.Start();
  EXPECT_THAT(PayUntil(*biller, "approved"), HasSubstr("R1"));
  EXPECT_EQ(process_.described_times(), 2);
}

TEST_F(RemoteLink, AConnectionThatIsCutAfterTheRequestLeftIsUnknown) {
  std::promise<void> arrived;
  process_.pay = [&arrived](AdapterProcess::Context* context, const v1::PaymentRequest&, v1::PayResponse* response) {
    arrived.set_value();
    while (!context->IsCancelled()) std::this_thread::yield();
    response->mutable_approved()->set_biller_reference("R1");
    return grpc::Status::OK;
  };
  process_.Start();
  const auto biller = Make();
  std::jthread cutter([&] {
    arrived.get_future().wait();
    process_.Stop();
  });
  EXPECT_EQ(Kind(Await(biller->Pay(Payment(), In(kSoon)))), "unknown");
}

TEST_F(RemoteLink, NothingIsSentWhileTheAdapterIsNotServing) {
  process_.Start();
  const auto biller = Make();
  EXPECT_EQ(Kind(Await(biller->Pay(Payment(), In(kSoon)))), "approved");
  process_.SetServing(false);
  EXPECT_THAT(PayUntil(*biller, "not sent"), HasSubstr("says that it is NOT_SERVING"));
  const int payments = process_.payments();
  EXPECT_THAT(Pay(*biller), HasSubstr("not sent"));
  EXPECT_EQ(process_.payments(), payments);
  EXPECT_FALSE(Await(biller->Probe(In(kSoon))));
  process_.SetServing(true);
  EXPECT_THAT(PayUntil(*biller, "approved"), HasSubstr("R1"));
}

TEST_F(RemoteLink, NothingIsSentToAnAdapterWithAnotherCard) {
  process_.described.set_query_denial_is_final(true);
  process_.Start();
  const auto biller = Make();
  EXPECT_THAT(Pay(*biller), HasSubstr("has another card: query_denial_is_final is true there and false here"));
  EXPECT_EQ(Kind(Await(biller->Query(Payment(), In(kSoon)))), "unknown");
  EXPECT_EQ(process_.payments(), 0);
  process_.Stop();
  process_.described.set_query_denial_is_final(false);
  process_.Start();
  EXPECT_THAT(PayUntil(*biller, "approved"), HasSubstr("R1"));
}

TEST_F(RemoteLink, AnAdapterWithoutHealthIsSentNothing) {
  process_.serves_health = false;
  process_.Start();
  EXPECT_THAT(Pay(*Make()), HasSubstr("not sent: the adapter at 127.0.0.1:"));
  EXPECT_EQ(process_.payments(), 0);
}

TEST_F(RemoteLink, TheDeadlineIsPassedOn) {
  using Clock = std::chrono::system_clock;
  std::promise<Clock::time_point> told;
  std::promise<Clock::time_point> arrived;
  process_.pay = [&](AdapterProcess::Context* context, const v1::PaymentRequest&, v1::PayResponse* response) {
    arrived.set_value(Clock::now());
    told.set_value(context->deadline());
    response->mutable_approved()->set_biller_reference("R1");
    return grpc::Status::OK;
  };
  process_.Start();
  const auto biller = Make();
  const auto asked = Clock::now();
  EXPECT_EQ(Pay(*biller), "approved reference R1 voucher  name ");
  const Clock::time_point deadline = told.get_future().get();
  // The way there is added to what is left of it; gRPC rounds that up, by a hundredth at most.
  EXPECT_LE(deadline, arrived.get_future().get() + kSoon + kSoon / 100);
  EXPECT_GE(deadline, asked);
}

TEST_F(RemoteLink, SilenceIsUnknown) {
  std::promise<void> given_up;
  process_.pay = [&given_up](AdapterProcess::Context* context, const v1::PaymentRequest&, v1::PayResponse*) {
    while (!context->IsCancelled()) std::this_thread::yield();
    given_up.set_value();
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto biller = Make();
  // Comes back once the connection is there; this process answers UNIMPLEMENTED to it.
  EXPECT_FALSE(Await(biller->Probe(In(kSoon))));
  EXPECT_EQ(Text(Await(biller->Pay(Payment(), In(milliseconds(300))))), "unknown: no answer by the deadline");
  // The adapter is told that nobody waits any more.
  given_up.get_future().wait();
}

TEST_F(RemoteLink, AWorkerThatEndsWhileACallIsOutLeavesNothingBehind) {
  std::promise<void> arrived;
  process_.pay = [&arrived](AdapterProcess::Context* context, const v1::PaymentRequest& request, v1::PayResponse*) {
    if (request.payment_id() != "7") return grpc::Status::CANCELLED;
    arrived.set_value();
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto biller = Make();
  {
    boost::asio::io_context io;
    boost::asio::co_spawn(io, biller->Pay(Payment(7), In(kSoon)),
                          [](std::exception_ptr, const PayOutcome&) { ADD_FAILURE() << "nobody runs this"; });
    const auto has_arrived = arrived.get_future();
    while (has_arrived.wait_for(milliseconds(0)) != std::future_status::ready) io.run_one_for(milliseconds(5));
  }
  // Its answer, which comes as the connection is cut, finds nobody and hurts nobody.
  process_.Stop();
  process_.Start();
  EXPECT_THAT(PayUntil(*biller, "unknown", 8), HasSubstr("gRPC status 1"));
}

TEST_F(RemoteLink, AnAdapterThatEndsCancelsWhatIsOut) {
  std::promise<void> arrived;
  process_.pay = [&arrived](AdapterProcess::Context* context, const v1::PaymentRequest&, v1::PayResponse*) {
    arrived.set_value();
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  auto biller = Make();
  boost::asio::io_context io;
  std::string outcome;
  boost::asio::co_spawn(io, biller->Pay(Payment(), In(kSoon)),
                        [&outcome](std::exception_ptr, const PayOutcome& answer) { outcome = Kind(answer); });
  const auto has_arrived = arrived.get_future();
  while (has_arrived.wait_for(milliseconds(0)) != std::future_status::ready) io.run_one_for(milliseconds(5));
  biller.reset();
  io.run();
  EXPECT_EQ(outcome, "unknown");
}

TEST_F(RemoteLink, ManyThreadsShareOneConnection) {
  process_.Start();
  const auto biller = Make();
  constexpr int kThreads = 4;
  constexpr uint64_t kPaymentsEach = 200;
  std::atomic<int> approved{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (uint64_t id = 1; id <= kPaymentsEach; ++id) {
          if (Kind(Await(biller->Pay(Payment(id), In(kSoon)))) == "approved") ++approved;
        }
      });
    }
  }
  EXPECT_EQ(approved, kThreads * static_cast<int>(kPaymentsEach));
  EXPECT_EQ(process_.described_times(), 1);
}

// Late approvals, recorded when the test says so.
class Recorder final : public LateApprovals {
 public:
  void OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved, Recorded recorded) override {
    const std::scoped_lock lock(mutex_);
    last_ = fmt::format("{} {} {}", station.ToString(), payment.ToString(), approved.biller_reference);
    ++times_;
    changed_.notify_all();
    recorded(records_);
  }
  void Record() {
    const std::scoped_lock lock(mutex_);
    records_ = true;
  }
  std::string WaitFor(int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kSoon, [&] { return times_ >= times; }));
    return last_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool records_ = false;
  int times_ = 0;
  std::string last_;
};

TEST_F(RemoteLink, ALateApprovalIsAcknowledgedOnceItIsRecordedAndNotBefore) {
  Recorder recorder;  // outlives the adapter
  process_.Start();
  v1::LateApproval late;
  late.set_payment_id("7");
  late.set_station_id("390001000017");
  late.mutable_approved()->set_biller_reference("R7");
  process_.TellLate(late);
  const auto biller = Make();
  biller->ReportLateApprovalsTo(&recorder);
  EXPECT_EQ(recorder.WaitFor(3), "390001000017 7 R7");
  EXPECT_EQ(process_.acknowledged(), 0);
  recorder.Record();
  const Deadline give_up = In(kSoon);
  while (process_.acknowledged() == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_GE(process_.acknowledged(), 1);
}

TEST_F(RemoteLink, ALateApprovalThatCantBeReadIsNotTaken) {
  Recorder recorder;
  recorder.Record();
  process_.Start();
  v1::LateApproval late;
  late.set_payment_id("7");
  late.set_station_id("390001000017");
  process_.TellLate(late);  // without a reference
  late.set_payment_id("0x8");
  late.mutable_approved()->set_biller_reference("R8");
  process_.TellLate(late);
  late.set_payment_id("9");
  process_.TellLate(late);
  const auto biller = Make();
  biller->ReportLateApprovalsTo(&recorder);
  EXPECT_EQ(recorder.WaitFor(1), "390001000017 9 R8");
  const Deadline give_up = In(kSoon);
  while (process_.acknowledged() == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_EQ(process_.acknowledged(), 1);
}

TEST_F(RemoteLink, TheCardIsFetchedAsText) {
  process_.Start();
  const auto text = remote::RemoteBiller::FetchCard({{"address", process_.address()}}, kSoon);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, remote::CardText(card_));
  process_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(remote::RemoteBiller::FetchCard({{"address", process_.address()}}, kSoon).status()));
}

}  // namespace
}  // namespace waystation::adapters
