#include "switch/core/ids.h"

#include <algorithm>

#include "absl/status/status.h"
#include "fmt/compile.h"
#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::core {
namespace {

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

absl::StatusOr<StationId> StationId::Parse(std::string_view text) {
  if (text.size() != kInstitutionCodeDigits || !AllDigits(text)) {
    return absl::InvalidArgumentError(
        fmt::format("is not an institution code; expected {} digits, such as 440106000017", kInstitutionCodeDigits));
  }
  uint64_t number = 0;
  for (char c : text) number = number * 10 + static_cast<uint64_t>(c - '0');
  return StationId(number);
}

std::string StationId::ToString() const {
  fmt::memory_buffer text;
  fmt::format_to(fmt::appender(text), FMT_COMPILE("{:012}"), number_);
  return fmt::to_string(text);
}

absl::StatusOr<PaymentId> PaymentId::Parse(std::string_view text) {
  uint64_t number = 0;
  bool fits = !text.empty() && AllDigits(text) && text.front() != '0';
  for (size_t i = 0; fits && i < text.size(); ++i) {
    fits = !__builtin_mul_overflow(number, uint64_t{10}, &number) &&
           !__builtin_add_overflow(number, static_cast<uint64_t>(text[i] - '0'), &number);
  }
  if (!fits) {
    return absl::InvalidArgumentError("is not a payment id; expected 1 to 20 decimal digits without a leading zero");
  }
  return PaymentId(number);
}

std::string PaymentId::ToString() const {
  return fmt::format_int(number_).str();
}

std::string RequestKey(StationId station, std::string_view request_id) {
  std::string key(sizeof(uint64_t), '\0');
  for (size_t i = 0; i < sizeof(uint64_t); ++i) {
    key[i] = static_cast<char>(station.number() >> (8 * (sizeof(uint64_t) - 1 - i)));
  }
  key += request_id;
  return key;
}

}  // namespace waystation::core
