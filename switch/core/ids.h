#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::core {

// A station's institution code (机构号): 12 digits, leading zeros kept in its text.
class StationId {
 public:
  constexpr StationId() = default;
  static constexpr StationId FromNumber(uint64_t number) { return StationId(number); }
  static absl::StatusOr<StationId> Parse(std::string_view text);

  constexpr uint64_t number() const { return number_; }
  std::string ToString() const;
  constexpr auto operator<=>(const StationId&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, StationId id) {
    return H::combine(std::move(h), id.number_);
  }

 private:
  explicit constexpr StationId(uint64_t number) : number_(number) {}
  uint64_t number_ = 0;
};

// A payment: the sequence number of its first leg, so ids grow and the journal can be entered at one. 0 is no payment.
class PaymentId {
 public:
  constexpr PaymentId() = default;
  static constexpr PaymentId FromNumber(uint64_t number) { return PaymentId(number); }
  // Decimal digits without a leading zero.
  static absl::StatusOr<PaymentId> Parse(std::string_view text);

  constexpr uint64_t number() const { return number_; }
  std::string ToString() const;
  constexpr auto operator<=>(const PaymentId&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, PaymentId id) {
    return H::combine(std::move(h), id.number_);
  }

 private:
  explicit constexpr PaymentId(uint64_t number) : number_(number) {}
  uint64_t number_ = 0;
};

// What makes a request of a station unique, to look it up by in memory.
struct RequestName {
  StationId station;
  std::string_view request_id;
  bool operator==(const RequestName&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const RequestName& name) {
    return H::combine(std::move(h), name.station, name.request_id);
  }
};

// The same as the key of a stored row: 8 bytes of station, big-endian, and the request id.
std::string RequestKey(StationId station, std::string_view request_id);

}  // namespace waystation::core
