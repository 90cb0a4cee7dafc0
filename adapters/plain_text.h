#pragma once

#include <cstddef>
#include <string_view>

namespace waystation::adapters {

// Whether a text that a host sent can be kept and printed: UTF-8, at most so long, no control characters.
bool IsPlainText(std::string_view text, size_t most_bytes);

}  // namespace waystation::adapters
