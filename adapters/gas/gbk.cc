#include "adapters/gas/gbk.h"

#include <iconv.h>

#include "fmt/format.h"

namespace waystation::adapters::gas {
namespace {

// A character of GBK has one byte or two; its UTF-8 at most three.
constexpr size_t kMostGrowth = 3;

absl::StatusOr<std::string> Convert(std::string_view text, const char* from, const char* to) {
  const iconv_t converter = iconv_open(to, from);
  if (converter == iconv_t(-1)) {
    return absl::InternalError(
        fmt::format("the system cannot convert {} to {}; expected libc's gconv modules", from, to));
  }
  std::string converted(text.size() * kMostGrowth, '\0');
  // iconv does not write to its input.
  char* in = const_cast<char*>(text.data());
  size_t in_left = text.size();
  char* out = converted.data();
  size_t out_left = converted.size();
  const size_t irreversible = iconv(converter, &in, &in_left, &out, &out_left);
  iconv_close(converter);
  if (irreversible != 0 || in_left != 0) {
    return absl::InvalidArgumentError(
        fmt::format("byte {} is not {}, or has no character in {}", text.size() - in_left + 1, from, to));
  }
  converted.resize(converted.size() - out_left);
  return converted;
}

}  // namespace

absl::StatusOr<std::string> Utf8FromGbk(std::string_view text) {
  return Convert(text, "GBK", "UTF-8");
}

absl::StatusOr<std::string> GbkFromUtf8(std::string_view text) {
  return Convert(text, "UTF-8", "GBK");
}

}  // namespace waystation::adapters::gas
