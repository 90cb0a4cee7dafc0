#pragma once

#include <string>

#include "openssl/evp.h"
#include "openssl/x509.h"

namespace waystation::adapters::sim {

// A certificate and its private key, as PEM files.
struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};

// A certificate authority made on the spot, whose files lie in `folder`: for hosts that only tests and measurements
// reach. A file that cannot be written stops the process.
class CertificateAuthority {
 public:
  CertificateAuthority(const std::string& folder, const std::string& name);
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  // Its own certificate, for whoever trusts it.
  const std::string& file() const { return file_; }
  // A server's certificate for `names` ("IP:127.0.0.1", "DNS:localhost"), valid from and to so many days from now.
  CertificateFiles Issue(const std::string& label, const std::string& names, int from_days, int to_days) const;

 private:
  const std::string folder_;
  const std::string file_;
  EVP_PKEY* const key_;
  X509* const certificate_;
};

}  // namespace waystation::adapters::sim
