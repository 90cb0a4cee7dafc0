#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/http/endpoint.h"
#include "adapters/http/look_up.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/beast/http/message.hpp"
#include "boost/beast/http/string_body.hpp"

namespace waystation::adapters::http {

struct Request {
  std::string method;  // "GET", "POST"
  std::string target;  // from '/' on, after the endpoint's path; empty: that path alone
  // Besides Host and Content-Length. Names and values are printable ASCII.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  // Goes out as the field traceparent; may be none.
  core::TraceContext trace = {};
};

// result_int() is the status, body() the body, answer["Name"] a field.
using Answer = boost::beast::http::response<boost::beast::http::string_body>;
// No byte of the request was handed to the network: refused, not found, no TLS, no time left.
struct NeverLeft {
  std::string cause;
};
// It left, or part of it did, and no whole answer came.
struct Broken {
  std::string cause;
};
using Result = std::variant<Answer, NeverLeft, Broken>;

// For each io_context.
inline constexpr size_t kMostOpening = 256;

struct ClientOptions {
  Endpoint endpoint;
  // Null unless endpoint.tls.
  std::shared_ptr<boost::asio::ssl::context> tls;
  // Connections kept open without a request, for each io_context, and for how long: shorter than the host keeps them.
  size_t most_idle = 0;
  std::chrono::milliseconds idle_limit{0};
  size_t most_answer_bytes = 0;  // of a body
};

// HTTP/1.1 to one host, over connections that are kept open, by TLS or in plain text.
//
// A request has a connection to itself: one that is idle, else a new one. So as many are open as requests are in
// flight, which the biller's lane bounds. Of those that are not open yet, kMostOpening are being opened at once, as a
// handshake takes far more memory and work than what follows; whoever comes meanwhile waits until one of them is open,
// or another is idle. A connection that closed, or has something to read, while it was idle is not used again; one that
// closes just as the request goes out leaves the request Broken. Nothing is ever sent twice. What has been idle for
// idle_limit is closed, requests or not: also one that the host closed before.
//
// Threads: several io_contexts, each run by one thread. A connection stays with the io_context of the request that
// opened it, and is closed with it at the latest, which may be after the client's end.
//
// Limits: 8 KB of an answer's header, most_answer_bytes of its body; an answer that does not say its length is refused.
// A name is looked up again for each new connection, or for several at once (look_up.h).
class Client {
 public:
  explicit Client(ClientOptions options);

  // Sends, and waits for the answer until `deadline`. `belongs` is asked whether the answer is one to this request;
  // where it is not, what comes next on that connection can't be trusted either, so it is closed. The answer is handed
  // over all the same.
  boost::asio::awaitable<Result> Send(Request request, Deadline deadline,
                                      absl::FunctionRef<bool(const Answer&)> belongs);

 private:
  const uint64_t id_;
  // Shared with the connections, which may outlive the client.
  const std::shared_ptr<const ClientOptions> options_;
  // Shared with whoever waits for it.
  const std::shared_ptr<LookUp> look_up_;
};

}  // namespace waystation::adapters::http
