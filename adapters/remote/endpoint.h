#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/settings.h"

namespace grpc {
class Channel;
}

namespace waystation::adapters::remote {

// Where an adapter process is, and how it is spoken to. The TLS texts are PEM.
struct Endpoint {
  std::string address;  // host:port
  std::string ca;       // empty: plain text
  std::string certificate;
  std::string key;
  // Between two pings of an open connection, and until one that is not answered counts as its end.
  std::chrono::milliseconds keepalive{0};
};

// Takes `address`, `tls_ca_file`, `tls_certificate_file`, `tls_key_file`, `plain_text_off_loopback` and `keepalive_ms`
// from the reader (README.md describes them) and reads the files; the faults are with the reader.
Endpoint ReadEndpoint(SettingsReader& reader);

// A channel that pings its connection, repeats nothing, is told nothing by DNS, goes through no proxy, and takes
// messages of a bounded size. Connects when it is first used.
std::shared_ptr<grpc::Channel> MakeChannel(const Endpoint& endpoint);

// The text of a file of at most 64 KiB. InvalidArgument: "FILE: why not".
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace waystation::adapters::remote
