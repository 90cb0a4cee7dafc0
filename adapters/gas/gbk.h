#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::adapters::gas {

// UTF-8 from GBK, and back. InvalidArgument where the text is not of the encoding it comes in, or has a character that
// the other lacks. Any thread.
absl::StatusOr<std::string> Utf8FromGbk(std::string_view text);
absl::StatusOr<std::string> GbkFromUtf8(std::string_view text);

}  // namespace waystation::adapters::gas
