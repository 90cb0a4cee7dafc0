#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/sim/books.h"
#include "adapters/sim/faults.h"
#include "adapters/sim/host.h"
#include "adapters/sim/listener.h"
#include "boost/asio/io_context.hpp"
#include "switch/core/clock.h"

namespace waystation::adapters::sim {

// What billersim plays, as its configuration has it (README.md).
struct SimulatorConfig {
  struct HostConfig {
    std::string name;
    std::string protocol;
    std::string listen = "127.0.0.1:0";
    std::string latency = "fixed 0";
    std::vector<std::string> faults;
    Settings settings;
  };
  std::string books;
  std::string control = "127.0.0.1:0";
  uint64_t seed = 1;
  std::vector<HostConfig> hosts;
};

// JSON; comments are allowed. InvalidArgument names the key, what is wrong with it, and what was expected.
absl::StatusOr<SimulatorConfig> ParseSimulatorConfig(std::string_view text);

// All the hosts, and the way to change what goes wrong with them while they run: a line is a command, and is answered
// by a line that begins with "ok" or "error: " (README.md has the commands). The same lines come in at the control
// port.
//
// Threads: that of the io_context, which it outlives.
class Simulator {
 public:
  // Does not listen yet.
  static absl::StatusOr<std::unique_ptr<Simulator>> Make(const SimulatorConfig& config, const core::Clock* clock,
                                                         BooksUse use);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // Opens every host and the control port.
  absl::Status Open();
  boost::asio::io_context& io() { return io_; }

  std::string Execute(std::string_view line);
  // "control 127.0.0.1:40000", "electricity 127.0.0.1:40001": a line each.
  std::string Addresses() const;
  // Also of "control".
  absl::StatusOr<std::string> AddressOf(std::string_view host) const;
  absl::StatusOr<std::string> Statement(std::string_view host, core::BusinessDate date) const;
  // How often the payment stands in the host's books; 0 where it was taken back.
  absl::StatusOr<uint64_t> Effects(std::string_view host, std::string_view reference) const;
  const Books& books() const { return *books_; }

 private:
  struct Running {
    std::string name;
    std::unique_ptr<Faults> faults;
    std::unique_ptr<Host> host;
  };

  Simulator() = default;
  const Running* Find(std::string_view name) const;
  absl::Status NotKnown(std::string_view host) const;
  absl::StatusOr<std::string> Obey(std::string_view line);
  boost::asio::awaitable<void> ServeControl(std::shared_ptr<boost::asio::ip::tcp::socket> socket);

  std::unique_ptr<Books> books_;
  boost::asio::io_context io_{1};
  std::vector<Running> hosts_;
  std::unique_ptr<Listener> control_;
};

}  // namespace waystation::adapters::sim
