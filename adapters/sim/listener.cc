#include "adapters/sim/listener.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"

namespace waystation::adapters::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::optional<tcp::endpoint> ParseEndpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [parsed_to, wrong] = std::from_chars(text.data() + colon + 1, end, port);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(text.substr(0, colon), error);
  if (error || wrong != std::errc() || parsed_to != end) return std::nullopt;
  return tcp::endpoint(address, port);
}

}  // namespace

absl::Status Listener::Open() {
  if (acceptor_) return absl::OkStatus();
  const std::optional<tcp::endpoint> endpoint = ParseEndpoint(address_);
  if (!endpoint) {
    return absl::InvalidArgumentError(
        fmt::format("listen: \"{}\" is not understood; expected an address and a port, like 127.0.0.1:0", address_));
  }
  auto acceptor = std::make_shared<tcp::acceptor>(*io_);
  error_code error;
  acceptor->open(endpoint->protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(*endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(fmt::format("listen: {} cannot be listened on: {}", address_, error.message()));
  }
  address_ = fmt::format("{}:{}", endpoint->address().to_string(), acceptor->local_endpoint(error).port());
  acceptor_ = acceptor;
  asio::co_spawn(*io_, Accept(std::move(acceptor)), asio::detached);
  return absl::OkStatus();
}

void Listener::Refuse() {
  if (!acceptor_) return;
  error_code ignored;
  acceptor_->close(ignored);
  acceptor_.reset();
}

void Listener::CutAll() {
  for (const std::weak_ptr<tcp::socket>& connection : connections_) {
    if (const std::shared_ptr<tcp::socket> socket = connection.lock()) {
      error_code ignored;
      socket->shutdown(tcp::socket::shutdown_both, ignored);
      socket->close(ignored);
    }
  }
  connections_.clear();
}

asio::awaitable<void> Listener::Accept(std::shared_ptr<tcp::acceptor> acceptor) {
  for (;;) {
    error_code error;
    auto socket = std::make_shared<tcp::socket>(*io_);
    co_await acceptor->async_accept(*socket, asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor->is_open()) co_return;
    if (error) continue;
    socket->set_option(tcp::no_delay(true), error);
    std::erase_if(connections_, [](const std::weak_ptr<tcp::socket>& connection) { return connection.expired(); });
    connections_.push_back(socket);
    asio::co_spawn(*io_, serve_(std::move(socket)), asio::detached);
  }
}

}  // namespace waystation::adapters::sim
