#include "adapters/sim/certificates.h"

#include <cstdio>
#include <memory>

#include "openssl/ec.h"
#include "openssl/pem.h"
#include "openssl/x509v3.h"
#include "switch/core/check.h"

namespace waystation::adapters::sim {
namespace {

constexpr long kSecondsADay = 86'400;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File OpenFile(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), std::fclose);
  WS_CHECK(file != nullptr, "a file of a certificate cannot be written");
  return file;
}

EVP_PKEY* NewKey() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  WS_CHECK(key != nullptr, "OpenSSL makes no key");
  return key;
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  WS_CHECK(extension != nullptr, "an extension of a certificate is not understood");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Everything but the extensions and the signature. A null issuer: its own.
X509* NewCertificate(const std::string& name, EVP_PKEY* key, X509* issuer, int from_days, int to_days) {
  X509* certificate = X509_new();
  static long serial = 0;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from_days * kSecondsADay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to_days * kSecondsADay);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer == nullptr ? certificate : issuer));
  return certificate;
}

void SignAndWrite(X509* certificate, EVP_PKEY* key, const std::string& path) {
  WS_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0, "a certificate cannot be signed");
  PEM_write_X509(OpenFile(path).get(), certificate);
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& folder, const std::string& name)
    : folder_(folder),
      file_(folder + "/" + name + ".pem"),
      key_(NewKey()),
      certificate_(NewCertificate(name, key_, nullptr, -2, 10)) {
  AddExtension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_, certificate_, NID_key_usage, "critical,keyCertSign");
  SignAndWrite(certificate_, key_, file_);
}

CertificateAuthority::~CertificateAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

CertificateFiles CertificateAuthority::Issue(const std::string& label, const std::string& names, int from_days,
                                             int to_days) const {
  CertificateFiles files{folder_ + "/" + label + ".pem", folder_ + "/" + label + ".key"};
  EVP_PKEY* key = NewKey();
  X509* certificate = NewCertificate(label, key, certificate_, from_days, to_days);
  AddExtension(certificate, certificate_, NID_subject_alt_name, names);
  SignAndWrite(certificate, key_, files.certificate);
  PEM_write_PrivateKey(OpenFile(files.private_key).get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace waystation::adapters::sim
