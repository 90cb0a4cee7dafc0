#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::adapters::http {

// Where a host is, taken from a URL.
struct Endpoint {
  bool tls = false;
  std::string host;  // a name or an address; IPv6 without brackets
  std::string port;  // digits
  std::string path;  // empty, or begins with '/' and does not end with one

  // The Host field's value: brackets around an IPv6 address, no port where it is the scheme's own.
  std::string Authority() const;
};

// "https://host[:port][/path]" or "http://...". InvalidArgument "fault; expected ..." for anything else: a user, a
// query, a fragment, blanks, a port outside 1 .. 65535.
absl::StatusOr<Endpoint> ParseUrl(std::string_view url);

}  // namespace waystation::adapters::http
