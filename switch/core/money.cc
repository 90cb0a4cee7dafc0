#include "switch/core/money.h"

#include <limits>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::core {
namespace {

absl::Status BadYuan(std::string_view text, std::string_view fault) {
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" {}; expected yuan with at most two decimals, such as 50 or 50.00", text, fault));
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<Money> Money::CheckedAdd(Money a, Money b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a.fen_, b.fen_, &sum)) return std::nullopt;
  return Money(sum);
}

Money operator+(Money a, Money b) {
  int64_t sum = 0;
  WS_CHECK(!__builtin_add_overflow(a.fen_, b.fen_, &sum), "money sum does not fit");
  return Money(sum);
}

Money operator-(Money a, Money b) {
  int64_t difference = 0;
  WS_CHECK(!__builtin_sub_overflow(a.fen_, b.fen_, &difference), "money difference does not fit");
  return Money(difference);
}

Money Money::operator-() const {
  return Money() - *this;
}

absl::StatusOr<Money> ParseYuan(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  if (rest.empty() || !IsDigit(rest.front())) return BadYuan(text, "is not an amount");

  int64_t fen = 0;
  size_t i = 0;
  int decimals = -1;  // -1: before the point
  for (; i < rest.size(); ++i) {
    if (rest[i] == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (!IsDigit(rest[i])) return BadYuan(text, "is not an amount");
    if (decimals >= 0 && ++decimals > 2) return BadYuan(text, "has more than two decimals");
    if (__builtin_mul_overflow(fen, int64_t{10}, &fen) || __builtin_add_overflow(fen, int64_t{rest[i] - '0'}, &fen)) {
      return BadYuan(text, "is too large");
    }
  }
  if (decimals == 0) return BadYuan(text, "ends with a point");
  for (int missing = decimals < 0 ? 2 : 2 - decimals; missing > 0; --missing) {
    if (__builtin_mul_overflow(fen, int64_t{10}, &fen)) return BadYuan(text, "is too large");
  }
  return Money::Fen(negative ? -fen : fen);
}

std::string FormatYuan(Money amount) {
  const bool negative = amount.fen() < 0;
  // Unsigned, so that the smallest int64 has a magnitude.
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(amount.fen()) : static_cast<uint64_t>(amount.fen());
  return fmt::format("{}{}.{:02}", negative ? "-" : "", magnitude / 100, magnitude % 100);
}

}  // namespace waystation::core
