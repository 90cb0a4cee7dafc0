#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/wire.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_host.h"

namespace waystation::adapters::iso8583 {

// Takes one connection after another, keeps what comes, and answers as the test says.
class AnsweredHost {
 public:
  // Makes the answer to a request out of an echo of it; false: none is sent.
  using AnswerBy = std::function<bool(const Message& request, Message* answer)>;

  AnsweredHost()
      : file_(LoadHost(ElectricityFile())),
        acceptor_(io_, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    boost::asio::co_spawn(io_, Accept(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~AnsweredHost() {
    io_.stop();
    thread_.join();
  }
  AnsweredHost(const AnsweredHost&) = delete;
  AnsweredHost& operator=(const AnsweredHost&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  const HostFile& file() const { return file_; }
  void Answer(AnswerBy answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  // From here on only the first half of each answer is sent.
  void AnswerByHalves() {
    const std::lock_guard lock(mutex_);
    by_halves_ = true;
  }
  // From here on a connection ends as soon as it has signed on.
  void DropAfterSignOn() {
    const std::lock_guard lock(mutex_);
    drop_ = true;
  }
  // Goes out with the next answer, before it.
  void SendAlong(const Message& message) {
    const std::lock_guard lock(mutex_);
    along_.push_back(message);
  }
  // What answers the host's own network requests; the first, once it has come.
  Message FirstNetworkAnswer() {
    std::unique_lock lock(mutex_);
    network_answer_came_.wait(lock, [this] { return !network_answers_.empty(); });
    return network_answers_.front();
  }
  // All requests but sign-on and echo tests.
  std::vector<Message> Requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  boost::asio::awaitable<void> Accept() {
    for (;;) {
      boost::asio::ip::tcp::socket socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      auto wire = std::make_shared<Wire>(std::move(socket), file_.specification.frame(), std::chrono::seconds(60));
      auto out = std::make_shared<std::string>();
      wire->Start({.fill = [out](std::string* to) { to->append(std::exchange(*out, "")); },
                   .message =
                       [this, out, kept = std::weak_ptr<Wire>(wire)](std::string_view bytes) {
                         const bool drop = OnMessage(bytes, out.get());
                         kept.lock()->Kick();
                         if (drop) kept.lock()->CloseWhenWritten();
                       },
                   .ended = [](const std::string&) {}});
    }
  }

  // True: the connection is to end.
  bool OnMessage(std::string_view bytes, std::string* out) {
    const std::lock_guard lock(mutex_);
    Message request;
    EXPECT_TRUE(Unpack(file_.specification, bytes, &request).ok());
    if (request.mti() == "0810") {
      network_answers_.push_back(request);
      network_answer_came_.notify_all();
      return false;
    }
    for (Message& message : std::exchange(along_, {})) {
      EXPECT_TRUE(PackFrame(file_.specification, nullptr, &message, out).ok());
    }
    Message answer = request;
    std::string mti(request.mti());
    mti[2] = static_cast<char>(mti[2] + 1);
    mti[3] = '0';
    answer.set_mti(mti);
    answer.Clear(90);
    answer.Set(39, "00");
    bool send = true;
    if (request.mti() != "0800") {
      requests_.push_back(request);
      send = answer_(request, &answer);
    }
    if (send) {
      EXPECT_TRUE(PackFrame(file_.specification, nullptr, &answer, out).ok());
      if (by_halves_) out->resize(out->size() / 2);
    }
    return drop_;
  }

  const HostFile file_;
  std::mutex mutex_;
  AnswerBy answer_ = [](const Message&, Message*) { return true; };
  std::vector<Message> requests_;
  std::vector<Message> along_;
  std::vector<Message> network_answers_;
  std::condition_variable network_answer_came_;
  bool by_halves_ = false;
  bool drop_ = false;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace waystation::adapters::iso8583
