#include "adapters/iso8583/frame.h"

#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

size_t LengthBytes(const FrameSpecification& frame) {
  return frame.length == FrameSpecification::Length::kBinary2 ? 2 : 4;
}

// `digits` has LengthBytes. -1: they are none.
int64_t ReadLength(const FrameSpecification& frame, std::string_view digits) {
  int64_t length = 0;
  for (const char c : digits) {
    if (frame.length == FrameSpecification::Length::kBinary2) {
      length = length << 8 | static_cast<unsigned char>(c);
    } else {
      if (c < '0' || c > '9') return -1;
      length = length * 10 + (c - '0');
    }
  }
  return length;
}

}  // namespace

absl::Status PackFrame(const Specification& specification, const Mac* mac, Message* message, std::string* out) {
  const FrameSpecification& frame = specification.frame();
  const size_t begin = out->size();
  const size_t header = LengthBytes(frame);
  out->append(header, '\0');
  *out += frame.tpdu;
  if (absl::Status status = PackWithMac(specification, mac, message, out); !status.ok()) return status;
  size_t length = out->size() - begin - header;
  if (length > frame.most_bytes) {
    return absl::InvalidArgumentError(
        fmt::format("the message is {} bytes long; the host takes at most {}", length, frame.most_bytes));
  }
  if (frame.length == FrameSpecification::Length::kBinary2) {
    (*out)[begin] = static_cast<char>(length >> 8);
    (*out)[begin + 1] = static_cast<char>(length & 0xff);
    return absl::OkStatus();
  }
  for (size_t i = header; i-- > 0; length /= 10) (*out)[begin + i] = static_cast<char>('0' + length % 10);
  return absl::OkStatus();
}

absl::StatusOr<bool> TakeFrame(const FrameSpecification& frame, std::string_view* left, std::string_view* message) {
  const size_t header = LengthBytes(frame);
  for (;;) {
    if (left->size() < header) return false;
    const int64_t said = ReadLength(frame, left->substr(0, header));
    if (said < 0) return absl::InvalidArgumentError("a message's length is not four digits");
    if (said > frame.most_bytes) {
      return absl::InvalidArgumentError(
          fmt::format("a message of {} bytes came; expected at most {}", said, frame.most_bytes));
    }
    const auto length = static_cast<size_t>(said);
    if (left->size() < header + length) return false;
    *message = left->substr(header, length);
    left->remove_prefix(header + length);
    // Some hosts send a bare length of 0 to keep the connection.
    if (length == 0) continue;
    if (length < frame.tpdu.size()) {
      return absl::InvalidArgumentError(
          fmt::format("a message of {} bytes came; its address alone has {}", length, frame.tpdu.size()));
    }
    message->remove_prefix(frame.tpdu.size());
    return true;
  }
}

}  // namespace waystation::adapters::iso8583
