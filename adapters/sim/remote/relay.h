#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "adapters/sim/faults.h"
#include "adapters/sim/listener.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"

namespace waystation::adapters::sim {

// Stands between clients and a gRPC server in this process, and damages answers on the wire, which gRPC itself would
// never do: passes bytes on as they are, but for the HTTP/2 frames of an answer that is to be harmed.
//
// Plain text alone. Threads: that of the io_context; it outlives that one's last handler.
class Relay {
 public:
  // `listen` as Listener has it; `random` is for garbage. What is pointed to outlives the io_context's last handler.
  Relay(boost::asio::io_context* io, std::string listen, std::mt19937_64* random);

  // Where connections are passed on to; before the listener is opened.
  void PassOnTo(boost::asio::ip::tcp::endpoint server) { server_ = std::move(server); }
  Listener& listener() { return listener_; }
  const Listener& listener() const { return listener_; }

  // `connection`, here and below: the port that the server sees as its client's. The next answer with `message` in it
  // goes out as `fault` has it: cut_middle, cut_after, double, wrong_reference (on a stream that nobody opened),
  // garbage or drip; any other does nothing. What is under way on the same connection waits for a drip, as it does in
  // reality. Of two answers alike on one connection, the first that comes.
  void Harm(uint16_t connection, std::string_view message, const Fault& fault);
  void Cut(uint16_t connection);

 private:
  struct Connection;

  boost::asio::awaitable<void> Serve(std::shared_ptr<boost::asio::ip::tcp::socket> client);
  boost::asio::awaitable<void> PassOnAnswers(std::shared_ptr<Connection> connection);
  // False: the connection is to end here.
  boost::asio::awaitable<bool> PassOn(std::shared_ptr<Connection> connection, std::string frame);

  std::mt19937_64* const random_;
  boost::asio::ip::tcp::endpoint server_;
  std::map<uint16_t, std::weak_ptr<Connection>> connections_;
  Listener listener_;
};

}  // namespace waystation::adapters::sim
