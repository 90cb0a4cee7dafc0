#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/iso8583/mac.h"
#include "adapters/iso8583/message.h"
#include "adapters/iso8583/specification.h"

// How messages follow each other in a stream.
namespace waystation::adapters::iso8583 {

// Appends `message` in its frame, with its MAC, which it sets, if `mac` is not null. InvalidArgument: it can't be
// packed, or is longer than the host's frames are.
absl::Status PackFrame(const Specification& specification, const Mac* mac, Message* message, std::string* out);

// Takes the next message off the front of `left`, without its frame. False: it is not all there yet; `left` is then
// what more must be appended to. InvalidArgument: what came can't be followed any further.
absl::StatusOr<bool> TakeFrame(const FrameSpecification& frame, std::string_view* left, std::string_view* message);

}  // namespace waystation::adapters::iso8583
