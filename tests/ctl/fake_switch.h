#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/admin_service.grpc.pb.h"
#include "waystation/v1/exception_service.grpc.pb.h"
#include "waystation/v1/journal_service.grpc.pb.h"
#include "waystation/v1/operations_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::ctl {

// A switch that answers what the test tells it to and keeps what it was asked. It listens on a free port of the
// loopback address while it lives. The program under test calls one thing at a time, so the fields need no lock between
// calls.
class FakeSwitch {
 public:
  FakeSwitch() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&payments);
    builder.RegisterService(&accounts);
    builder.RegisterService(&admin);
    builder.RegisterService(&exceptions);
    builder.RegisterService(&journal);
    builder.RegisterService(&operations);
    server_ = builder.BuildAndStart();
    address_ = fmt::format("127.0.0.1:{}", port);
  }
  ~FakeSwitch() { server_->Shutdown(); }

  const std::string& address() const { return address_; }
  void SetServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(serving); }

  struct Payments final : v1::PaymentService::Service {
    grpc::Status status;
    v1::InquireResponse inquiry;
    v1::Payment payment;
    std::optional<v1::Decline> cancel_decline;
    // Pages of ListPayments; the token of page n is "n".
    std::vector<v1::ListPaymentsResponse> pages;
    std::vector<v1::PaymentEvent> events;
    v1::PayRequest pay;
    v1::CancelRequest cancel;
    v1::GetPaymentRequest get;
    std::vector<v1::ListPaymentsRequest> lists;
    v1::WatchPaymentsRequest watch;

    grpc::Status Inquire(grpc::ServerContext*, const v1::InquireRequest*, v1::InquireResponse* response) override {
      *response = inquiry;
      return status;
    }
    grpc::Status Pay(grpc::ServerContext*, const v1::PayRequest* request, v1::PayResponse* response) override {
      pay = *request;
      *response->mutable_payment() = payment;
      return status;
    }
    grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest* request, v1::CancelResponse* response) override {
      cancel = *request;
      *response->mutable_payment() = payment;
      if (cancel_decline.has_value()) *response->mutable_decline() = *cancel_decline;
      return status;
    }
    grpc::Status GetPayment(grpc::ServerContext*, const v1::GetPaymentRequest* request,
                            v1::Payment* response) override {
      get = *request;
      *response = payment;
      return status;
    }
    grpc::Status ListPayments(grpc::ServerContext*, const v1::ListPaymentsRequest* request,
                              v1::ListPaymentsResponse* response) override {
      lists.push_back(*request);
      const size_t page = request->page_token().empty() ? 0 : std::stoul(request->page_token());
      *response = pages.at(page);
      if (page + 1 < pages.size()) response->set_next_page_token(fmt::format("{}", page + 1));
      return status;
    }
    grpc::Status WatchPayments(grpc::ServerContext*, const v1::WatchPaymentsRequest* request,
                               grpc::ServerWriter<v1::PaymentEvent>* writer) override {
      watch = *request;
      for (const v1::PaymentEvent& event : events) writer->Write(event);
      return status;
    }
  };

  struct Accounts final : v1::AccountService::Service {
    v1::Account account;

    grpc::Status GetAccount(grpc::ServerContext*, const v1::GetAccountRequest* request,
                            v1::Account* response) override {
      if (request->station_id() != account.station_id()) {
        return {grpc::StatusCode::NOT_FOUND, fmt::format("station_id: {} is not registered", request->station_id())};
      }
      *response = account;
      return grpc::Status::OK;
    }
  };

  struct Admin final : v1::AdminService::Service {
    grpc::Status status;
    v1::Account account;
    std::vector<v1::ListStationsResponse> pages;
    v1::ListBillersResponse billers;
    v1::RegisterStationRequest registration;
    std::vector<v1::SetStationStatusRequest> status_sets;
    v1::GrantCreditRequest grant;
    v1::RecordCounterPurchaseRequest purchase;
    v1::SetBillerStatusRequest biller_status;
    v1::CloseBusinessDayRequest close;

    grpc::Status RegisterStation(grpc::ServerContext*, const v1::RegisterStationRequest* request,
                                 v1::Account* response) override {
      registration = *request;
      *response = account;
      return status;
    }
    grpc::Status ListStations(grpc::ServerContext*, const v1::ListStationsRequest* request,
                              v1::ListStationsResponse* response) override {
      const size_t page = request->page_token().empty() ? 0 : std::stoul(request->page_token());
      *response = pages.at(page);
      if (page + 1 < pages.size()) response->set_next_page_token(fmt::format("{}", page + 1));
      return status;
    }
    grpc::Status SetStationStatus(grpc::ServerContext*, const v1::SetStationStatusRequest* request,
                                  v1::Account* response) override {
      status_sets.push_back(*request);
      account.set_status(request->status());
      *response = account;
      return status;
    }
    grpc::Status GrantCredit(grpc::ServerContext*, const v1::GrantCreditRequest* request,
                             v1::Account* response) override {
      grant = *request;
      *response = account;
      return status;
    }
    grpc::Status RecordCounterPurchase(grpc::ServerContext*, const v1::RecordCounterPurchaseRequest* request,
                                       v1::CounterPurchase* response) override {
      purchase = *request;
      response->set_station_id(request->station_id());
      response->set_request_id(request->request_id());
      response->set_amount_fen(request->amount_fen());
      response->set_balance_after_fen(request->amount_fen());
      return status;
    }
    grpc::Status ListBillers(grpc::ServerContext*, const v1::ListBillersRequest*,
                             v1::ListBillersResponse* response) override {
      *response = billers;
      return status;
    }
    grpc::Status GetBiller(grpc::ServerContext*, const v1::GetBillerRequest* request, v1::Biller* response) override {
      for (const v1::Biller& biller : billers.billers()) {
        if (biller.biller_id() != request->biller_id()) continue;
        *response = biller;
        return status;
      }
      return {grpc::StatusCode::NOT_FOUND, "biller_id: it is not a biller of this switch"};
    }
    grpc::Status SetBillerStatus(grpc::ServerContext*, const v1::SetBillerStatusRequest* request,
                                 v1::Biller* response) override {
      biller_status = *request;
      response->set_biller_id(request->biller_id());
      response->set_status(request->status());
      return status;
    }
    grpc::Status GetBusinessDay(grpc::ServerContext*, const v1::GetBusinessDayRequest*,
                                v1::BusinessDay* response) override {
      response->set_business_date("2026-11-21");
      return status;
    }
    grpc::Status CloseBusinessDay(grpc::ServerContext*, const v1::CloseBusinessDayRequest* request,
                                  v1::BusinessDay* response) override {
      close = *request;
      response->set_business_date("2026-11-22");
      return status;
    }
  };

  struct Exceptions final : v1::ExceptionService::Service {
    grpc::Status status;
    v1::Payment payment;
    // Pages of ListExceptions; the token of page n is "n".
    std::vector<v1::ListExceptionsResponse> pages;
    std::vector<v1::ListExceptionsRequest> lists;
    v1::ProposeResolutionRequest proposal;
    v1::ConfirmResolutionRequest confirmation;

    grpc::Status ListExceptions(grpc::ServerContext*, const v1::ListExceptionsRequest* request,
                                v1::ListExceptionsResponse* response) override {
      lists.push_back(*request);
      const size_t page = request->page_token().empty() ? 0 : std::stoul(request->page_token());
      *response = pages.at(page);
      if (page + 1 < pages.size()) response->set_next_page_token(fmt::format("{}", page + 1));
      return status;
    }
    grpc::Status ProposeResolution(grpc::ServerContext*, const v1::ProposeResolutionRequest* request,
                                   v1::Payment* response) override {
      proposal = *request;
      *response = payment;
      return status;
    }
    grpc::Status ConfirmResolution(grpc::ServerContext*, const v1::ConfirmResolutionRequest* request,
                                   v1::Payment* response) override {
      confirmation = *request;
      *response = payment;
      return status;
    }
  };

  struct Journal final : v1::JournalService::Service {
    grpc::Status status;
    std::vector<v1::StreamJournalResponse> messages;
    v1::StreamJournalRequest stream;

    grpc::Status Stream(grpc::ServerContext*, const v1::StreamJournalRequest* request,
                        grpc::ServerWriter<v1::StreamJournalResponse>* writer) override {
      stream = *request;
      for (const v1::StreamJournalResponse& message : messages) writer->Write(message);
      return status;
    }
  };

  struct Operations final : v1::OperationsService::Service {
    grpc::Status status;
    v1::SwitchStatus state;
    v1::Backup backup;
    v1::ConfirmOldSwitchDeadRequest confirm;
    v1::SetLogLevelRequest log_level;
    // What GetStatistics answers, with one leg and 100 ms more each time; that it does not. While a program runs beside
    // the test.
    v1::Statistics statistics;
    std::atomic<int> looks{0};
    std::atomic<bool> fails{false};

    grpc::Status GetStatistics(grpc::ServerContext*, const v1::GetStatisticsRequest*,
                               v1::Statistics* response) override {
      if (fails) return {grpc::StatusCode::UNAVAILABLE, "busy"};
      *response = statistics;
      response->set_last_sequence(static_cast<uint64_t>(++looks));
      response->set_uptime_us(response->last_sequence() * 100'000);
      return status;
    }
    grpc::Status SetLogLevel(grpc::ServerContext*, const v1::SetLogLevelRequest* request,
                             v1::LogStatus* response) override {
      log_level = *request;
      response->set_level(request->level());
      return status;
    }
    grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::SwitchStatus* response) override {
      *response = state;
      return status;
    }
    grpc::Status CreateBackup(grpc::ServerContext*, const v1::CreateBackupRequest*, v1::Backup* response) override {
      *response = backup;
      return status;
    }
    grpc::Status ConfirmOldSwitchDead(grpc::ServerContext*, const v1::ConfirmOldSwitchDeadRequest* request,
                                      v1::SwitchStatus* response) override {
      confirm = *request;
      *response = state;
      return status;
    }
  };

  Payments payments;
  Accounts accounts;
  Admin admin;
  Exceptions exceptions;
  Journal journal;
  Operations operations;

 private:
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace waystation::ctl
