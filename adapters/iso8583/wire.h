#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/iso8583/specification.h"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::iso8583 {

// One TCP connection that carries frames both ways, from its beginning to its end; either side of it.
//
// Threads: that of the socket's executor. Held by whoever uses it and by its own operations, so that it outlives them.
// Limits: a frame of more than the specification's most_bytes ends it, and one that stops in the middle for longer than
// `stall_limit`, for what follows could not be told from its rest; what `fill` gives is taken as it comes.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  struct Events {
    // It can write: appends what is to be sent now, whole frames; nothing when there is nothing.
    std::function<void(std::string* out)> fill;
    // A message came, without its frame. Valid during the call.
    std::function<void(std::string_view message)> message;
    // It has ended; called once, nothing is called after it. `cause` is for people.
    std::function<void(const std::string& cause)> ended;
  };

  Wire(boost::asio::ip::tcp::socket socket, const FrameSpecification& frame, std::chrono::milliseconds stall_limit)
      : socket_(std::move(socket)), frame_(frame), stall_limit_(stall_limit), stall_(socket_.get_executor()) {}

  void Start(Events events);
  // There may be something to send.
  void Kick();
  // Ends it as soon as `fill` has nothing more.
  void CloseWhenWritten();
  // Ends it now.
  void Close(const std::string& cause);

 private:
  void Read();
  void OnRead(size_t bytes);
  // `waiting`: a part of a message is there; `moved`: whole ones came since.
  void WatchForStall(bool waiting, bool moved);
  void Write();

  boost::asio::ip::tcp::socket socket_;
  const FrameSpecification frame_;
  const std::chrono::milliseconds stall_limit_;
  boost::asio::steady_timer stall_;
  bool stall_watched_ = false;
  Events events_;
  std::array<char, 16 * 1024> chunk_;
  std::string received_;
  std::string out_;
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace waystation::adapters::iso8583
