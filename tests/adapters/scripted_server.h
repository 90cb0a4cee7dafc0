#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"

namespace waystation::adapters {

// A port of loopback that sends what a test says, byte for byte, whatever it is asked. It lives in the test's
// io_context.
class ScriptedServer {
 public:
  // What becomes of one request.
  struct Answer {
    std::string bytes;
    bool close = false;  // after them
  };

  // Every request on whichever connection gets the next answer; those after the last get nothing.
  ScriptedServer(boost::asio::io_context& io, std::vector<Answer> answers)
      : state_(std::make_shared<State>(io, std::move(answers))) {
    boost::asio::co_spawn(io, Accept(state_), boost::asio::detached);
  }
  ~ScriptedServer() { state_->acceptor.close(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string port() const { return std::to_string(state_->acceptor.local_endpoint().port()); }
  int connections() const { return state_->connections; }
  // Those of them that neither side has closed.
  int open() const {
    return static_cast<int>(std::count_if(state_->sockets.begin(), state_->sockets.end(),
                                          [](const auto& socket) { return socket->is_open(); }));
  }
  // In the order they came in.
  const std::vector<std::string>& requests() const { return state_->requests; }
  // Over every connection that is open.
  void Push(const std::string& bytes) {
    for (const auto& socket : state_->sockets) {
      if (socket->is_open()) boost::asio::write(*socket, boost::asio::buffer(bytes));
    }
  }

 private:
  using Socket = boost::asio::ip::tcp::socket;

  // Shared with the coroutines, which end when the other side does.
  struct State {
    State(boost::asio::io_context& io, std::vector<Answer> to_give)
        : acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0}), answers(std::move(to_give)) {}

    boost::asio::ip::tcp::acceptor acceptor;
    const std::vector<Answer> answers;
    size_t next = 0;
    int connections = 0;
    std::vector<std::string> requests;
    std::vector<std::shared_ptr<Socket>> sockets;
  };

  static size_t BodyBytes(const std::string& header) {
    const std::string field = "Content-Length: ";
    const size_t at = header.find(field);
    return at == std::string::npos ? 0 : std::stoul(header.substr(at + field.size()));
  }

  static boost::asio::awaitable<void> Accept(std::shared_ptr<State> state) {
    for (;;) {
      boost::system::error_code error;
      auto socket = std::make_shared<Socket>(state->acceptor.get_executor());
      co_await state->acceptor.async_accept(*socket, boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) co_return;
      ++state->connections;
      state->sockets.push_back(socket);
      boost::asio::co_spawn(state->acceptor.get_executor(), Serve(state, socket), boost::asio::detached);
    }
  }

  static boost::asio::awaitable<void> Serve(std::shared_ptr<State> state, std::shared_ptr<Socket> socket) {
    std::string received;
    boost::system::error_code error;
    for (;;) {
      const size_t bytes =
          co_await boost::asio::async_read_until(*socket, boost::asio::dynamic_buffer(received), "\r\n\r\n",
                                                 boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) break;
      const size_t whole = bytes + BodyBytes(received.substr(0, bytes));
      if (received.size() < whole) {
        co_await boost::asio::async_read(*socket, boost::asio::dynamic_buffer(received),
                                         boost::asio::transfer_exactly(whole - received.size()),
                                         boost::asio::redirect_error(boost::asio::use_awaitable, error));
        if (error) break;
      }
      state->requests.push_back(received.substr(0, whole));
      received.erase(0, whole);
      if (state->next == state->answers.size()) continue;
      const Answer answer = state->answers[state->next++];
      co_await boost::asio::async_write(*socket, boost::asio::buffer(answer.bytes),
                                        boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error || answer.close) break;
    }
    socket->close(error);
  }

  const std::shared_ptr<State> state_;
};

}  // namespace waystation::adapters
