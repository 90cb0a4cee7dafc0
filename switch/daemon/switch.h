#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/high_water.h"
#include "storage/high_water_keeper.h"
#include "storage/index.h"
#include "storage/restored_marker.h"
#include "storage/rocks_commit_log.h"
#include "storage/sequencer.h"
#include "switch/core/clock.h"
#include "switch/core/ledger.h"
#include "switch/daemon/async_log.h"
#include "switch/daemon/data_folder.h"
#include "switch/daemon/disk_watch.h"
#include "switch/daemon/late_approval_post.h"
#include "switch/daemon/metrics_endpoint.h"
#include "switch/daemon/operations.h"
#include "switch/flow/payment_flow.h"
#include "switch/flow/router.h"
#include "switch/flow/worker.h"
#include "switch/rpc/admission.h"
#include "switch/rpc/backend.h"
#include "switch/rpc/call_tally.h"
#include "switch/rpc/pay_stream.h"
#include "waystation/config/v1/config.pb.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace waystation::daemon {

// The composition root: the one place where the concrete clock, disk, billers and network meet. Members stand in the
// order in which they are built; each may use those above it.
//
// Threads: the owner's.
class Switch {
 public:
  // Opens the data folder, recovers the ledger, hands open payments to the resolver, and listens. When it returns OK
  // the switch serves. Errors say what to do. `log` is that of the process.
  static absl::StatusOr<std::unique_ptr<Switch>> Start(const config::v1::Config& config, const AsyncLog* log);

  ~Switch();

  // "127.0.0.1:7400"; with the port that was taken where the configuration says 0.
  const std::string& address() const { return address_; }
  // Where the metrics are, in the same form; empty where none are configured, and once it has stopped.
  std::string metrics_address() const { return metrics_ == nullptr ? "" : metrics_->address(); }

  // Looks at the free disk space (disk_watch.h): the owner's to call every core::kDiskWatchInterval.
  void WatchDisk();

  // Takes nothing new, lets what is in progress finish (at most kDrainLimit; then its callers are told the state
  // reached), writes a last snapshot, and closes. Whoever comes meanwhile, for kRefuseAtLeast, is told so.
  void Stop();

 private:
  struct Lane {
    std::unique_ptr<flow::Worker> worker;
    std::unique_ptr<flow::PaymentFlow> flow;
  };

  Switch(DataFolder folder, const config::v1::Config& config, const AsyncLog* log);

  absl::Status CheckRestored();
  absl::Status LookAtDisk();
  void OnDiskChanged(bool low);
  absl::Status OpenLedger();
  void NoteHighWaterAtStart(const std::optional<storage::HighWaterMark>& mark, const storage::ChainPosition& end);
  absl::Status AddBillers();
  absl::Status StartWorkers();
  void BeginWork();
  absl::Status ServeMetrics();
  absl::Status Listen();
  size_t InProgress() const;

  const config::v1::Config config_;
  const AsyncLog* const process_log_;
  DataFolder folder_;
  core::SystemClock clock_;
  // Where the ledger lacks legs that it had, and nobody has confirmed that no other switch works on it.
  std::optional<storage::RestoredMarker> restored_;
  rpc::Admission admission_;
  rpc::CallTally calls_;
  std::unique_ptr<DataDisk> disk_;
  std::unique_ptr<DiskWatch> disk_watch_;
  storage::HighWaterFile high_water_;
  storage::HighWaterKeeper mark_keeper_;
  std::unique_ptr<storage::RocksCommitLog> log_;
  std::unique_ptr<storage::Index> index_;
  std::unique_ptr<core::Ledger> ledger_;
  std::deque<LateApprovalPost> late_approvals_;  // one a biller
  flow::Router router_;
  rpc::WatchHub watchers_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  flow::Worker reader_{&clock_, "reader"};
  flow::Worker feeder_{&clock_, "feeder"};
  std::unique_ptr<rpc::JournalFeed> feed_;
  rpc::PayStreams pay_streams_;
  std::vector<Lane> lanes_;
  // Payments that start-up found open, until they are handed to the resolver.
  std::vector<core::Payment> open_at_start_;
  std::unique_ptr<rpc::TokenSeal> seal_;
  std::unique_ptr<rpc::CustomerNumberPatterns> patterns_;
  rpc::Backend backend_;
  std::unique_ptr<Operations> operations_;
  std::unique_ptr<MetricsEndpoint> metrics_;  // null where none are configured
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  bool stopped_ = false;
};

}  // namespace waystation::daemon
