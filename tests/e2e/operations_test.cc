// What operations see and do: station life, credit, billers, health, reflection.

#include <csignal>

#include <vector>

#include "fmt/format.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr grpc::StatusCode kPrecondition = grpc::StatusCode::FAILED_PRECONDITION;

class Operations : public SwitchTest {
 protected:
  Answer<v1::Account> Register(const std::string& station, const std::string& name) {
    v1::RegisterStationRequest request;
    request.set_station_id(station);
    request.set_name(name);
    request.add_signing_institutions("440100000001");
    request.add_signing_institutions("440100000002");
    return Call(api_.admin.get(), &v1::AdminService::Stub::RegisterStation, request);
  }

  Answer<v1::Account> Grant(const std::string& station, int64_t limit_fen) {
    v1::GrantCreditRequest request;
    request.set_station_id(station);
    request.set_credit_limit_fen(limit_fen);
    return Call(api_.admin.get(), &v1::AdminService::Stub::GrantCredit, request);
  }

  const std::string station_ = StationNumber(1);
};

TEST_F(Operations, AStationFromItsApplicationToItsClosing) {
  SwitchOptions options;
  options.time_limit_ms = 1'000;
  ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
  const v1::Account opened = Register(station_, "村口便民店").value;
  EXPECT_EQ(opened.account_number(), "10" + station_);
  EXPECT_EQ(opened.name(), "村口便民店");
  EXPECT_EQ(opened.opened_date(), "2026-11-20");
  EXPECT_EQ(opened.signing_institution(), "440100000001");
  EXPECT_TRUE(opened.is_signed());
  EXPECT_EQ(opened.signing_institution_count(), 2U);
  EXPECT_EQ(opened.status(), v1::STATION_STATUS_APPLIED);
  EXPECT_EQ(Register(station_, "村口便民店").value.SerializeAsString(), opened.SerializeAsString());
  EXPECT_EQ(Register(station_, "another").status.error_code(), grpc::StatusCode::ALREADY_EXISTS);

  const auto step = [&](v1::StationStatus status) {
    return SetStationStatus(api_, station_, status).status.error_code();
  };
  EXPECT_EQ(Purchase(api_, station_, "p1", 50'000).status.error_code(), kPrecondition);
  EXPECT_EQ(step(v1::STATION_STATUS_ACTIVE), kPrecondition);
  EXPECT_EQ(step(v1::STATION_STATUS_APPROVED), grpc::StatusCode::OK);
  const v1::CounterPurchase purchase = Purchase(api_, station_, "p1", 50'000).value;
  EXPECT_EQ(purchase.balance_after_fen(), 50'000);
  EXPECT_EQ(step(v1::STATION_STATUS_ACTIVE), grpc::StatusCode::OK);

  v1::PayRequest silent = PayRequestFor(station_, "silent", "mobile", CustomerNumber("mobile", 1, 96), 5'000);
  silent.set_wait_ms(0);
  const v1::Payment held = Pay(api_, silent).value.payment();
  EXPECT_EQ(step(v1::STATION_STATUS_CLOSED), kPrecondition) << "a payment is open";
  EXPECT_EQ(step(v1::STATION_STATUS_SUSPENDED), grpc::StatusCode::OK);
  // Its open payment is still resolved.
  EXPECT_TRUE(Watch(api_, station_, 0).WaitFor(held.payment_id(), v1::PAYMENT_STATE_SUCCEEDED));
  EXPECT_EQ(step(v1::STATION_STATUS_CLOSED), grpc::StatusCode::OK);
  EXPECT_EQ(step(v1::STATION_STATUS_ACTIVE), kPrecondition) << "for ever";
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  const v1::Account account = GetAccount(api_, station_).value;
  EXPECT_EQ(account.status(), v1::STATION_STATUS_CLOSED);
  EXPECT_EQ(account.balance_fen(), 45'000);
  EXPECT_EQ(Purchase(api_, station_, "p1", 50'000).value.SerializeAsString(), purchase.SerializeAsString());
  EXPECT_EQ(Purchase(api_, station_, "p2", 50'000).status.error_code(), kPrecondition);
}

TEST_F(Operations, CreditIsTakenBackOnlyWhereItIsNotUsed) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  ASSERT_TRUE(OpenStation(api_, station_, 0).ok());
  EXPECT_EQ(Grant(station_, 10'000).value.available_fen(), 10'000);
  ASSERT_EQ(
      Pay(api_, PayRequestFor(station_, "r1", "mobile", CustomerNumber("mobile", 1, 0), 6'000)).value.payment().state(),
      v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(Grant(station_, 5'999).status.error_code(), kPrecondition);
  const v1::Account account = Grant(station_, 6'000).value;
  EXPECT_EQ(account.balance_fen(), -6'000);
  EXPECT_EQ(account.available_fen(), 0);
}

TEST_F(Operations, StationsAreListedInOrderInPages) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  for (const int n : {5, 3, 1, 4, 2}) ASSERT_TRUE(Register(StationNumber(n), fmt::format("shop {}", n)).ok());
  v1::ListStationsRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    const v1::ListStationsResponse page = Call(api_.admin.get(), &v1::AdminService::Stub::ListStations, request).value;
    for (const v1::Account& station : page.stations()) names.push_back(station.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("shop 1", "shop 2", "shop 3", "shop 4", "shop 5"));
}

TEST_F(Operations, BillersAreListedWithTheirCardsAndKeepTheirStatus) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  const auto list = [&] {
    return Call(api_.admin.get(), &v1::AdminService::Stub::ListBillers, v1::ListBillersRequest()).value;
  };
  const v1::ListBillersResponse billers = list();
  ASSERT_EQ(billers.billers_size(), 3);
  EXPECT_EQ(billers.billers(0).biller_id(), "electricity");
  EXPECT_TRUE(billers.billers(0).issues_voucher());
  EXPECT_EQ(billers.billers(1).biller_id(), "gas");
  EXPECT_EQ(billers.billers(1).inquiry(), v1::INQUIRY_RULE_REQUIRED);
  EXPECT_EQ(billers.billers(1).amount_rule(), v1::AMOUNT_RULE_EXACT);
  EXPECT_EQ(billers.billers(1).cancel(), v1::CANCEL_RULE_NONE);
  EXPECT_EQ(billers.billers(2).biller_id(), "mobile");
  EXPECT_EQ(billers.billers(2).least_fen(), 2'000);
  EXPECT_EQ(billers.billers(2).cancel(), v1::CANCEL_RULE_SAME_DAY);
  const v1::Biller disabled = SetBillerStatus(api_, "gas", v1::BILLER_STATUS_DISABLED).value;
  EXPECT_EQ(disabled.status(), v1::BILLER_STATUS_DISABLED);
  ASSERT_NO_FATAL_FAILURE(Restart(SIGKILL));
  EXPECT_EQ(list().billers(1).SerializeAsString(), disabled.SerializeAsString());
  EXPECT_EQ(list().billers(2).status(), v1::BILLER_STATUS_ENABLED);
}

TEST_F(Operations, HealthSaysServing) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  const Answer<std::string> health = SendRaw(api_, "grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(health.ok()) << health.status.error_message();
  EXPECT_EQ(health.value, "\x08\x01") << "status: SERVING";
}

TEST_F(Operations, ReflectionNamesTheServices) {
  ASSERT_NO_FATAL_FAILURE(StartSwitch());
  grpc::GenericStub stub(api_.channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  grpc::CompletionQueue queue;
  const auto done = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  stream->StartCall(nullptr);
  ASSERT_TRUE(done());
  const grpc::Slice list_services("\x3a\x01*");  // field 7, a text of one byte
  stream->Write(grpc::ByteBuffer(&list_services, 1), nullptr);
  ASSERT_TRUE(done());
  grpc::ByteBuffer response;
  stream->Read(&response, nullptr);
  ASSERT_TRUE(done());
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(response.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  for (const char* service : {"PaymentService", "AccountService", "AdminService"}) {
    EXPECT_THAT(text, HasSubstr(std::string("waystation.v1.") + service));
  }
  EXPECT_THAT(text, HasSubstr("grpc.health.v1.Health"));
}

}  // namespace
}  // namespace waystation::e2e
