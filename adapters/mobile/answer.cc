#include "adapters/mobile/answer.h"

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "adapters/plain_text.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::adapters::mobile {

namespace json = boost::json;

namespace {

// An answer is an object of plain values; what is skipped may hold a little more.
constexpr size_t kMostDepth = 4;
constexpr size_t kMostOrderDigits = 20;

absl::Status Fault(std::string_view field, std::string_view expected) {
  return absl::InvalidArgumentError(fmt::format("{}: expected {}", field, expected));
}

// Takes a field's value where it is there, and leaves `text` as it is where not.
absl::Status TakeText(const json::object& object, std::string_view field, size_t most_bytes, std::string& text) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr) return absl::OkStatus();
  const json::string* string = value->if_string();
  if (string == nullptr || !IsPlainText({string->data(), string->size()}, most_bytes)) {
    return Fault(field, fmt::format("a plain text of at most {} bytes", most_bytes));
  }
  text.assign(string->data(), string->size());
  return absl::OkStatus();
}

absl::Status TakeAmount(const json::object& object, std::string_view field, std::optional<core::Money>& amount) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr) return absl::OkStatus();
  const int64_t* fen = value->if_int64();
  if (fen == nullptr || *fen < 0 || *fen > core::kMaxAmount.fen()) {
    return Fault(field, fmt::format("a whole number, 0 .. {}", core::kMaxAmount.fen()));
  }
  amount = core::Money::Fen(*fen);
  return absl::OkStatus();
}

absl::Status TakeState(const json::object& object, std::optional<OrderState>& state) {
  const json::value* value = object.if_contains("state");
  if (value == nullptr) return absl::OkStatus();
  if (const json::string* word = value->if_string()) state = ParseOrderState({word->data(), word->size()});
  return state ? absl::OkStatus() : Fault("state", "processing, paid, refused or taken_back");
}

absl::StatusOr<OrderAnswer> FromObject(const json::object& object) {
  OrderAnswer answer;
  absl::Status status = TakeText(object, "code", core::kMaxBillerCodeBytes, answer.code);
  status.Update(TakeText(object, "order", kMostOrderDigits, answer.order));
  status.Update(TakeState(object, answer.state));
  status.Update(TakeText(object, "refusal", core::kMaxBillerCodeBytes, answer.refusal));
  status.Update(TakeText(object, "reference", core::kMaxBillerReferenceBytes, answer.reference));
  status.Update(TakeText(object, "name", core::kMaxNameBytes, answer.name));
  status.Update(TakeAmount(object, "amount_fen", answer.amount));
  status.Update(TakeAmount(object, "owed_fen", answer.owed));
  if (!status.ok()) return status;
  if (answer.code.empty()) return Fault("code", "a text");
  return answer;
}

}  // namespace

absl::StatusOr<OrderAnswer> DecodeAnswer(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::error_code error;
  try {
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
    if (error) return absl::InvalidArgumentError(error.message());
    if (!value.is_object()) return Fault("the body", "an object");
    return FromObject(value.get_object());
  } catch (const std::exception& e) {
    // Boost.JSON throws where a text or an object is larger than it can hold.
    return absl::InvalidArgumentError(e.what());
  }
}

}  // namespace waystation::adapters::mobile
