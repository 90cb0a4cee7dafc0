#include "switch/core/utf8.h"

#include <cstdint>
#include <optional>

namespace waystation::core {
namespace {

// Bytes that follow the first byte of a UTF-8 sequence, and the least code point that needs so many; nothing for a byte
// that starts none.
struct Sequence {
  int following;
  uint32_t least;
  uint32_t bits;
};
std::optional<Sequence> SequenceOf(uint8_t byte) {
  if (byte < 0x80) return Sequence{0, 0, byte};
  if (byte >= 0xc2 && byte < 0xe0) return Sequence{1, 0x80, byte & 0x1fu};
  if (byte >= 0xe0 && byte < 0xf0) return Sequence{2, 0x800, byte & 0x0fu};
  if (byte >= 0xf0 && byte < 0xf5) return Sequence{3, 0x10000, byte & 0x07u};
  return std::nullopt;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const std::optional<Sequence> sequence = SequenceOf(static_cast<uint8_t>(text[i++]));
    if (!sequence.has_value()) return false;
    uint32_t code_point = sequence->bits;
    for (int k = 0; k < sequence->following; ++k, ++i) {
      if (i >= text.size() || (static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) return false;
      code_point = code_point << 6 | (static_cast<uint8_t>(text[i]) & 0x3fu);
    }
    if (code_point < sequence->least || code_point > 0x10ffff) return false;
    if (code_point >= 0xd800 && code_point <= 0xdfff) return false;
  }
  return true;
}

std::string CutToUtf8(std::string_view text, size_t bytes) {
  if (text.size() > bytes) {
    while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
    text = text.substr(0, bytes);
  }
  std::string result(text);
  if (IsUtf8(result)) return result;
  for (char& c : result) {
    if (static_cast<uint8_t>(c) > 0x7f) c = '?';
  }
  return result;
}

}  // namespace waystation::core
