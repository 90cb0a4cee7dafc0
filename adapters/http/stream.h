#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "adapters/http/look_up.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/system/error_code.hpp"
#include "openssl/ssl.h"

namespace waystation::adapters::http {

// The client's end of a connection: its bytes as they are, or by TLS. Every step is first tried at once, and only what
// can't be done yet is waited for.
//
// As many are open as payments are in flight, so it holds little: OpenSSL reads from the socket and writes to it, with
// no buffer between, and what OpenSSL itself needs for a record is there only while there is one.
//
// One operation at a time, on the connection's executor alone; after an error there is no further one. It knows no
// deadlines: whoever has one closes the socket. The socket's own errors come through, save that an end without TLS's
// own is stream_truncated.
class Stream {
 public:
  // `tls`: null for none; it may go before this does. Throws std::bad_alloc.
  Stream(const boost::asio::any_io_executor& executor, boost::asio::ssl::context* tls);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // To the first of them that takes it.
  boost::asio::awaitable<void> Connect(const Addresses& addresses, boost::system::error_code& error);
  // With TLS, before anything else.
  boost::asio::awaitable<void> Handshake(boost::system::error_code& error);
  // All of `bytes`, which are some. After an error it is not known how many of them the host has.
  boost::asio::awaitable<void> Write(std::string_view bytes, boost::system::error_code& error);
  // Until there may be something to read: without what a reader holds, which would be idle so long.
  boost::asio::awaitable<void> WaitToRead(boost::system::error_code& error);
  // How many bytes it has put into `into`, one at least; error::eof once the host has closed it, or said that it is
  // done.
  boost::asio::awaitable<size_t> ReadSome(boost::asio::mutable_buffer into, boost::system::error_code& error);

  // Whether there is nothing to read and the connection stands, as far as is known here.
  bool IsQuiet();

  boost::asio::ip::tcp::socket& socket() { return socket_; }
  // Null without TLS.
  SSL* ssl() { return ssl_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  struct Bio;

  template <typename Step>
  boost::asio::awaitable<size_t> Finish(Step step, boost::system::error_code& error);
  // For a step of OpenSSL's: its result, and what it waits for.
  template <typename Step>
  size_t Take(Step step, boost::system::error_code& error, boost::asio::ip::tcp::socket::wait_type& waits_for);

  boost::asio::ip::tcp::socket socket_;
  const std::unique_ptr<SSL, Free> ssl_;
  // What the socket said to OpenSSL last.
  boost::system::error_code socket_error_;
};

}  // namespace waystation::adapters::http
