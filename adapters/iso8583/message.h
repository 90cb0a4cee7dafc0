#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "switch/core/check.h"

namespace waystation::adapters::iso8583 {

// The data elements 2 .. 128; 1 and 65 are the bitmaps' own.
inline constexpr int kLastField = 128;

// One ISO 8583 message as values, free of any host's encoding: digits and text as they are read aloud, binary elements
// as bytes. What may stand in which element is the Specification's business.
//
// Threads: a value. Limits: a value replaced by a longer one keeps the place of the old one until the message goes.
class Message {
 public:
  // "0200".
  std::string_view mti() const { return {mti_.data(), mti_.size()}; }
  // Four characters.
  void set_mti(std::string_view mti);

  bool Has(int field) const { return (Half(field) & Bit(field)) != 0; }
  // Empty where the message has no such element. Valid until the next Set.
  std::string_view Get(int field) const {
    if (!Has(field)) return {};
    const Slot& slot = slots_[static_cast<size_t>(field)];
    return std::string_view(values_).substr(slot.offset, slot.size);
  }
  void Set(int field, std::string_view value);
  void Clear(int field) { Half(field) &= ~Bit(field); }
  // Whether it has any element above 64.
  bool HasSecondary() const { return secondary_ != 0; }

  // Calls visit(int field, std::string_view value) for each element, in order, while it returns true. True: it did so
  // to the end.
  template <typename Visit>
  bool ForEach(Visit visit) const {
    return EachOf(primary_, 0, visit) && EachOf(secondary_, 64, visit);
  }

  // Element n of 1 .. 64 is bit 64 - n, as it is on the wire; those of 65 .. 128 are the second half.
  uint64_t primary() const { return primary_; }
  uint64_t secondary() const { return secondary_; }

  bool operator==(const Message& other) const;

 private:
  struct Slot {
    uint32_t offset;
    uint32_t size;
  };

  static uint64_t Bit(int field) { return uint64_t{1} << ((128 - field) & 63); }
  const uint64_t& Half(int field) const { return field <= 64 ? primary_ : secondary_; }
  uint64_t& Half(int field) { return field <= 64 ? primary_ : secondary_; }

  template <typename Visit>
  bool EachOf(uint64_t bits, int above, Visit& visit) const {
    while (bits != 0) {
      const int field = above + std::countl_zero(bits) + 1;
      bits &= ~Bit(field);
      if (!visit(field, Get(field))) return false;
    }
    return true;
  }

  std::array<char, 4> mti_{'0', '0', '0', '0'};
  uint64_t primary_ = 0;
  uint64_t secondary_ = 0;
  std::array<Slot, kLastField + 1> slots_;  // those of elements that are there
  std::string values_;
};

}  // namespace waystation::adapters::iso8583
