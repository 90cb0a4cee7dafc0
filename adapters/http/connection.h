#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "adapters/http/client.h"
#include "adapters/http/deadlines.h"
#include "adapters/http/look_up.h"
#include "adapters/http/stream.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/beast/core/flat_buffer.hpp"

namespace waystation::adapters::http {

// One connection to a client's host; one request at a time. Used on its executor alone.
class Connection {
 public:
  Connection(const boost::asio::any_io_executor& executor, std::shared_ptr<const ClientOptions> options);

  // Looks the host up, where it has a name, connects, and shakes hands. Unavailable, and what failed, when it is not
  // open by the deadline.
  boost::asio::awaitable<absl::Status> Open(std::shared_ptr<LookUp> look_up, Deadline deadline);

  // Sends `bytes`, a whole request, and reads one answer: Answer or Broken.
  boost::asio::awaitable<Result> Exchange(std::string bytes, Deadline deadline);

  // Whether the last answer lets another request follow.
  bool keep_alive() const { return keep_alive_; }
  // Whether another request may follow now: the last answer allows it, and nothing came after it, nor the end.
  bool Reusable();

  boost::asio::any_io_executor executor() { return stream_.socket().get_executor(); }

  void IdleFrom(Deadline now) { idle_from_ = now; }
  Deadline idle_from() const { return idle_from_; }

 private:
  boost::asio::awaitable<absl::Status> Connect(std::shared_ptr<LookUp> look_up, Deadline deadline);
  boost::asio::awaitable<absl::Status> Handshake(Deadline deadline);

  const std::shared_ptr<const ClientOptions> options_;
  Deadlines& deadlines_;
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  bool keep_alive_ = false;
  Deadline idle_from_{};
};

}  // namespace waystation::adapters::http
