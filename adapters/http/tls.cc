#include "adapters/http/tls.h"

#include "fmt/format.h"
#include "openssl/ssl.h"

namespace waystation::adapters::http {

namespace ssl = boost::asio::ssl;

absl::StatusOr<std::shared_ptr<ssl::context>> ClientTls(const std::string& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  context->load_verify_file(ca_file, error);
  if (error) {
    return absl::InvalidArgumentError(fmt::format(
        "\"{}\" can't be read as certificates ({}); expected a PEM file with the certificate of the host's CA", ca_file,
        error.message()));
  }
  context->set_verify_mode(ssl::verify_peer, error);
  if (error || SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION) != 1) {
    return absl::InternalError("OpenSSL does not take the settings of a client");
  }
  return context;
}

}  // namespace waystation::adapters::http
