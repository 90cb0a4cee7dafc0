#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace waystation::storage {

// Writes a message of protobuf's wire format field by field, into memory that it keeps. It is for what is written with
// every payment: filling protobuf's own messages, for them to be measured and copied, costs three times as much.
//
// The bytes are those that protobuf writes when fields come in the order of their numbers: a number that is 0 and a
// text that is empty are left out, a message is written even when nothing is in it. One thread.
class WireWriter {
 public:
  void Clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  // Until the next change.
  std::string_view bytes() const { return {buffer_.data(), size_}; }

  // A field that is a uint32, a uint64, an int64 or a bool.
  void Number(int field, uint64_t value) {
    if (value == 0) return;
    Keep(Varint(value, Varint(Tag(field, kVarint), Room(2 * kVarintBytes))));
  }

  // A field that is a sint64.
  void Signed(int field, int64_t value) {
    Number(field, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }

  // A field that is a string or bytes.
  void Text(int field, std::string_view text) {
    if (text.empty()) return;
    char* at = Room(2 * kVarintBytes + text.size());
    at = Varint(text.size(), Varint(Tag(field, kSized), at));
    std::memcpy(at, text.data(), text.size());
    Keep(at + text.size());
  }

  // A field that is a message: `write` writes its fields here. Also one of repeated numbers, which it writes bare.
  template <typename Write>
  void Message(int field, Write write) {
    Keep(Varint(Tag(field, kSized), Room(kVarintBytes)));
    const size_t length_at = size_;
    Keep(Room(1) + 1);  // enough for most
    write();
    const size_t length = size_ - length_at - 1;
    char bytes[kVarintBytes];
    const size_t length_bytes = static_cast<size_t>(Varint(length, bytes) - bytes);
    if (length_bytes > 1) {
      Keep(Room(length_bytes - 1) + length_bytes - 1);
      char* const first = buffer_.data() + length_at;
      std::memmove(first + length_bytes, first + 1, length);
    }
    std::memcpy(buffer_.data() + length_at, bytes, length_bytes);
  }
  void Bare(uint64_t value) { Keep(Varint(value, Room(kVarintBytes))); }

 private:
  static constexpr size_t kVarintBytes = 10;  // of the largest number
  static constexpr uint64_t kVarint = 0;
  static constexpr uint64_t kSized = 2;

  static uint64_t Tag(int field, uint64_t type) { return static_cast<uint64_t>(field) << 3 | type; }

  // At least `bytes` behind what is written.
  char* Room(size_t bytes) {
    if (buffer_.size() - size_ < bytes) buffer_.resize(2 * (size_ + bytes));
    return buffer_.data() + size_;
  }
  void Keep(const char* end) { size_ = static_cast<size_t>(end - buffer_.data()); }

  // Returns where it ends.
  static char* Varint(uint64_t value, char* at) {
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
    *at++ = static_cast<char>(value);
    return at;
  }

  std::string buffer_;
  size_t size_ = 0;
};

}  // namespace waystation::storage
