#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "tests/e2e/switch_process.h"

// How the tests call a switch.
namespace waystation::e2e {

// No call of a test takes longer, unless the switch hangs.
inline constexpr std::chrono::seconds kCallLimit{30};

template <typename Response>
struct Answer {
  grpc::Status status;
  Response value;

  bool ok() const { return status.ok(); }
};

template <typename Stub, typename Request, typename Response>
Answer<Response> Call(Stub* stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  Answer<Response> answer;
  answer.status = (stub->*method)(&context, request, &answer.value);
  return answer;
}

// --- requests; `n` makes station and customer numbers ---
inline constexpr char kOperator[] = "4401060001";
std::string StationNumber(int n);
// Of a well-formed customer of that biller; `ending`, 0 .. 99, is what the sandbox's scripts go by.
std::string CustomerNumber(std::string_view biller, int n, int ending);
v1::PayRequest PayRequestFor(const std::string& station, const std::string& request_id, const std::string& biller,
                             const std::string& customer_number, int64_t amount_fen);

// --- calls ---
Answer<v1::PayResponse> Pay(const Api& api, const v1::PayRequest& request);
Answer<v1::CancelResponse> Cancel(const Api& api, const std::string& station, const std::string& payment_id);
Answer<v1::InquireResponse> Inquire(const Api& api, const std::string& station, const std::string& biller,
                                    const std::string& customer_number);
Answer<v1::Payment> GetPayment(const Api& api, const std::string& payment_id);
Answer<v1::Payment> GetPaymentByRequest(const Api& api, const std::string& station, const std::string& request_id);
Answer<v1::Account> GetAccount(const Api& api, const std::string& station);
Answer<v1::BusinessDay> GetDay(const Api& api);
Answer<v1::BusinessDay> CloseDay(const Api& api, const std::string& date);
Answer<v1::Account> SetStationStatus(const Api& api, const std::string& station, v1::StationStatus status);
Answer<v1::Biller> SetBillerStatus(const Api& api, const std::string& biller, v1::BillerStatus status);
Answer<v1::Biller> GetBiller(const Api& api, const std::string& biller);
Answer<v1::CounterPurchase> Purchase(const Api& api, const std::string& station, const std::string& request_id,
                                     int64_t amount_fen);

// Sends raw bytes to a method, "package.Service/Method"; the answer's bytes.
Answer<std::string> SendRaw(const Api& api, const std::string& method, const std::string& bytes);

// Registers a station, takes it to ACTIVE and pays `amount_fen` (0, or 500 yuan and more) into its account.
grpc::Status OpenStation(const Api& api, const std::string& station, int64_t amount_fen);

// The changes of one station's payments, as they come.
class Watch {
 public:
  Watch(const Api& api, const std::string& station, std::optional<uint64_t> after_sequence);
  ~Watch();
  // Null when the stream has ended, also after kCallLimit.
  std::optional<v1::PaymentEvent> Next();
  // Reads on to the payment's `state`; false when the stream ends before.
  bool WaitFor(const std::string& payment_id, v1::PaymentState state);
  // Of a stream that has ended.
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::PaymentEvent>> reader_;
};

// A switch that runs, and one connection to it.
class SwitchTest : public ::testing::Test {
 protected:
  void StartSwitch(SwitchOptions options = {});
  // SIGTERM, with no connection left: an idle client that does not read its pings would hold the end up for 2 s.
  absl::Status Stop();
  // Stops it with `signal` (SIGTERM ends well, or the test fails) and starts it again on the same data.
  void Restart(int signal);

  std::unique_ptr<SwitchProcess> process_;
  Api api_;
};

}  // namespace waystation::e2e
