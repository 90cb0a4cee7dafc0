#include "adapters/gas/document.h"

#include <utility>

#include "fmt/format.h"

namespace waystation::adapters::gas {
namespace {

// From `at`, just after a '<', to the '>' that ends the tag, past those within quotes; npos when there is none.
size_t EndOfTag(std::string_view document, size_t at) {
  char quote = '\0';
  for (; at < document.size(); ++at) {
    const char c = document[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

class TextWriter final : public pugi::xml_writer {
 public:
  void write(const void* data, size_t size) override { text.append(static_cast<const char*>(data), size); }
  std::string text;
};

}  // namespace

absl::Status CheckBeforeParsing(std::string_view document) {
  if (document.size() > kMostDocumentBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the document has {} bytes; at most {} are taken", document.size(), kMostDocumentBytes));
  }
  // Wherever they stand: nothing that could be read in another way than here is to be found in it.
  if (document.find("<!") != std::string_view::npos) {
    return absl::InvalidArgumentError("the document has a declaration, a comment or a CDATA section; none is taken");
  }
  if (document.find("<?", 1) != std::string_view::npos) {
    return absl::InvalidArgumentError("the document has a processing instruction; none is taken");
  }
  int depth = 0;
  for (size_t at = document.find('<'); at != std::string_view::npos; at = document.find('<', at)) {
    const size_t end = EndOfTag(document, at + 1);
    if (end == std::string_view::npos) return absl::InvalidArgumentError("a tag has no end");
    const std::string_view tag = document.substr(at + 1, end - at - 1);
    if (tag.starts_with('/')) {
      --depth;
    } else if (!tag.starts_with('?') && !tag.ends_with('/') && ++depth > kMostDocumentDepth) {
      return absl::InvalidArgumentError(fmt::format("the document is deeper than {} elements", kMostDocumentDepth));
    }
    at = end + 1;
  }
  return absl::OkStatus();
}

std::string ToText(const pugi::xml_document& document) {
  TextWriter writer;
  document.save(writer, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(writer.text);
}

}  // namespace waystation::adapters::gas
