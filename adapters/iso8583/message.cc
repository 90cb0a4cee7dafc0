#include "adapters/iso8583/message.h"

#include <algorithm>

namespace waystation::adapters::iso8583 {

void Message::set_mti(std::string_view mti) {
  WS_CHECK(mti.size() == mti_.size(), "a message type has four characters");
  std::copy(mti.begin(), mti.end(), mti_.begin());
}

void Message::Set(int field, std::string_view value) {
  WS_CHECK(field >= 2 && field <= kLastField && field != 65, "an element that a message can have");
  slots_[static_cast<size_t>(field)] = {static_cast<uint32_t>(values_.size()), static_cast<uint32_t>(value.size())};
  values_.append(value);
  Half(field) |= Bit(field);
}

bool Message::operator==(const Message& other) const {
  if (mti() != other.mti() || primary_ != other.primary_ || secondary_ != other.secondary_) return false;
  return ForEach([&other](int field, std::string_view value) { return other.Get(field) == value; });
}

}  // namespace waystation::adapters::iso8583
