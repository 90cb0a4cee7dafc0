#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/temporary_folder.h"
#include "grpcpp/channel.h"
#include "tests/e2e/child.h"
#include "waystation/journal/v1/journal.pb.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/admin_service.grpc.pb.h"
#include "waystation/v1/exception_service.grpc.pb.h"
#include "waystation/v1/journal_service.grpc.pb.h"
#include "waystation/v1/operations_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::e2e {

// The services of a switch over one connection that nobody else uses.
struct Api {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::PaymentService::Stub> payments;
  std::unique_ptr<v1::AccountService::Stub> accounts;
  std::unique_ptr<v1::AdminService::Stub> admin;
  std::unique_ptr<v1::ExceptionService::Stub> exceptions;
  std::unique_ptr<v1::JournalService::Stub> journal;
  std::unique_ptr<v1::OperationsService::Stub> operations;
};
// To a switch that listens; returns once there is a connection.
Api Connect(const std::string& address);

// What a test chooses of a switch's configuration. The billers are the sandbox's mobile, electricity and gas.
struct SwitchOptions {
  std::string address = "127.0.0.1:0";
  std::string data_folder;  // empty: one of its own
  std::string first_business_date = "2026-11-20";
  uint32_t worker_threads = 2;
  uint32_t max_in_progress = 20'000;
  uint32_t snapshot_interval_ms = 1'000;
  // Into the folder `backups` beside the data folder.
  bool with_backups = true;
  // Small, so that tests run on nearly full disks too.
  uint64_t low_disk_mb = 16;
  uint64_t enough_disk_mb = 20;
  uint32_t ballast_mb = 1;
  // Short, so that tests see payments resolved.
  uint32_t first_query_after_ms = 20;
  uint32_t longest_interval_ms = 100;
  uint64_t review_after_ms = 60'000;
  // Of all billers.
  uint32_t latency_ms = 0;
  uint32_t time_limit_ms = 5'000;
  // In a row, until a biller counts as out of service. So many that none does: the sandbox's scripts are full of them.
  uint32_t breaker_failures = 100'000;
  uint32_t probe_after_ms = 5'000;
  // Of mobile.
  int64_t step_fen = 1;
  // Of gas: the largest bill that is paid.
  int64_t gas_most_fen = 1'000'000;
  std::string more_yaml;
  // After those of the sandbox: items of the list.
  std::string more_billers;
};

// A real switchd, with a temporary folder that outlives its restarts.
//
// Threads: the one that made it.
class SwitchProcess {
 public:
  static absl::StatusOr<std::unique_ptr<SwitchProcess>> Make(SwitchOptions options = {});

  // Starts it and waits until it listens. Error: what it wrote to stderr. Each start takes a free port of its own.
  absl::Status Start();
  // SIGTERM; error when it does not end by itself within 30 s, with exit status 0.
  absl::Status Stop();
  // SIGKILL, and waits for the end.
  void Kill();

  Child& child() { return *child_; }
  const std::string& address() const { return address_; }
  const std::string& folder() const { return folder_->path(); }
  const std::string& data_folder() const { return options_.data_folder; }
  const std::string& configuration() const { return configuration_; }
  Api Connect() const { return e2e::Connect(address_); }

  // --- the journal of a switch that does not run ---
  // Error: what `switchctl journal verify` found.
  absl::Status VerifyJournal() const;
  absl::StatusOr<std::vector<journal::v1::Leg>> ExportJournal() const;

 private:
  SwitchProcess(std::unique_ptr<bench::TemporaryFolder> folder, SwitchOptions options);

  const std::unique_ptr<bench::TemporaryFolder> folder_;
  SwitchOptions options_;
  std::string configuration_;
  std::string address_;
  std::unique_ptr<Child> child_;
};

}  // namespace waystation::e2e
