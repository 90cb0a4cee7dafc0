#pragma once

#include <deque>
#include <memory>
#include <random>
#include <string>

#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/waiter.h"
#include "adapters/iso8583/wire.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::iso8583 {

// One connection to the host that is kept up: it connects, signs on, tests the silence with an echo, and when it breaks
// comes back after a wait that doubles each time, with jitter, until the host has answered more than the sign-on or the
// connection has stood for kStood.
//
// Threads: the link's. Limits: kMostWaiting requests wait for it to come up, or for the socket to take them.
class Line : public std::enable_shared_from_this<Line> {
 public:
  static constexpr size_t kMostWaiting = 20'000;
  static constexpr std::chrono::seconds kStood{10};

  // The exchange is held, so that what comes finds it.
  Line(boost::asio::io_context* io, std::shared_ptr<const LinkParts> parts, std::shared_ptr<Exchange> exchange);

  // Once.
  void Start();
  void Stop();

  bool up() const { return up_; }
  // It connects and signs on.
  bool coming_up() const { return !up_ && !pausing_; }
  // Ends the wait before the next attempt.
  void Hurry() { pause_.cancel(); }
  // Why it is down; for people.
  const std::string& cause() const { return cause_; }

  // To be sent when it can be; the exchange expects its answer already.
  void Send(const MatchKey& key, std::shared_ptr<Waiter> waiter, std::string frame);
  // An echo test, over this line.
  boost::asio::awaitable<Reply> Echo(Deadline deadline);

 private:
  struct Outgoing {
    MatchKey key;
    std::shared_ptr<Waiter> waiter;
    std::string frame;
  };

  boost::asio::awaitable<void> Run(std::shared_ptr<Line> self);
  // These answer why it went wrong; empty: it did not.
  boost::asio::awaitable<std::string> Connect(Deadline deadline);
  // Into `endpoints`.
  boost::asio::awaitable<std::string> Resolve(Deadline deadline,
                                              boost::asio::ip::tcp::resolver::results_type* endpoints);
  boost::asio::awaitable<std::string> SignOn(Deadline deadline);
  // Until the connection ends.
  boost::asio::awaitable<void> Watch();
  boost::asio::awaitable<void> Pause(std::chrono::milliseconds time);
  boost::asio::awaitable<Reply> Network(std::string_view function, Deadline deadline);
  void StartWire(boost::asio::ip::tcp::socket socket);
  void Fill(std::deque<Outgoing>* queue, std::string* out);
  void OnMessage(std::string_view message);
  void OnEnded(const std::string& cause);

  boost::asio::io_context* const io_;
  const std::shared_ptr<const LinkParts> parts_;
  const std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<boost::asio::steady_timer> resolving_;      // shared with the look-up that ends it
  std::shared_ptr<boost::asio::ip::tcp::socket> connecting_;  // shared with the timer that gives up on it
  std::shared_ptr<Wire> wire_;                                // null: there is no connection
  std::deque<Outgoing> waiting_;
  std::deque<Outgoing> network_;  // sign-on and echo tests, which go before all else
  std::string replies_;           // to the host's own
  boost::asio::steady_timer watch_;
  boost::asio::steady_timer pause_;
  std::mt19937 jitter_{std::random_device()()};
  uint32_t trace_ = 0;
  bool stopped_ = false;
  bool up_ = false;
  bool pausing_ = false;
  bool heard_ = false;     // since the watch looked last
  bool answered_ = false;  // since it is up
  std::string cause_;
};

}  // namespace waystation::adapters::iso8583
