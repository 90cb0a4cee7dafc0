#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/ssl/context.hpp"

namespace waystation::adapters::http {

// What a client asks of a host's TLS: version 1.2 or later, and a certificate that a CA in `ca_file` (PEM) has signed,
// which is within its dates and bears the host's name. Reads the file once. InvalidArgument "fault; expected ..." where
// it can't be read or holds no certificate.
//
// Shared by the client and its connections, which may outlive it.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> ClientTls(const std::string& ca_file);

}  // namespace waystation::adapters::http
