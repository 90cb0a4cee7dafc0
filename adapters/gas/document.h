#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pugixml.hpp"

namespace waystation::adapters::gas {

// The most that a host's document may have; what has more is refused before it is parsed.
inline constexpr size_t kMostDocumentBytes = 64 * 1024;
inline constexpr int kMostDocumentDepth = 8;

// OK, or InvalidArgument, for a document of UTF-8 that is about to be parsed: not too long or too deep, and without
// document types, entities, comments, CDATA sections, or processing instructions but the first line's, none of which an
// answer has any need of.
absl::Status CheckBeforeParsing(std::string_view document);

// `document` as text, in UTF-8, without white space of its own.
std::string ToText(const pugi::xml_document& document);

}  // namespace waystation::adapters::gas
