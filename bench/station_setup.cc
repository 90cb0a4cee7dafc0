#include "bench/station_setup.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "switch/core/limits.h"
#include "waystation/v1/admin_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::bench {

namespace {

// Each waits for its own answers, so that many commits are shared.
constexpr size_t kSetupThreads = 128;
constexpr std::chrono::seconds kCallLimit{15};
// Chance may give a station more than its share.
constexpr double kSpareFactor = 1.5;
constexpr size_t kBills = 256;
constexpr double kSparePayments = 1'000;
constexpr char kClerkId[] = "9900000001";
constexpr char kSigningInstitution[] = "990000000000";

absl::Status Failure(std::string_view step, std::string_view station, const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      fmt::format("{} of station {}: {}", step, station, status.error_message()));
}

class StationPreparer {
 public:
  StationPreparer(const std::shared_ptr<grpc::Channel>& channel, const PaymentMix& mix, double payments)
      : stub_(v1::AdminService::NewStub(channel)), mix_(mix), payments_(payments) {}

  absl::Status Prepare(size_t rank) {
    const std::string station = StationText(mix_, rank);
    v1::Account account;
    if (absl::Status status = Register(station, account); !status.ok()) return status;
    if (absl::Status status = Activate(station, account); !status.ok()) return status;
    return Fund(station, NeededFen(rank) - account.available_fen());
  }

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::AdminService::Stub::*)(grpc::ClientContext*, const Request&, Response*);

  template <typename Request, typename Response>
  grpc::Status Invoke(Method<Request, Response> method, const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
    return ((*stub_).*method)(&context, request, &response);
  }

  absl::Status Register(const std::string& station, v1::Account& account) {
    v1::RegisterStationRequest request;
    request.set_station_id(station);
    request.set_name("Load station " + station);
    request.add_signing_institutions(kSigningInstitution);
    const grpc::Status status = Invoke(&v1::AdminService::Stub::RegisterStation, request, account);
    return status.ok() ? absl::OkStatus() : Failure("registration", station, status);
  }

  absl::Status Activate(const std::string& station, v1::Account& account) {
    while (account.status() != v1::STATION_STATUS_ACTIVE) {
      if (account.status() == v1::STATION_STATUS_CLOSED) {
        return absl::FailedPreconditionError(
            fmt::format("station {} is closed for ever; choose other stations with --first-station", station));
      }
      v1::SetStationStatusRequest request;
      request.set_station_id(station);
      request.set_status(account.status() == v1::STATION_STATUS_APPLIED ? v1::STATION_STATUS_APPROVED
                                                                        : v1::STATION_STATUS_ACTIVE);
      request.set_reason("load test");
      const grpc::Status status = Invoke(&v1::AdminService::Stub::SetStationStatus, request, account);
      if (!status.ok()) return Failure("activation", station, status);
    }
    return absl::OkStatus();
  }

  int64_t NeededFen(size_t rank) const {
    const double payments = payments_ * mix_.stations.Share(rank) * kSpareFactor + kSparePayments;
    return static_cast<int64_t>(std::ceil(payments)) * kLargestAmountFen;
  }

  absl::Status Fund(const std::string& station, int64_t short_fen) {
    for (int receipt = 1; short_fen > 0; ++receipt) {
      v1::RecordCounterPurchaseRequest request;
      request.set_station_id(station);
      request.set_request_id(fmt::format("{}-fund-{}", mix_.run_id, receipt));
      request.set_amount_fen(std::clamp(short_fen, core::kLeastCounterPurchase.fen(), core::kMaxAmount.fen()));
      request.set_clerk_id(kClerkId);
      v1::CounterPurchase purchase;
      const grpc::Status status = Invoke(&v1::AdminService::Stub::RecordCounterPurchase, request, purchase);
      if (!status.ok()) return Failure("counter purchase", station, status);
      short_fen -= request.amount_fen();
    }
    return absl::OkStatus();
  }

  std::unique_ptr<v1::AdminService::Stub> stub_;
  const PaymentMix& mix_;
  const double payments_;
};

