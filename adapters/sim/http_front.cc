#include "adapters/sim/http_front.h"

#include <chrono>

#include "boost/asio/redirect_error.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "fmt/format.h"

namespace waystation::adapters::sim {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

constexpr size_t kMostRequestBytes = 64 * 1024;

// Whether all of it went out.
template <typename Stream>
asio::awaitable<bool> Send(Stream& stream, const Delivery& delivery) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  error_code error;
  for (const Delivery::Piece& piece : delivery.pieces) {
    if (piece.wait.count() > 0) {
      timer.expires_after(piece.wait);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    if (piece.bytes.empty()) continue;
    co_await asio::async_write(stream, asio::buffer(piece.bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
  }
  co_return true;
}

}  // namespace

std::string HttpBytes(unsigned status, const std::vector<std::pair<std::string_view, std::string>>& fields,
                      std::string_view body) {
  const boost::beast::string_view reason = http::obsolete_reason(http::int_to_status(status));
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", status,
                                  std::string_view(reason.data(), reason.size()), body.size());
  for (const auto& [name, value] : fields) bytes += fmt::format("{}: {}\r\n", name, value);
  bytes += "\r\n";
  return bytes.append(body);
}

HttpFront::HttpFront(const HostParts& parts, std::shared_ptr<ssl::context> tls, Answer answer)
    : faults_(parts.faults),
      tls_(std::move(tls)),
      answer_(std::move(answer)),
      listener_(parts.io, parts.listen,
                [this](std::shared_ptr<asio::ip::tcp::socket> socket) { return Serve(std::move(socket)); }) {}

asio::awaitable<void> HttpFront::Serve(std::shared_ptr<asio::ip::tcp::socket> socket) {
  if (tls_ == nullptr) {
    co_await ServeOver(*socket);
    co_return;
  }
  ssl::stream<asio::ip::tcp::socket&> stream(*socket, *tls_);
  error_code error;
  co_await stream.async_handshake(ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await ServeOver(stream);
}

template <typename Stream>
asio::awaitable<void> HttpFront::ServeOver(Stream& stream) {
  boost::beast::flat_buffer buffer;
  error_code error;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMostRequestBytes);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    HttpAnswer answer = answer_(parser.get());
    if (answer.take_up) {
      asio::steady_timer timer(co_await asio::this_coro::executor, answer.fault.delay);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      answer.bytes = answer.take_up();
    }
    const Delivery delivery = Deliver(answer.fault, faults_->NextLatency(), std::move(answer.bytes), faults_->random());
    const bool sent = co_await Send(stream, delivery);
    // The socket closes as the last of those who keep it lets go.
    if (!sent || delivery.cut || !parser.keep_alive()) co_return;
  }
}

absl::StatusOr<std::shared_ptr<ssl::context>> ServerTls(const std::string& certificate_file,
                                                        const std::string& private_key_file) {
  auto tls = std::make_shared<ssl::context>(ssl::context::tls_server);
  error_code error;
  tls->use_certificate_chain_file(certificate_file, error);
  if (error) {
    return absl::InvalidArgumentError(fmt::format("\"{}\" can't be read as a certificate ({}); expected a PEM file",
                                                  certificate_file, error.message()));
  }
  tls->use_private_key_file(private_key_file, ssl::context::pem, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" can't be read as the certificate's private key ({}); expected a PEM file", private_key_file,
                    error.message()));
  }
  return tls;
}

}  // namespace waystation::adapters::sim
