#include "adapters/remote/endpoint.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "switch/core/limits.h"

namespace waystation::adapters::remote {
namespace {

constexpr std::string_view kAcceptsPlainText = "I accept that anyone on this network can read and forge payments";
// How long one attempt to connect may take, and the wait between two.
constexpr int kConnectMs = 5'000;
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 2'000;
constexpr uint64_t kLeastKeepaliveMs = 1'000;
constexpr uint64_t kMostKeepaliveMs = 3'600'000;
// A gRPC server that is told nothing takes a ping every 300 s on a connection that carries no data, and closes it at
// the third one that comes too soon.
constexpr uint64_t kUsualKeepaliveMs = 310'000;
// How long the other end may leave a ping, or what was sent to it, unacknowledged: gRPC gives it to TCP too, so that a
// payment sent over a dead connection finds it out.
constexpr int64_t kMostPingTimeoutMs = 10'000;

// The host of "host:port", without the brackets of an IPv6 address; null when it is not of that form.
std::optional<std::string_view> HostOf(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == address.npos || colon == 0) return std::nullopt;
  uint16_t port = 0;
  const char* end = address.data() + address.size();
  const auto [parsed_to, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || parsed_to != end || port == 0) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
  if (!bracketed && host.find_first_not_of(allowed) != host.npos) return std::nullopt;
  return host;
}

bool IsLoopback(std::string_view host) {
  const bool four_numbers = host.find_first_not_of("0123456789.") == host.npos;
  return host == "localhost" || host == "::1" || (four_numbers && host.starts_with("127."));
}

std::string ReadPem(SettingsReader& reader, const std::string& name) {
  const std::string path = reader.Text(name, "");
  if (path.empty()) return "";
  absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    reader.Refuse(name, std::string(text.status().message()));
    return "";
  }
  if (text->find("-----BEGIN ") == text->npos) {
    reader.Refuse(name, fmt::format("{} has no \"-----BEGIN\" line; expected a PEM file", path));
  }
  return *std::move(text);
}

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  constexpr size_t kMostBytes = 64 * 1024;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(fmt::format("{}: {}; expected a file that can be read", path, strerror(errno)));
  }
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return absl::InvalidArgumentError(fmt::format("{}: can't be read; expected a file", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMostBytes) {
    return absl::InvalidArgumentError(fmt::format("{}: too long; expected at most {} bytes", path, kMostBytes));
  }
  return text;
}

Endpoint ReadEndpoint(SettingsReader& reader) {
  Endpoint endpoint;
  endpoint.address = reader.Text("address");
  const std::optional<std::string_view> host = HostOf(endpoint.address);
  if (!endpoint.address.empty() && !host) {
    reader.Refuse("address", fmt::format("\"{}\" is no address; expected host:port, port 1 .. 65535, such as "
                                         "127.0.0.1:7501",
                                         endpoint.address));
  }
  endpoint.ca = ReadPem(reader, "tls_ca_file");
  endpoint.certificate = ReadPem(reader, "tls_certificate_file");
  endpoint.key = ReadPem(reader, "tls_key_file");
  if (endpoint.certificate.empty() != endpoint.key.empty()) {
    reader.Refuse(endpoint.key.empty() ? "tls_key_file" : "tls_certificate_file",
                  "missing; expected both of tls_certificate_file and tls_key_file, or neither");
  }
  if (endpoint.ca.empty() && !endpoint.key.empty()) {
    reader.Refuse("tls_ca_file", "missing; expected it beside tls_key_file: without it nothing is encrypted");
  }
  endpoint.keepalive =
      std::chrono::milliseconds(reader.Number("keepalive_ms", kLeastKeepaliveMs, kMostKeepaliveMs, kUsualKeepaliveMs));
  const std::string accepts = reader.Text("plain_text_off_loopback", "");
  if (!accepts.empty() && accepts != kAcceptsPlainText) {
    reader.Refuse("plain_text_off_loopback",
                  fmt::format("another text; expected exactly \"{}\", or no such setting", kAcceptsPlainText));
  }
  if (host && endpoint.ca.empty() && accepts.empty() && !IsLoopback(*host)) {
    reader.Refuse("address",
                  fmt::format("{} is not loopback, and the connection would be in plain text; expected tls_ca_file, an "
                              "address 127.x.x.x, [::1] or localhost, or plain_text_off_loopback: \"{}\"",
                              *host, kAcceptsPlainText));
  }
  return endpoint;
}

std::shared_ptr<grpc::Channel> MakeChannel(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  // No call is ever made twice: not by a retry policy, nor "transparently" when the peer says that it refused a stream.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, static_cast<int>(core::kMaxRequestMessageBytes));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  // A health stream is always open, so it pings for as long as there is a connection.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(endpoint.keepalive.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(std::min<int64_t>(endpoint.keepalive.count(), kMostPingTimeoutMs)));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A connection of its own, and its own waits between attempts.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const std::shared_ptr<grpc::ChannelCredentials> credentials =
      endpoint.ca.empty() ? grpc::InsecureChannelCredentials()
                          : grpc::SslCredentials({.pem_root_certs = endpoint.ca,
                                                  .pem_private_key = endpoint.key,
                                                  .pem_cert_chain = endpoint.certificate});
  return grpc::CreateCustomChannel(endpoint.address, credentials, arguments);
}

}  // namespace waystation::adapters::remote
