#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::core {

// An amount of CNY in fen (1 yuan = 100 fen); may be negative. Arithmetic never wraps: where the sum may not fit, use
// CheckedAdd; the operators stop the process instead.
class Money {
 public:
  constexpr Money() = default;
  static constexpr Money Fen(int64_t fen) { return Money(fen); }

  constexpr int64_t fen() const { return fen_; }
  constexpr auto operator<=>(const Money&) const = default;

  // Null when the sum does not fit in 64 bits.
  static std::optional<Money> CheckedAdd(Money a, Money b);

  // A result that does not fit is a broken invariant.
  friend Money operator+(Money a, Money b);
  friend Money operator-(Money a, Money b);
  Money operator-() const;
  Money& operator+=(Money other) { return *this = *this + other; }
  Money& operator-=(Money other) { return *this = *this - other; }

 private:
  explicit constexpr Money(int64_t fen) : fen_(fen) {}
  int64_t fen_ = 0;
};

// "50.00", "50.5", "50", "-0.01": yuan with at most two decimals, no sign but '-', no separators.
absl::StatusOr<Money> ParseYuan(std::string_view text);

// "50.00"; always two decimals.
std::string FormatYuan(Money amount);

}  // namespace waystation::core
