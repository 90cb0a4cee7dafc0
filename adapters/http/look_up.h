#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/http/endpoint.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/ip/tcp.hpp"

namespace waystation::adapters::http {

using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

// Finds a host's addresses by its name. The system's way to do so blocks and can't be stopped; so it is done on a
// thread that lives for as long as that takes, one for each LookUp, and thus for each host: one whose name server hangs
// holds up no other. Whoever asks meanwhile waits for the same answer.
//
// Threads: several io_contexts, each run by one thread. Limits: one look-up at a time; as many wait for it as ask.
class LookUp {
 public:
  // Blocks for as long as it likes. Any status but OK: there is no address, and why.
  using Resolve = std::function<absl::StatusOr<Addresses>()>;

  explicit LookUp(Resolve resolve) : resolve_(std::move(resolve)) {}
  // Waits for the look-up that is on its way.
  ~LookUp() = default;
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

  // The addresses; DeadlineExceeded where there is no answer by the deadline. `look_up` lives on for as long as anybody
  // waits for it.
  static boost::asio::awaitable<absl::StatusOr<Addresses>> Find(std::shared_ptr<LookUp> look_up, Deadline deadline);

 private:
  struct Waiting;
  class Place;

  // Unavailable: there is no thread to be had.
  absl::Status Join(const std::shared_ptr<Waiting>& waiting);
  void Leave(const std::shared_ptr<Waiting>& waiting);
  void Run();

  const Resolve resolve_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Waiting>> waiting_;  // guarded by mutex_
  bool running_ = false;                           // guarded by mutex_
  std::jthread thread_;                            // guarded by mutex_; last, as it ends first
};

// As the system resolves the endpoint's host.
LookUp::Resolve SystemResolve(const Endpoint& endpoint);

}  // namespace waystation::adapters::http
