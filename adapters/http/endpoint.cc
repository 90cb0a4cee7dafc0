#include "adapters/http/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "fmt/format.h"

namespace waystation::adapters::http {
namespace {

constexpr std::string_view kHttpPort = "80";
constexpr std::string_view kHttpsPort = "443";

absl::Status Fault(std::string_view url, std::string_view fault) {
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" {}; expected https://host[:port][/path], or http://...", url, fault));
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

bool IsIpv6Character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

// What RFC 3986 lets stand in a path, without the percent sign: nothing here needs escapes.
bool IsPathCharacter(char c) {
  return IsHostCharacter(c) || std::string_view("/_~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

// Takes `prefix` off `text`; false, and nothing taken, where it does not begin with it.
bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool IsPort(std::string_view text) {
  uint32_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && parsed_to == end && port >= 1 && port <= 65'535 && text[0] != '0';
}

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

}  // namespace

std::string Endpoint::Authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return port == (tls ? kHttpsPort : kHttpPort) ? name : fmt::format("{}:{}", name, port);
}

absl::StatusOr<Endpoint> ParseUrl(std::string_view url) {
  Endpoint endpoint;
  std::string_view rest = url;
  if (Consume(rest, "https://")) {
    endpoint.tls = true;
  } else if (!Consume(rest, "http://")) {
    return Fault(url, "is not a URL of http or https");
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  endpoint.path = std::string(rest.substr(slash));
  if (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  if (!All(endpoint.path, IsPathCharacter)) return Fault(url, "has a path with other characters than a path may have");

  if (Consume(authority, "[")) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return Fault(url, "has a '[' without its ']'");
    endpoint.host = std::string(authority.substr(0, end));
    authority.remove_prefix(end + 1);
    if (!All(endpoint.host, IsIpv6Character)) return Fault(url, "has no IPv6 address in its brackets");
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    endpoint.host = std::string(authority.substr(0, colon));
    authority.remove_prefix(colon);
    if (!All(endpoint.host, IsHostCharacter))
      return Fault(url, "has a host with other characters than a name may have");
  }
  if (endpoint.host.empty()) return Fault(url, "has no host");

  endpoint.port = std::string(endpoint.tls ? kHttpsPort : kHttpPort);
  if (!authority.empty()) {
    if (!Consume(authority, ":") || !IsPort(authority)) return Fault(url, "has no port from 1 to 65535 after its ':'");
    endpoint.port = std::string(authority);
  }
  return endpoint;
}

}  // namespace waystation::adapters::http
