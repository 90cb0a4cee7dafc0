#include "storage/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::storage {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Looking an algorithm up costs more than hashing a small block, so it is done once.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  WS_CHECK(algorithm != nullptr, "OpenSSL has no SHA256");
  return algorithm;
}

}  // namespace

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Digest digest;
  unsigned int size = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, Algorithm(), nullptr);
  WS_CHECK(ok == 1 && size == digest.size(), "SHA-256 failed");
  return digest;
}

Sha256Digest HmacSha256(std::string_view key, std::string_view bytes) {
  Sha256Digest digest;
  unsigned int size = 0;
  const unsigned char* result =
      HMAC(Algorithm(), key.data(), static_cast<int>(key.size()), Bytes(bytes), bytes.size(), digest.data(), &size);
  WS_CHECK(result != nullptr && size == digest.size(), "HMAC-SHA256 failed");
  return digest;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  const int ok = RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  WS_CHECK(ok == 1, "the system has no random bytes");
  return bytes;
}

std::string_view AsText(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string ToHex(const Sha256Digest& digest) {
  std::string text;
  for (uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace waystation::storage