// Does `work` for 0 .. count - 1, several at a time; the first error.
absl::Status ForEach(size_t count, absl::FunctionRef<bool()> interrupted,
                     absl::FunctionRef<absl::Status(size_t)> work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  absl::Status first_failure;
  const auto run = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      const absl::Status status = interrupted() ? absl::CancelledError("interrupted while preparing") : work(i);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) first_failure = status;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < std::min(kSetupThreads, count); ++i) threads.emplace_back(run);
  }
  return first_failure;
}

// How payments to `biller` are made up.
absl::StatusOr<BillerShare> ShareOf(const v1::Biller& biller) {
  BillerShare share{.id = biller.biller_id(),
                    .needs_inquiry = biller.inquiry() == v1::INQUIRY_RULE_REQUIRED,
                    .can_cancel = biller.cancel() == v1::CANCEL_RULE_SAME_DAY};
  if (biller.service() == "mobile") {
    share.customers = CustomerShape::kMobile;
  } else if (biller.service() == "electricity") {
    share.customers = CustomerShape::kMeter;
  } else if (biller.service() == "gas") {
    share.customers = CustomerShape::kGas;
  } else {
    return absl::InvalidArgumentError(
        fmt::format("--biller {}: of service {}; expected one of mobile, electricity or "
                    "gas",
                    biller.biller_id(), biller.service()));
  }
  return share;
}

absl::Status InquireBill(v1::PaymentService::Stub& stub, const PaymentMix& mix, const BillerShare& biller, Bill& bill) {
  v1::InquireRequest request;
  request.set_station_id(StationText(mix, bill.rank));
  request.set_operator_id(kClerkId);
  request.set_biller_id(biller.id);
  request.set_customer_number(bill.customer_number);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  v1::InquireResponse response;
  const grpc::Status status = stub.Inquire(&context, request, &response);
  if (!status.ok()) return Failure("inquiry", request.station_id(), status);
  if (!response.has_answer()) {
    return absl::FailedPreconditionError(
        fmt::format("inquiry about customer {} of biller {}: declined: {}; expected a bill", bill.customer_number,
                    biller.id, response.decline().text()));
  }
  bill.amount_fen = response.answer().owed_fen();
  bill.inquiry_token = response.answer().inquiry_token();
  return absl::OkStatus();
}

}  // namespace

absl::Status FitToBillers(const std::shared_ptr<grpc::Channel>& channel, const std::vector<std::string>& ids,
                          PaymentMix& mix) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  v1::ListBillersResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel)->ListBillers(&context, v1::ListBillersRequest(), &response);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        fmt::format("list of billers: {}", status.error_message()));
  }
  std::string known;
  for (const v1::Biller& biller : response.billers()) known += (known.empty() ? "" : ", ") + biller.biller_id();
  for (const std::string& id : ids) {
    const auto biller = std::find_if(response.billers().begin(), response.billers().end(),
                                     [&](const v1::Biller& one) { return one.biller_id() == id; });
    if (biller == response.billers().end()) {
      return absl::InvalidArgumentError(
          fmt::format("--biller {}: the switch has no such biller; expected one of {}", id, known));
    }
    absl::StatusOr<BillerShare> share = ShareOf(*biller);
    if (!share.ok()) return share.status();
    mix.billers.push_back(*std::move(share));
  }
  return absl::OkStatus();
}

absl::Status PrepareStations(const std::shared_ptr<grpc::Channel>& channel, const PaymentMix& mix, double payments,
                             absl::FunctionRef<bool()> interrupted) {
  StationPreparer preparer(channel, mix, payments);
  return ForEach(mix.stations.count(), interrupted, [&](size_t rank) { return preparer.Prepare(rank); });
}

absl::Status InquireBills(const std::shared_ptr<grpc::Channel>& channel, PaymentMix& mix,
                          absl::FunctionRef<bool()> interrupted) {
  const std::unique_ptr<v1::PaymentService::Stub> stub = v1::PaymentService::NewStub(channel);
  Random random(mix.seed);
  for (BillerShare& biller : mix.billers) {
    if (!biller.needs_inquiry) continue;
    biller.bills.resize(kBills);
    for (Bill& bill : biller.bills) {
      bill.rank = mix.stations.Pick(random);
      WriteCustomerNumber(biller.customers, random, bill.customer_number);
    }
    const absl::Status status = ForEach(biller.bills.size(), interrupted,
                                        [&](size_t i) { return InquireBill(*stub, mix, biller, biller.bills[i]); });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace waystation::bench
