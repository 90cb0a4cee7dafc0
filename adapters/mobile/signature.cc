#include "adapters/mobile/signature.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "openssl/core_names.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/params.h"
#include "openssl/rand.h"
#include "switch/core/check.h"

namespace waystation::adapters::mobile {
namespace {

constexpr size_t kLeastKeyBytes = 16;
constexpr size_t kMostKeyBytes = 64;
constexpr size_t kNonceBytes = 16;
constexpr size_t kDigestBytes = 32;

// In small letters.
std::string Hex(const unsigned char* bytes, size_t size) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes), size));
}

absl::Status KeyFault(const std::string& key_file, std::string_view fault) {
  return absl::InvalidArgumentError(fmt::format("\"{}\" {}; expected a file with {} to {} hexadecimal digits", key_file,
                                                fault, 2 * kLeastKeyBytes, 2 * kMostKeyBytes));
}

}  // namespace

absl::StatusOr<Signer> Signer::FromFile(const std::string& key_file) {
  std::ifstream file(key_file, std::ios::binary);
  if (!file) return KeyFault(key_file, "can't be opened");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.size() % 2 != 0 || !std::all_of(text.begin(), text.end(), absl::ascii_isxdigit)) {
    return KeyFault(key_file, "has something else in it, or an odd number of digits");
  }
  std::string key = absl::HexStringToBytes(text);
  if (key.size() < kLeastKeyBytes || key.size() > kMostKeyBytes) {
    return KeyFault(key_file, fmt::format("has {} digits", text.size()));
  }
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  WS_CHECK(hmac != nullptr, "OpenSSL has HMAC");
  Context keyed(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  WS_CHECK(keyed != nullptr && EVP_MAC_init(keyed.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                                            parameters) == 1,
           "OpenSSL takes a key for HMAC-SHA256");
  return Signer(std::move(keyed));
}

std::string Signer::Sign(const Signed& message) const {
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}", message.method_or_status, message.path, message.timestamp,
                                       message.nonce, message.body);
  const Context context(EVP_MAC_CTX_dup(keyed_.get()));
  std::array<unsigned char, kDigestBytes> digest{};
  size_t size = 0;
  // Without memory for it there is no digest, and nobody takes that for a signature.
  if (context == nullptr ||
      EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1 ||
      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1) {
    return "";
  }
  return Hex(digest.data(), size);
}

bool Signer::Verify(const Signed& message, std::string_view signature) const {
  const std::string expected = Sign(message);
  return expected.size() == 2 * kDigestBytes && signature.size() == expected.size() &&
         CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

std::string NewNonce() {
  std::array<unsigned char, kNonceBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return "";
  return Hex(bytes.data(), bytes.size());
}

}  // namespace waystation::adapters::mobile
