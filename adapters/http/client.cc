#include "adapters/http/client.h"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "adapters/http/connection.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/execution_context.hpp"
#include "boost/asio/query.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;

namespace {

std::atomic<uint64_t> next_client_id{1};

bool Passed(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

struct Pool;

// Of one who waits for an idle connection, or for a place among those who open one.
class Turn {
 public:
  Turn(Pool* pool, const asio::any_io_executor& executor) : pool_(pool), woken_(executor) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { Leave(); }

  // Until there may be one, or the deadline.
  asio::awaitable<void> Wait(Deadline deadline);
  void Come();

 private:
  void Leave();

  Pool* const pool_;
  asio::steady_timer woken_;
  std::optional<std::list<Turn*>::iterator> place_;  // among those who wait
};

// The connections of a client on one io_context that have no request.
struct Pool {
  Pool(const asio::any_io_executor& executor, const ClientOptions& options)
      : limit(options.idle_limit), most_idle(options.most_idle), drop(executor) {}

  // The one that was used last, as it is the likeliest to live; null when there is none that can be used.
  std::unique_ptr<Connection> Take() {
    DropStale();
    while (!idle.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle.back());
      idle.pop_back();
      if (connection->Reusable()) return connection;
    }
    return nullptr;
  }

  void Keep(std::unique_ptr<Connection> connection) {
    DropStale();
    if (idle.size() < most_idle) {
      connection->IdleFrom(std::chrono::steady_clock::now());
      idle.push_back(std::move(connection));
      DropLater();
    }
    WakeNext();
  }

  // Lets the one that waits for longest look again, where there is something for him: who looks in vain goes to the
  // end.
  void WakeNext() {
    if (!waiting.empty() && (!idle.empty() || opening < kMostOpening)) waiting.front()->Come();
  }

  void DropStale() {
    const Deadline now = std::chrono::steady_clock::now();
    while (!idle.empty() && now - idle.front()->idle_from() >= limit) idle.pop_front();
  }

  // For when no request comes to do it. One that is set already goes off no later than for the first in line.
  void DropLater() {
    if (drop_is_set || idle.empty()) return;
    drop_is_set = true;
    drop.expires_at(idle.front()->idle_from() + limit);
    drop.async_wait([this](const boost::system::error_code& error) {
      if (error) return;  // the io_context is ending
      drop_is_set = false;
      DropStale();
      DropLater();
    });
  }

  const std::chrono::milliseconds limit;
  const size_t most_idle;
  // Those that have been idle for longest in front.
  std::deque<std::unique_ptr<Connection>> idle;
  size_t opening = 0;
  std::list<Turn*> waiting;
  asio::steady_timer drop;
  bool drop_is_set = false;
};

// The pools of one io_context, of all clients; its service, so that the connections end before it does.
class Pools final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit Pools(asio::execution_context& context) : asio::execution_context::service(context) {}

  std::shared_ptr<Pool> Of(uint64_t client, const asio::any_io_executor& executor, const ClientOptions& options) {
    std::shared_ptr<Pool>& pool = pools_[client];
    if (pool == nullptr) pool = std::make_shared<Pool>(executor, options);
    return pool;
  }

 private:
  // Requests that are cut short by the io_context's end hold theirs for a little longer.
  void shutdown() override {
    for (const auto& [client, pool] : pools_) pool->idle.clear();
    pools_.clear();
  }

  std::map<uint64_t, std::shared_ptr<Pool>> pools_;
};

// A place among those who open a connection.
class OpeningPlace {
 public:
  explicit OpeningPlace(Pool* pool) : pool_(pool) {}
  OpeningPlace(const OpeningPlace&) = delete;
  OpeningPlace& operator=(const OpeningPlace&) = delete;
  ~OpeningPlace() { Leave(); }

  bool TryTake() {
    if (pool_->opening >= kMostOpening) return false;
    ++pool_->opening;
    return taken_ = true;
  }
  void Leave() {
    if (!std::exchange(taken_, false)) return;
    --pool_->opening;
    pool_->WakeNext();
  }

 private:
  Pool* const pool_;
  bool taken_ = false;
};

asio::awaitable<void> Turn::Wait(Deadline deadline) {
  woken_.expires_at(deadline);
  place_ = pool_->waiting.insert(pool_->waiting.end(), this);
  boost::system::error_code ignored;
  co_await woken_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  Leave();
}

void Turn::Leave() {
  if (place_) pool_->waiting.erase(*place_);
  place_.reset();
}

void Turn::Come() {
  Leave();
  // Called from destructors too.
  try {
    woken_.cancel();
  } catch (...) {
    WS_CHECK(false, "a timer can be cancelled");
  }
}

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
  const std::shared_ptr<Pool> pool =
      asio::use_service<Pools>(asio::query(executor, asio::execution::context)).Of(id_, executor, *options_);
  if (Passed(deadline)) co_return NeverLeft{"the deadline had passed before the request was sent"};
  OpeningPlace place(pool.get());
  std::unique_ptr<Connection> connection = pool->Take();
  while (connection == nullptr && !place.TryTake()) {
    Turn turn(pool.get(), executor);
    co_await turn.Wait(deadline);
    connection = pool->Take();
    // There may be more than this one takes, or leaves.
    if (connection != nullptr || Passed(deadline)) pool->WakeNext();
    if (connection == nullptr && Passed(deadline)) {
      co_return NeverLeft{fmt::format("{} connections were being opened already, until the deadline", kMostOpening)};
    }
  }
  if (connection == nullptr) {
    connection = std::make_unique<Connection>(executor, options_);
    const absl::Status opened = co_await connection->Open(look_up_, deadline);
    place.Leave();
    if (!opened.ok()) co_return NeverLeft{std::string(opened.message())};
    if (Passed(deadline)) co_return NeverLeft{"the deadline had passed once the connection was open"};
  }
  std::string bytes = Bytes(request, options_->endpoint);
  request = {};  // not held while the answer is waited for
  Result result = co_await connection->Exchange(std::move(bytes), deadline);
  const Answer* answer = std::get_if<Answer>(&result);
  const bool in_step = answer != nullptr && belongs(*answer);
  // Whether anything came after the answer is looked at when it is taken again.
  if (in_step && connection->keep_alive()) pool->Keep(std::move(connection));
  co_return result;
}

}  // namespace waystation::adapters::http
