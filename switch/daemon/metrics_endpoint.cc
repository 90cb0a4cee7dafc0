#include "switch/daemon/metrics_endpoint.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "boost/asio/connect.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "fmt/format.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"
#include "switch/daemon/metrics.h"

namespace waystation::daemon {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kCallAgain{1};

// Of "host:port", an IPv6 address in brackets.
std::pair<std::string, std::string> HostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {std::move(host), address.substr(colon + 1)};
}

}  // namespace

class MetricsEndpoint::Collector final : public prometheus::Collectable {
 public:
  explicit Collector(const MetricsSources& sources) : sources_(sources) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return CollectMetrics(sources_); }

 private:
  const MetricsSources sources_;
};

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Listen(const std::string& address,
                                                                         const MetricsSources& sources) {
  // civetweb's. A client that is slow with its request holds up one of the two threads no longer than this.
  std::vector<std::string> options = {"listening_ports",    address, "num_threads",           "2",
                                      "request_timeout_ms", "5000",  "keep_alive_timeout_ms", "5000",
                                      "max_request_size",   "8192"};
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(std::move(options));
    auto collector = std::make_shared<Collector>(sources);
    exposer->RegisterCollectable(collector);
    const std::string taken =
        fmt::format("{}:{}", address.substr(0, address.rfind(':')), exposer->GetListeningPorts().at(0));
    return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(taken, std::move(exposer), std::move(collector)));
  } catch (const std::exception& e) {
    return absl::UnavailableError(fmt::format(
        "metrics.address: {} can't be listened on ({}); another program may have the port (ss -ltnp shows which), or "
        "the address is not of this machine",
        address, e.what()));
  }
}

MetricsEndpoint::MetricsEndpoint(std::string address, std::unique_ptr<prometheus::Exposer> exposer,
                                 std::shared_ptr<Collector> collector)
    : address_(std::move(address)), collector_(std::move(collector)), exposer_(std::move(exposer)) {}

// civetweb's listener looks whether it is to end every 2 s, or when somebody connects: so somebody does.
MetricsEndpoint::~MetricsEndpoint() {
  std::atomic<bool> closed{false};
  std::thread caller([this, &closed] {
    const auto [host, port] = HostAndPort(address_);
    while (!closed) {
      asio::io_context io;
      boost::system::error_code ignored;
      asio::ip::tcp::socket socket(io);
      asio::connect(socket, asio::ip::tcp::resolver(io).resolve(host, port, ignored), ignored);
      std::this_thread::sleep_for(kCallAgain);
    }
  });
  exposer_.reset();
  closed = true;
  caller.join();
}

}  // namespace waystation::daemon
