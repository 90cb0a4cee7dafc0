#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/iso8583/message.h"
#include "adapters/iso8583/specification.h"

struct evp_mac_ctx_st;

namespace waystation::adapters::iso8583 {

// The message authentication code: the first 8 bytes of AES-CMAC over the packed message, from the message type up to
// the MAC itself, which is the last element: 64, or 128 where there is any above 64.
//
// Threads: any, all at once.
class Mac {
 public:
  static constexpr size_t kBytes = 8;
  using Code = std::array<char, kBytes>;

  // `key`: 16, 24 or 32 bytes.
  static absl::StatusOr<std::unique_ptr<Mac>> Make(std::string_view key);
  // The key in hexadecimal digits, in a file of its own; blanks and line ends around it do not matter.
  static absl::StatusOr<std::unique_ptr<Mac>> FromFile(const std::string& path);
  ~Mac();
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  Code Compute(std::string_view bytes) const;

 private:
  explicit Mac(evp_mac_ctx_st* keyed) : keyed_(keyed) {}

  evp_mac_ctx_st* const keyed_;  // copied for each code
};

// The element that a message's MAC is in.
int MacField(const Message& message);

// Whether the specification has both MAC elements as they must be: b, fixed, 8 bytes.
absl::Status CheckMacFields(const Specification& specification);

// Packs `message` with its MAC, which it sets. `mac` null: without one.
absl::Status PackWithMac(const Specification& specification, const Mac* mac, Message* message, std::string* out);

// Whether `bytes`, which were unpacked as `message`, end in the right MAC.
bool MacIsRight(const Specification& specification, const Mac& mac, std::string_view bytes, const Message& message);

}  // namespace waystation::adapters::iso8583
