#include "adapters/plain_text.h"

#include <algorithm>

#include "switch/core/utf8.h"

namespace waystation::adapters {

bool IsPlainText(std::string_view text, size_t most_bytes) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.size() <= most_bytes && core::IsUtf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace waystation::adapters
