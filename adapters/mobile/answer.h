#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/order_answer.h"

namespace waystation::adapters::mobile {

// The body of an answer; README.md has its fields. InvalidArgument, naming the fault, for anything but an object with a
// code whose known fields have their types and lengths; fields that are not known are skipped. Takes at most 64
// times as much memory as the text has bytes, and 16 KB.
absl::StatusOr<OrderAnswer> DecodeAnswer(std::string_view json);

}  // namespace waystation::adapters::mobile
