#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace waystation::rpc {

// Why `bytes` did not parse as a message of `type`: names the field whose text is not UTF-8, or says that it is no such
// message. For callers; never empty.
std::string DescribeParseFailure(const google::protobuf::Descriptor& type, std::string_view bytes);

}  // namespace waystation::rpc
