#include "adapters/http/connection.h"

#include <utility>

#include "adapters/http/read_answer.h"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/query.hpp"
#include "boost/beast/core/error.hpp"
#include "fmt/format.h"
#include "openssl/ssl.h"
#include "openssl/x509_vfy.h"
#include "openssl/x509v3.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

absl::Status Fault(const Endpoint& endpoint, std::string_view step, std::string_view cause) {
  return absl::UnavailableError(fmt::format("{} {}: {}", step, endpoint.Authority(), cause));
}

absl::Status Fault(const Endpoint& endpoint, std::string_view step, const error_code& error) {
  if (error == boost::beast::error::timeout) return Fault(endpoint, step, "no answer by the deadline");
  return Fault(endpoint, step, error.message());
}

// SNI and the name that the certificate must bear.
bool ExpectName(SSL* ssl, const std::string& host) {
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

Connection::Connection(const asio::any_io_executor& executor, std::shared_ptr<const ClientOptions> options)
    : options_(std::move(options)),
      deadlines_(asio::use_service<Deadlines>(asio::query(executor, asio::execution::context))),
      stream_(executor, options_->endpoint.tls ? options_->tls.get() : nullptr),
      buffer_(MostBufferBytes(options_->most_answer_bytes)) {}

asio::awaitable<absl::Status> Connection::Open(std::shared_ptr<LookUp> look_up, Deadline deadline) {
  absl::Status status = co_await Connect(std::move(look_up), deadline);
  if (status.ok() && options_->endpoint.tls) status = co_await Handshake(deadline);
  co_return status;
}

asio::awaitable<absl::Status> Connection::Connect(std::shared_ptr<LookUp> look_up, Deadline deadline) {
  const Endpoint& endpoint = options_->endpoint;
  error_code error;
  const asio::ip::address address = asio::ip::make_address(endpoint.host, error);
  Addresses addresses;
  if (!error) {
    const auto port = static_cast<uint16_t>(std::stoi(endpoint.port));
    addresses.emplace_back(address, port);
  } else {
    absl::StatusOr<Addresses> found = co_await LookUp::Find(std::move(look_up), deadline);
    if (!found.ok()) co_return Fault(endpoint, "look up", std::string(found.status().message()));
    addresses = *std::move(found);
  }
  const Deadlines::Watch watch(deadlines_, deadline, stream_.socket());
  co_await stream_.Connect(addresses, error);
  if (watch.passed()) error = boost::beast::error::timeout;
  co_return error ? Fault(endpoint, "connect to", error) : absl::OkStatus();
}

asio::awaitable<absl::Status> Connection::Handshake(Deadline deadline) {
  const Endpoint& endpoint = options_->endpoint;
  SSL* const ssl = stream_.ssl();
  if (!ExpectName(ssl, endpoint.host)) {
    co_return absl::UnavailableError(fmt::format("TLS with {}: \"{}\" is no name that a certificate could bear",
                                                 endpoint.Authority(), endpoint.host));
  }
  const Deadlines::Watch watch(deadlines_, deadline, stream_.socket());
  error_code error;
  co_await stream_.Handshake(error);
  if (watch.passed()) error = boost::beast::error::timeout;
  if (!error) co_return absl::OkStatus();
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_OK) co_return Fault(endpoint, "TLS with", error);
  co_return absl::UnavailableError(fmt::format("TLS with {}: the host's certificate is refused: {}",
                                               endpoint.Authority(), X509_verify_cert_error_string(verdict)));
}

asio::awaitable<Result> Connection::Exchange(std::string bytes, Deadline deadline) {
  keep_alive_ = false;
  const Deadlines::Watch watch(deadlines_, deadline, stream_.socket());
  error_code error;
  co_await stream_.Write(bytes, error);
  // How much of it the host has is not known.
  if (watch.passed()) co_return Broken{"the request was not taken by the deadline"};
  if (error) co_return Broken{fmt::format("the connection broke as the request went out: {}", error.message())};
  bytes = std::string();  // not held while the answer is waited for
  // An error is told by the reading too.
  co_await stream_.WaitToRead(error);
  const auto read_some = [&](asio::mutable_buffer into, error_code& read_error) -> asio::awaitable<size_t> {
    const size_t size = co_await stream_.ReadSome(into, read_error);
    if (watch.passed()) read_error = boost::beast::error::timeout;
    co_return size;
  };
  AnswerRead read = co_await ReadAnswer(read_some, buffer_, options_->most_answer_bytes);
  keep_alive_ = read.keep_alive;
  buffer_.shrink_to_fit();
  co_return std::move(read.result);
}

bool Connection::Reusable() {
  return keep_alive_ && buffer_.size() == 0 && stream_.IsQuiet();
}

}  // namespace waystation::adapters::http
