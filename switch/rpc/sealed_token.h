#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "switch/core/business_date.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"
#include "switch/flow/payment_flow.h"

namespace waystation::rpc {

// Text that callers carry for us and can't change: a payload with its HMAC-SHA256, in base64url. Any thread.
class TokenSeal {
 public:
  // `key`: 32 random bytes, kept with the data, so that tokens outlive a restart.
  explicit TokenSeal(std::string key) : key_(std::move(key)) {}

  // `purpose` keeps the tokens of one use from being taken for another.
  std::string Seal(std::string_view purpose, std::string_view payload) const;
  // kInvalidArgument for anything that was not sealed here for this purpose.
  absl::StatusOr<std::string> Open(std::string_view purpose, std::string_view token) const;

 private:
  std::string key_;
};

// --- inquiry tokens ---
struct Inquiry {
  core::StationId station;
  std::string biller_id;
  std::string customer_number;
  core::Money owed;
  std::string customer_name;
  core::TimePoint expires_at;
};

std::string SealInquiry(const TokenSeal& seal, const Inquiry& inquiry);

// What the token proves for an order of `station`, `biller_id` and `customer_number` at `now`. kInvalidArgument when it
// is no token of ours; an empty one proves nothing.
absl::StatusOr<flow::InquiryProof> OpenInquiry(const TokenSeal& seal, std::string_view token, core::StationId station,
                                               std::string_view biller_id, std::string_view customer_number,
                                               core::TimePoint now);

}  // namespace waystation::rpc
