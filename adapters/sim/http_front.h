#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "adapters/sim/faults.h"
#include "adapters/sim/host.h"
#include "adapters/sim/listener.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/beast/http/message.hpp"
#include "boost/beast/http/string_body.hpp"

namespace waystation::adapters::sim {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

struct HttpAnswer {
  std::string bytes;  // the whole answer; empty where the fault sends none
  Fault fault;
  // Of a request that is held up: takes it up when the fault's delay is over, and returns `bytes`. The request is still
  // there then.
  std::function<std::string()> take_up = nullptr;
};

// An HTTP/1.1 answer with its length.
std::string HttpBytes(unsigned status, const std::vector<std::pair<std::string_view, std::string>>& fields,
                      std::string_view body);

// The HTTP side of a host, by TLS or in plain text: takes requests off its connections, one after the other on each,
// has them answered, and sends the answers as the faults have it. Threads: that of the io_context.
class HttpFront {
 public:
  using Answer = std::function<HttpAnswer(const HttpRequest&)>;

  // `tls` is null for plain text. What `parts` points to, and what `answer` uses, outlives the io_context's last
  // handler.
  HttpFront(const HostParts& parts, std::shared_ptr<boost::asio::ssl::context> tls, Answer answer);

  Listener& listener() { return listener_; }
  const Listener& listener() const { return listener_; }

 private:
  boost::asio::awaitable<void> Serve(std::shared_ptr<boost::asio::ip::tcp::socket> socket);
  template <typename Stream>
  boost::asio::awaitable<void> ServeOver(Stream& stream);

  Faults* const faults_;
  const std::shared_ptr<boost::asio::ssl::context> tls_;  // shared with the connections
  const Answer answer_;
  Listener listener_;
};

// A server's TLS, with the certificate chain and the private key of two PEM files. InvalidArgument "fault; expected
// ...".
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> ServerTls(const std::string& certificate_file,
                                                                     const std::string& private_key_file);

}  // namespace waystation::adapters::sim
