#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/system/error_code.hpp"
#include "openssl/ssl.h"

namespace waystation::adapters::http {

// The client's end of TLS over a connection, which its owner connects, gives deadlines, and closes.
//
// As many are open as payments are in flight, so it holds little: where boost::asio::ssl::stream keeps four buffers of
// 17 KB for each connection, this one keeps what OpenSSL has not taken yet, or is to be sent: 1 to 4 KB.
//
// One operation at a time, on the connection's executor alone; after an error there is no further one. The connection's
// own errors come through, its timeout among them, save that an end without TLS's own is stream_truncated.
class TlsStream {
 public:
  // `context` may go before this does; `tcp` may not. Throws std::bad_alloc.
  TlsStream(boost::beast::tcp_stream& tcp, boost::asio::ssl::context& context);

  boost::asio::awaitable<void> Handshake(boost::system::error_code& error);
  // All of `bytes`, which are some. After an error it is not known how many of them the host has.
  boost::asio::awaitable<void> Write(std::string_view bytes, boost::system::error_code& error);
  // How many bytes it has put into `into`, one at least; error::eof once the host has said that it is done.
  boost::asio::awaitable<size_t> ReadSome(boost::asio::mutable_buffer into, boost::system::error_code& error);

  // Whether anything was read from the connection that ReadSome has not given yet.
  bool HasUnread() const;

  SSL* native_handle() { return ssl_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  template <typename Step>
  boost::asio::awaitable<size_t> Finish(Step step, boost::system::error_code& error);
  boost::asio::awaitable<void> SendPending(boost::system::error_code& error);
  boost::asio::awaitable<void> Receive(boost::system::error_code& error);

  boost::beast::tcp_stream& tcp_;
  const std::unique_ptr<SSL, Free> ssl_;
  // The SSL's own.
  BIO* received_ = nullptr;
  BIO* to_send_ = nullptr;
};

}  // namespace waystation::adapters::http
