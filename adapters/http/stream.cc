#include "adapters/http/stream.h"

#include <new>

#include "boost/asio/connect.hpp"
#include "boost/asio/error.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/ssl/error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "switch/core/check.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

// Of a record that is sent: OpenSSL's buffer for it is as large. Requests are smaller.
constexpr long kMostFragmentBytes = 4 * 1024;

}  // namespace

// What OpenSSL reads and writes through: the socket, which does not block, and signals nothing where it is broken.
struct Stream::Bio {
  static Stream* Of(BIO* bio) { return static_cast<Stream*>(BIO_get_data(bio)); }

  static int Write(BIO* bio, const char* data, size_t size, size_t* done) {
    Stream* const stream = Of(bio);
    BIO_clear_retry_flags(bio);
    *done = stream->socket_.send(asio::buffer(data, size), 0, stream->socket_error_);
    if (stream->socket_error_ == asio::error::would_block) BIO_set_retry_write(bio);
    return stream->socket_error_ ? 0 : 1;
  }

  static int Read(BIO* bio, char* data, size_t size, size_t* done) {
    Stream* const stream = Of(bio);
    BIO_clear_retry_flags(bio);
    *done = stream->socket_.receive(asio::buffer(data, size), 0, stream->socket_error_);
    if (stream->socket_error_ == asio::error::would_block) BIO_set_retry_read(bio);
    return stream->socket_error_ ? 0 : 1;
  }

  static long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "an asio socket");
      WS_CHECK(method != nullptr && BIO_meth_set_write_ex(method, Write) == 1 &&
                   BIO_meth_set_read_ex(method, Read) == 1 && BIO_meth_set_ctrl(method, Control) == 1,
               "OpenSSL takes a way to read and write");
      return method;
    }();
    return made;
  }
};

Stream::Stream(const asio::any_io_executor& executor, asio::ssl::context* tls)
    : socket_(executor), ssl_(tls == nullptr ? nullptr : SSL_new(tls->native_handle())) {
  if (tls == nullptr) return;
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(Bio::Method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  // All that is there at once, and not a record's header first.
  SSL_set_read_ahead(ssl_.get(), 1);
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_set_max_send_fragment(ssl_.get(), kMostFragmentBytes);
}

asio::awaitable<void> Stream::Connect(const Addresses& addresses, error_code& error) {
  co_await asio::async_connect(socket_, addresses, asio::redirect_error(asio::use_awaitable, error));
  if (!error) socket_.set_option(tcp::no_delay(true), error);
  if (!error) socket_.non_blocking(true, error);
}

asio::awaitable<void> Stream::Handshake(error_code& error) {
  SSL_set_connect_state(ssl_.get());
  co_await Finish(
      [this](error_code& failed, tcp::socket::wait_type& waits_for) {
        return Take([this](size_t*) { return SSL_do_handshake(ssl_.get()); }, failed, waits_for);
      },
      error);
}

asio::awaitable<void> Stream::Write(std::string_view bytes, error_code& error) {
  while (!bytes.empty()) {
    bytes.remove_prefix(co_await Finish(
        [this, bytes](error_code& failed, tcp::socket::wait_type& waits_for) {
          if (ssl_ != nullptr) {
            return Take([&](size_t* done) { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), done); },
                        failed, waits_for);
          }
          waits_for = tcp::socket::wait_write;
          return socket_.send(asio::buffer(bytes), 0, failed);
        },
        error));
    if (error) co_return;
  }
}

asio::awaitable<void> Stream::WaitToRead(error_code& error) {
  if (ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1) co_return;
  co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
}

asio::awaitable<size_t> Stream::ReadSome(asio::mutable_buffer into, error_code& error) {
  return Finish(
      [this, into](error_code& failed, tcp::socket::wait_type& waits_for) {
        if (ssl_ != nullptr) {
          return Take([&](size_t* done) { return SSL_read_ex(ssl_.get(), into.data(), into.size(), done); }, failed,
                      waits_for);
        }
        waits_for = tcp::socket::wait_read;
        return socket_.receive(asio::buffer(into), 0, failed);
      },
      error);
}

bool Stream::IsQuiet() {
  if (ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1) return false;
  char byte = 0;
  error_code error;
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error == asio::error::would_block;
}

// Takes the step again until it is done, or can't be: would_block means that it is to be waited for.
template <typename Step>
asio::awaitable<size_t> Stream::Finish(Step step, error_code& error) {
  for (;;) {
    tcp::socket::wait_type waits_for = tcp::socket::wait_read;
    const size_t bytes = step(error, waits_for);
    if (error != asio::error::would_block) co_return error ? 0 : bytes;
    co_await socket_.async_wait(waits_for, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return 0;
  }
}

template <typename Step>
size_t Stream::Take(Step step, error_code& error, tcp::socket::wait_type& waits_for) {
  // The queue is the thread's, and other connections' steps come between this one's.
  ERR_clear_error();
  error.clear();
  size_t bytes = 0;
  const int result = step(&bytes);
  if (result > 0) return bytes;
  const int said = SSL_get_error(ssl_.get(), result);
  const unsigned long cause = ERR_get_error();
  if (said == SSL_ERROR_WANT_READ || said == SSL_ERROR_WANT_WRITE) {
    waits_for = said == SSL_ERROR_WANT_READ ? tcp::socket::wait_read : tcp::socket::wait_write;
    error = asio::error::would_block;
  } else if (said == SSL_ERROR_ZERO_RETURN) {
    error = asio::error::eof;
  } else if (cause != 0) {
    error = error_code(static_cast<int>(cause), asio::error::get_ssl_category());
  } else if (socket_error_ == asio::error::eof) {
    error = asio::ssl::error::stream_truncated;
  } else {
    error = socket_error_ ? socket_error_ : asio::ssl::error::unexpected_result;
  }
  return 0;
}

}  // namespace waystation::adapters::http
