#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::adapters::mobile {

// What has become of an order, as the host says it.
enum class OrderState { kProcessing, kPaid, kRefused, kTakenBack };

// The body of an answer. Texts are UTF-8 and of bounded length; what the host leaves out is empty.
struct Answer {
  std::string code;
  std::string order;
  std::optional<OrderState> state;
  std::string refusal;  // the code that the order was refused with
  std::string reference;
  std::string name;  // masked
  std::optional<int64_t> amount_fen;
  std::optional<int64_t> owed_fen;
};

// README.md has the fields. InvalidArgument, naming the fault, for anything but an object with a code whose known
// fields have their types and lengths; fields that are not known are skipped.
absl::StatusOr<Answer> DecodeAnswer(std::string_view json);

}  // namespace waystation::adapters::mobile
