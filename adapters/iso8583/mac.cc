#include "adapters/iso8583/mac.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/hex.h"
#include "fmt/format.h"
#include "openssl/core_names.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/params.h"
#include "switch/core/check.h"

namespace waystation::adapters::iso8583 {
namespace {

constexpr size_t kAesBlockBytes = 16;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Mac>> Mac::Make(std::string_view key) {
  const char* cipher = key.size() == 16 ? "AES-128-CBC" : key.size() == 24 ? "AES-192-CBC" : "AES-256-CBC";
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return absl::InvalidArgumentError(
        fmt::format("a MAC key of {} bytes; expected 16, 24 or 32 (32, 48 or 64 hexadecimal digits)", key.size()));
  }
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  WS_CHECK(algorithm != nullptr, "OpenSSL has CMAC");
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, const_cast<char*>(cipher), 0),
      OSSL_PARAM_construct_end()};
  WS_CHECK(context != nullptr && EVP_MAC_init(context, Bytes(key), key.size(), parameters) == 1,
           "OpenSSL takes an AES key for CMAC");
  return std::unique_ptr<Mac>(new Mac(context));
}

absl::StatusOr<std::unique_ptr<Mac>> Mac::FromFile(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return absl::NotFoundError(fmt::format("{} cannot be read; expected a file with the key", path));
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  std::optional<std::string> key = FromHex(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!key) return absl::InvalidArgumentError(fmt::format("{} has something else than hexadecimal digits", path));
  absl::StatusOr<std::unique_ptr<Mac>> mac = Make(*key);
  OPENSSL_cleanse(key->data(), key->size());
  if (mac.ok()) return mac;
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(mac.status().message())));
}

Mac::~Mac() {
  EVP_MAC_CTX_free(keyed_);
}

Mac::Code Mac::Compute(std::string_view bytes) const {
  EVP_MAC_CTX* context = EVP_MAC_CTX_dup(keyed_);
  unsigned char whole[kAesBlockBytes];
  size_t size = 0;
  WS_CHECK(context != nullptr && EVP_MAC_update(context, Bytes(bytes), bytes.size()) == 1 &&
               EVP_MAC_final(context, whole, &size, sizeof(whole)) == 1 && size == sizeof(whole),
           "OpenSSL computes a CMAC");
  EVP_MAC_CTX_free(context);
  Code code;
  std::copy_n(whole, kBytes, code.begin());
  return code;
}

int MacField(const Message& message) {
  return message.HasSecondary() ? 128 : 64;
}

absl::Status CheckMacFields(const Specification& specification) {
  for (const int number : {64, 128}) {
    const FieldSpecification* field = specification.field(number);
    if (field == nullptr || field->type != FieldType::kBinary || field->length_digits != 0 ||
        field->length != Mac::kBytes) {
      return absl::InvalidArgumentError(
          fmt::format("fields: {}: a MAC is asked for; expected type b, form fixed, length {}", number, Mac::kBytes));
    }
  }
  return absl::OkStatus();
}

absl::Status PackWithMac(const Specification& specification, const Mac* mac, Message* message, std::string* out) {
  if (mac == nullptr) return Pack(specification, *message, out);
  const int number = MacField(*message);
  message->Set(number, std::string_view("\0\0\0\0\0\0\0\0", Mac::kBytes));
  const size_t from = out->size();
  if (absl::Status status = Pack(specification, *message, out); !status.ok()) return status;
  const FieldSpecification& field = *specification.field(number);
  out->resize(out->size() - WireBytes(field));
  const Mac::Code code = mac->Compute(std::string_view(*out).substr(from));
  const std::string_view text(code.data(), code.size());
  message->Set(number, text);
  if (field.encoding == Encoding::kHex) {
    AppendHex(text, out);
  } else {
    *out += text;
  }
  return absl::OkStatus();
}

bool MacIsRight(const Specification& specification, const Mac& mac, std::string_view bytes, const Message& message) {
  const int number = MacField(message);
  if (!message.Has(number)) return false;
  const size_t wire_bytes = WireBytes(*specification.field(number));
  const Mac::Code code = mac.Compute(bytes.substr(0, bytes.size() - wire_bytes));
  return CRYPTO_memcmp(code.data(), message.Get(number).data(), Mac::kBytes) == 0;
}

}  // namespace waystation::adapters::iso8583
