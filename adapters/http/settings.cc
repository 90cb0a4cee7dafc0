#include "adapters/http/settings.h"

#include <chrono>
#include <string>
#include <utility>

#include "adapters/http/tls.h"
#include "fmt/format.h"

namespace waystation::adapters::http {
namespace {

constexpr uint64_t kMostIdle = 10'000;
constexpr uint64_t kDefaultMostIdle = 1'000;
constexpr uint64_t kLongestIdleMs = 600'000;
// Hosts commonly close after 15 seconds or more.
constexpr uint64_t kDefaultIdleMs = 10'000;
constexpr uint64_t kLeastAnswerBytes = 256;
constexpr uint64_t kMostAnswerBytes = 1024 * 1024;
constexpr uint64_t kDefaultAnswerBytes = 64 * 1024;

void ReadTls(SettingsReader& reader, ClientOptions& options) {
  const std::string ca_file = reader.Text("ca_file", "");
  if (!options.endpoint.tls) {
    if (!ca_file.empty()) reader.Refuse("ca_file", "the url is not one of https; expected no ca_file, or https in url");
    return;
  }
  if (ca_file.empty()) {
    reader.Refuse("ca_file", "missing; expected the PEM file of the CA that signed the host's certificate");
    return;
  }
  auto tls = ClientTls(ca_file);
  if (!tls.ok()) {
    reader.Refuse("ca_file", std::string(tls.status().message()));
    return;
  }
  options.tls = *std::move(tls);
}

}  // namespace

ClientOptions ReadClientOptions(SettingsReader& reader, Transport transport) {
  ClientOptions options;
  const std::string url = reader.Text("url");
  if (absl::StatusOr<Endpoint> endpoint = ParseUrl(url); endpoint.ok()) {
    options.endpoint = *std::move(endpoint);
    if (transport == Transport::kTls && !options.endpoint.tls) {
      reader.Refuse("url", fmt::format("\"{}\" is not one of https; expected https://host[:port][/path]", url));
    }
  } else {
    reader.Refuse("url", std::string(endpoint.status().message()));
  }
  ReadTls(reader, options);
  options.most_idle = reader.Number("most_idle_connections", 0, kMostIdle, kDefaultMostIdle);
  options.idle_limit = std::chrono::milliseconds(reader.Number("idle_limit_ms", 0, kLongestIdleMs, kDefaultIdleMs));
  options.most_answer_bytes =
      reader.Number("most_answer_bytes", kLeastAnswerBytes, kMostAnswerBytes, kDefaultAnswerBytes);
  return options;
}

}  // namespace waystation::adapters::http
