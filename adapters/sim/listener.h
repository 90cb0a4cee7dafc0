#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"

namespace waystation::adapters::sim {

// A listening port that can stop, start again at the same address, and cut its connections. Threads: that of the
// io_context.
class Listener {
 public:
  // Serves one connection until it ends; whoever keeps the socket for longer keeps it open. No exception leaves it.
  using Serve = std::function<boost::asio::awaitable<void>(std::shared_ptr<boost::asio::ip::tcp::socket>)>;

  // `address` is host:port, the host a number. `serve` and what it uses outlive the io_context's last handler.
  Listener(boost::asio::io_context* io, std::string address, Serve serve)
      : io_(io), address_(std::move(address)), serve_(std::move(serve)) {}
  ~Listener() { Refuse(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // InvalidArgument: not an address. Unavailable: taken, or not ours.
  absl::Status Open();
  void Refuse();
  void CutAll();
  // With the port that was taken, once it was open.
  const std::string& address() const { return address_; }

 private:
  boost::asio::awaitable<void> Accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);

  boost::asio::io_context* const io_;
  std::string address_;
  const Serve serve_;
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;  // shared with the coroutine that accepts
  std::vector<std::weak_ptr<boost::asio::ip::tcp::socket>> connections_;
};

}  // namespace waystation::adapters::sim
