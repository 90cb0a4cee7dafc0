#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocks_commit_log.h"
#include "switch/daemon/disk_watch.h"
#include "switch/rpc/backend.h"

namespace prometheus {
class Exposer;
}  // namespace prometheus

namespace waystation::daemon {

// Where the metrics are read. All outlive whoever reads them.
struct MetricsSources {
  const rpc::Backend* backend = nullptr;
  const storage::RocksCommitLog* log = nullptr;
  const DiskWatch* disk = nullptr;
};

// Answers GET /metrics over HTTP in the text form that Prometheus reads, on threads of its own.
//
// Threads: the owner's. Limits: two answers at a time.
class MetricsEndpoint {
 public:
  // Listens on `address`, which the configuration has checked. kUnavailable where it can't be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Listen(const std::string& address,
                                                                 const MetricsSources& sources);
  // Closes; an answer under way is finished.
  ~MetricsEndpoint();

  // "127.0.0.1:9464"; with the port that was taken where the configuration says 0.
  const std::string& address() const { return address_; }

 private:
  class Collector;
  MetricsEndpoint(std::string address, std::unique_ptr<prometheus::Exposer> exposer,
                  std::shared_ptr<Collector> collector);

  const std::string address_;
  // Shared with the exposer, which knows it weakly.
  const std::shared_ptr<Collector> collector_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace waystation::daemon
