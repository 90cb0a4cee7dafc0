#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/iso8583/message.h"
#include "adapters/iso8583/specification.h"

namespace waystation::adapters::iso8583 {

// The text of errors begins with the element: "field 39 response code: ...".

// Appends `message` as `specification` has it on the wire. A value that is shorter than its fixed element is filled up
// as the standard says: n with zeros in front, a, an, ans and text with blanks behind. InvalidArgument: a value that is
// too long, has a character that its type does not have, or an element that the specification does not know; then `out`
// has been appended to all the same.
absl::Status Pack(const Specification& specification, const Message& message, std::string* out);

// Reads one message, all of `bytes`. Values come as they stand there, with what filled them up. InvalidArgument:
// anything that Pack would not have written, but lower-case hexadecimal digits and the value of a filling digit;
// `message` is then of no use. Never reads beyond `bytes`, and what it takes of memory is bounded by twice their size.
absl::Status Unpack(const Specification& specification, std::string_view bytes, Message* message);

// Bytes that a fixed element takes on the wire.
size_t WireBytes(const FieldSpecification& field);

}  // namespace waystation::adapters::iso8583
