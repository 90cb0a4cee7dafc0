#include "adapters/http/client.h"

#include <deque>
#include <map>

#include "adapters/http/connection.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/execution_context.hpp"
#include "boost/asio/query.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "fmt/format.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;

namespace {

std::atomic<uint64_t> next_client_id{1};

bool Passed(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

// The idle connections of one io_context, of all clients; its service, so that they end before it does.
class IdleConnections final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit IdleConnections(asio::execution_context& context) : asio::execution_context::service(context) {}

  // The one that was used last, as it is the likeliest to live; null when there is none that can be used.
  std::unique_ptr<Connection> Take(uint64_t client) {
    const auto found = idle_.find(client);
    if (found == idle_.end()) return nullptr;
    OfClient& idle = found->second;
    DropStale(idle);
    while (!idle.connections.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle.connections.back());
      idle.connections.pop_back();
      if (connection->Reusable()) return connection;
    }
    return nullptr;
  }

  void Keep(uint64_t client, const ClientOptions& options, std::unique_ptr<Connection> connection) {
    OfClient& idle = idle_.try_emplace(client, connection->executor(), options.idle_limit).first->second;
    DropStale(idle);
    if (idle.connections.size() >= options.most_idle) return;
    connection->IdleFrom(std::chrono::steady_clock::now());
    idle.connections.push_back(std::move(connection));
    DropLater(idle);
  }

 private:
  // Those that have been idle for longest in front.
  struct OfClient {
    OfClient(const asio::any_io_executor& executor, std::chrono::milliseconds idle_limit)
        : limit(idle_limit), drop(executor) {}

    const std::chrono::milliseconds limit;
    std::deque<std::unique_ptr<Connection>> connections;
    asio::steady_timer drop;
    bool drop_is_set = false;
  };

  static void DropStale(OfClient& idle) {
    const Deadline now = std::chrono::steady_clock::now();
    while (!idle.connections.empty() && now - idle.connections.front()->idle_from() >= idle.limit) {
      idle.connections.pop_front();
    }
  }

  // For when no request comes to do it. One that is set already goes off no later than for the first in line.
  static void DropLater(OfClient& idle) {
    if (idle.drop_is_set || idle.connections.empty()) return;
    idle.drop_is_set = true;
    idle.drop.expires_at(idle.connections.front()->idle_from() + idle.limit);
    idle.drop.async_wait([&idle](const boost::system::error_code& error) {
      if (error) return;  // the io_context is ending
      idle.drop_is_set = false;
      DropStale(idle);
      DropLater(idle);
    });
  }

  void shutdown() override { idle_.clear(); }

  // Whose elements stay where they are.
  std::map<uint64_t, OfClient> idle_;
};

std::string Bytes(const Request& request, const Endpoint& endpoint) {
  const std::string target = endpoint.path + request.target;
  std::string bytes = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.method,
                                  target.empty() ? "/" : target, endpoint.Authority(), request.body.size());
  for (const auto& [name, value] : request.fields) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  if (request.trace.has_value()) bytes.append("traceparent: ").append(request.trace.ToTraceparent()).append("\r\n");
  return bytes.append("\r\n").append(request.body);
}

}  // namespace

Client::Client(ClientOptions options)
    : id_(next_client_id.fetch_add(1, std::memory_order_relaxed)),
      options_(std::make_shared<const ClientOptions>(std::move(options))),
      look_up_(std::make_shared<LookUp>(SystemResolve(options_->endpoint))) {}

asio::awaitable<Result> Client::Send(Request request, Deadline deadline,
                                     absl::FunctionRef<bool(const Answer&)> belongs) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto& idle = asio::use_service<IdleConnections>(asio::query(executor, asio::execution::context));
  if (Passed(deadline)) co_return NeverLeft{"the deadline had passed before the request was sent"};
  std::unique_ptr<Connection> connection = idle.Take(id_);
  if (connection == nullptr) {
    connection = std::make_unique<Connection>(executor, options_);
    const absl::Status opened = co_await connection->Open(look_up_, deadline);
    if (!opened.ok()) co_return NeverLeft{std::string(opened.message())};
    if (Passed(deadline)) co_return NeverLeft{"the deadline had passed once the connection was open"};
  }
  std::string bytes = Bytes(request, options_->endpoint);
  request = {};  // not held while the answer is waited for
  Result result = co_await connection->Exchange(std::move(bytes), deadline);
  const Answer* answer = std::get_if<Answer>(&result);
  const bool in_step = answer != nullptr && belongs(*answer);
  // Whether anything came after the answer is looked at when it is taken again.
  if (in_step && connection->keep_alive()) idle.Keep(id_, *options_, std::move(connection));
  co_return result;
}

}  // namespace waystation::adapters::http
