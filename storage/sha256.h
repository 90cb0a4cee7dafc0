#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// The only place that touches OpenSSL below the adapters.
namespace waystation::storage {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);

// HMAC-SHA256 (RFC 2104).
Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

// Compares in a time that does not depend on where the two differ.
bool EqualInConstantTime(std::string_view a, std::string_view b);

// `count` bytes from the system's cryptographic generator.
std::string RandomBytes(size_t count);

std::string_view AsText(const Sha256Digest& digest);
std::string ToHex(const Sha256Digest& digest);

}  // namespace waystation::storage
