#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "openssl/evp.h"

namespace waystation::adapters::mobile {

// The names of the fields that carry it.
inline constexpr std::string_view kPartnerField = "X-Partner";
inline constexpr std::string_view kTimestampField = "X-Timestamp";
inline constexpr std::string_view kNonceField = "X-Nonce";
inline constexpr std::string_view kSignatureField = "X-Signature";

// What is signed. A request: its method, the path that was asked for, the time in ms since 1970, a number that comes
// once, the body. An answer: its status in place of the method; path and nonce are the request's, so that it answers
// that request and no other.
struct Signed {
  std::string_view method_or_status;
  std::string_view path;
  std::string_view timestamp;
  std::string_view nonce;
  std::string_view body;
};

// HMAC-SHA256 with a key that partner and host share. Any thread.
class Signer {
 public:
  // The key from a file: hexadecimal digits, 16 to 64 bytes. InvalidArgument "fault; expected ..." where it has none.
  static absl::StatusOr<Signer> FromFile(const std::string& key_file);

  // 64 hexadecimal digits over the five parts, a line each.
  std::string Sign(const Signed& message) const;
  // In a time that does not depend on where they differ.
  bool Verify(const Signed& message, std::string_view signature) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MAC_CTX, Free>;

  explicit Signer(Context keyed) : keyed_(std::move(keyed)) {}

  // Has taken in the key; each message is signed by a copy of it, in half the time that beginning anew takes.
  Context keyed_;
};

// 32 hexadecimal digits, never the same again; empty when the system has no random numbers.
std::string NewNonce();

}  // namespace waystation::adapters::mobile
