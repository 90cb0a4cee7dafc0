#include "switch/rpc/sealed_token.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "storage/key.h"
#include "storage/sha256.h"

namespace waystation::rpc {
namespace {

constexpr size_t kSealBytes = 16;  // of the HMAC; a guess succeeds once in 2^128
constexpr std::string_view kInquiryPurpose = "inquiry";

std::string SealOf(std::string_view key, std::string_view purpose, std::string_view payload) {
  std::string text(purpose);
  text.push_back('\0');
  text.append(payload);
  return std::string(storage::AsText(storage::HmacSha256(key, text)).substr(0, kSealBytes));
}

// Texts in a payload: one byte of length, then the bytes. All are shorter than 256.
void AppendText(std::string* payload, std::string_view text) {
  payload->push_back(static_cast<char>(text.size()));
  payload->append(text);
}

std::string TakeText(std::string_view* payload) {
  const size_t size = static_cast<uint8_t>(payload->front());
  std::string text(payload->substr(1, size));
  payload->remove_prefix(1 + size);
  return text;
}

uint64_t TakeNumber(std::string_view* payload) {
  const uint64_t number = storage::ReadNumber<uint64_t>(*payload);
  payload->remove_prefix(sizeof(number));
  return number;
}

}  // namespace

std::string TokenSeal::Seal(std::string_view purpose, std::string_view payload) const {
  std::string bytes = SealOf(key_, purpose, payload);
  bytes.append(payload);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::string> TokenSeal::Open(std::string_view purpose, std::string_view token) const {
  std::string bytes;
  if (absl::WebSafeBase64Unescape({token.data(), token.size()}, &bytes) && bytes.size() >= kSealBytes) {
    std::string payload = bytes.substr(kSealBytes);
    const std::string_view seal = std::string_view(bytes).substr(0, kSealBytes);
    if (storage::EqualInConstantTime(seal, SealOf(key_, purpose, payload))) return payload;
  }
  return absl::InvalidArgumentError("was not made by this switch; expected a token exactly as it was answered");
}

std::string SealInquiry(const TokenSeal& seal, const Inquiry& inquiry) {
  std::string payload;
  storage::AppendNumber(&payload, inquiry.station.number());
  storage::AppendNumber(&payload, static_cast<uint64_t>(inquiry.owed.fen()));
  storage::AppendNumber(&payload, static_cast<uint64_t>(inquiry.expires_at.time_since_epoch().count()));
  AppendText(&payload, inquiry.biller_id);
  AppendText(&payload, inquiry.customer_number);
  AppendText(&payload, inquiry.customer_name);
  return seal.Seal(kInquiryPurpose, payload);
}

absl::StatusOr<flow::InquiryProof> OpenInquiry(const TokenSeal& seal, std::string_view token, core::StationId station,
                                               std::string_view biller_id, std::string_view customer_number,
                                               core::TimePoint now) {
  flow::InquiryProof proof;
  if (token.empty()) return proof;
  absl::StatusOr<std::string> opened = seal.Open(kInquiryPurpose, token);
  if (!opened.ok()) return opened.status();
  // The seal holds, so the payload is one that SealInquiry made.
  std::string_view payload = *opened;
  const auto token_station = core::StationId::FromNumber(TakeNumber(&payload));
  proof.owed = core::Money::Fen(static_cast<int64_t>(TakeNumber(&payload)));
  const core::TimePoint expires_at{std::chrono::milliseconds(static_cast<int64_t>(TakeNumber(&payload)))};
  const std::string token_biller = TakeText(&payload);
  const std::string token_customer = TakeText(&payload);
  proof.customer_name = TakeText(&payload);
  if (token_station != station || token_biller != biller_id || token_customer != customer_number) {
    proof.standing = flow::InquiryProof::Standing::kMismatch;
    proof.customer_name.clear();
  } else if (expires_at <= now) {
    proof.standing = flow::InquiryProof::Standing::kExpired;
  } else {
    proof.standing = flow::InquiryProof::Standing::kValid;
  }
  return proof;
}

}  // namespace waystation::rpc
