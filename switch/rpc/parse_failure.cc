#include "switch/rpc/parse_failure.h"

#include <cstdint>

#include "fmt/format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "switch/core/utf8.h"

namespace waystation::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

// The first field of `type`, or of a message in it, that holds text which is not UTF-8; empty when there is none.
std::string FindBadText(const google::protobuf::Descriptor& type, std::string_view bytes, int depth) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  while (const uint32_t tag = in.ReadTag()) {
    const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return "";
      continue;
    }
    uint32_t size = 0;
    std::string value;
    if (!in.ReadVarint32(&size) || !in.ReadString(&value, static_cast<int>(size))) return "";
    if (field == nullptr) continue;
    if (field->type() == FieldDescriptor::TYPE_STRING && !core::IsUtf8(value)) return field->name();
    if (field->type() == FieldDescriptor::TYPE_MESSAGE && depth > 0) {
      const std::string inner = FindBadText(*field->message_type(), value, depth - 1);
      if (!inner.empty()) return field->name() + "." + inner;
    }
  }
  return "";
}

}  // namespace

std::string DescribeParseFailure(const google::protobuf::Descriptor& type, std::string_view bytes) {
  constexpr int kDeepest = 8;
  const std::string field = FindBadText(type, bytes, kDeepest);
  if (!field.empty()) return fmt::format("{}: is not valid UTF-8; expected text in UTF-8", field);
  return fmt::format("the request is not a {} message; expected its protobuf encoding", type.full_name());
}

}  // namespace waystation::rpc
