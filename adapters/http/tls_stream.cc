#include "adapters/http/tls_stream.h"

#include <array>
#include <new>

#include "boost/asio/error.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/ssl/error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"
#include "openssl/bio.h"
#include "openssl/err.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// At once from the connection: an answer, mostly. One such buffer is held for each payment that waits for its answer.
constexpr size_t kMostReceiveBytes = 2 * 1024;

// What SSL_get_error says of a step that can't go on; `cause` is the first in OpenSSL's queue.
error_code Fault(int said, unsigned long cause) {
  if (said == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  if (cause == 0) return asio::ssl::error::unexpected_result;
  return {static_cast<int>(cause), asio::error::get_ssl_category()};
}

}  // namespace

TlsStream::TlsStream(boost::beast::tcp_stream& tcp, asio::ssl::context& context)
    : tcp_(tcp), ssl_(SSL_new(context.native_handle())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  received_ = BIO_new(BIO_s_mem());
  to_send_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_.get(), received_, to_send_);
  if (received_ == nullptr || to_send_ == nullptr) throw std::bad_alloc();
  // OpenSSL's two buffers of a record's size, while there is none.
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
}

asio::awaitable<void> TlsStream::Handshake(error_code& error) {
  SSL_set_connect_state(ssl_.get());
  const auto step = [this](size_t*) { return SSL_do_handshake(ssl_.get()); };
  co_await Finish(step, error);
}

asio::awaitable<void> TlsStream::Write(std::string_view bytes, error_code& error) {
  const auto step = [this, bytes](size_t* done) { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), done); };
  co_await Finish(step, error);
}

asio::awaitable<size_t> TlsStream::ReadSome(asio::mutable_buffer into, error_code& error) {
  const auto step = [this, into](size_t* done) { return SSL_read_ex(ssl_.get(), into.data(), into.size(), done); };
  co_return co_await Finish(step, error);
}

bool TlsStream::HasUnread() const {
  return SSL_has_pending(ssl_.get()) == 1 || BIO_pending(received_) > 0;
}

// Takes the step again until it is done, or can't be: each time sends what it gave to send, and fetches what it lacks.
template <typename Step>
asio::awaitable<size_t> TlsStream::Finish(Step step, error_code& error) {
  for (;;) {
    // The queue is the thread's, and other connections' steps come between this one's.
    ERR_clear_error();
    size_t bytes = 0;
    const int result = step(&bytes);
    const int said = SSL_get_error(ssl_.get(), result);
    const unsigned long cause = ERR_get_error();
    // Also when it failed: the alert tells the host why.
    error_code send_error;
    if (BIO_pending(to_send_) > 0) co_await SendPending(send_error);
    error = result > 0 || said == SSL_ERROR_WANT_READ ? send_error : Fault(said, cause);
    if (error || result > 0) co_return error ? 0 : bytes;
    co_await Receive(error);
    if (error) co_return 0;
  }
}

asio::awaitable<void> TlsStream::SendPending(error_code& error) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(to_send_, &data);
  co_await asio::async_write(tcp_, asio::buffer(data, static_cast<size_t>(size)),
                             asio::redirect_error(asio::use_awaitable, error));
  // What was not sent after an error is of no use any more.
  BIO_reset(to_send_);
}

asio::awaitable<void> TlsStream::Receive(error_code& error) {
  std::array<char, kMostReceiveBytes> bytes;
  const size_t size =
      co_await tcp_.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::eof) error = asio::ssl::error::stream_truncated;
  if (error) co_return;
  if (BIO_write(received_, bytes.data(), static_cast<int>(size)) != static_cast<int>(size)) {
    error = asio::error::no_memory;
  }
}

}  // namespace waystation::adapters::http
