#include "adapters/result_codes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::adapters {
namespace {

constexpr std::array<std::pair<std::string_view, CodeMeaning>, 4> kMeanings = {{
    {"success", CodeMeaning::kSuccess},
    {"declined", CodeMeaning::kDeclined},
    {"never_received", CodeMeaning::kNeverReceived},
    {"unknown", CodeMeaning::kUnknown},
}};

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The first word, which is taken off `text`.
std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text = Trimmed(text.substr(word.size()));
  return word;
}

absl::Status Fault(std::string_view line, std::string_view fault) {
  return absl::InvalidArgumentError(fmt::format(
      "\"{}\" {}; expected a line for each code: CODE success, CODE declined REASON, CODE never_received, or "
      "CODE unknown",
      line, fault));
}

}  // namespace

absl::StatusOr<ResultCodes> ResultCodes::Parse(std::string_view table) {
  ResultCodes codes;
  bool has_success = false;
  while (!table.empty()) {
    const size_t end = std::min(table.find('\n'), table.size());
    const std::string_view line = Trimmed(table.substr(0, end));
    table.remove_prefix(std::min(end + 1, table.size()));
    if (line.empty()) continue;

    std::string_view rest = line;
    const std::string_view code = TakeWord(rest);
    const std::string_view word = TakeWord(rest);
    const auto* meaning =
        std::find_if(kMeanings.begin(), kMeanings.end(), [word](const auto& known) { return known.first == word; });
    if (meaning == kMeanings.end()) return Fault(line, "does not say what the code means");
    if (code.size() > core::kMaxBillerCodeBytes) return Fault(line, "has too long a code");
    const bool declined = meaning->second == CodeMeaning::kDeclined;
    if (declined == rest.empty()) return Fault(line, declined ? "has no reason" : "has something after its meaning");
    if (!core::IsUtf8(rest) || rest.size() > core::kMaxReasonBytes) return Fault(line, "has too long a reason");
    if (!codes.codes_.emplace(code, ResultCode{meaning->second, std::string(rest)}).second) {
      return Fault(line, "has a code that has a line already");
    }
    has_success = has_success || meaning->second == CodeMeaning::kSuccess;
  }
  if (!has_success) return absl::InvalidArgumentError("no code means success; expected a line \"CODE success\"");
  return codes;
}

const ResultCode& ResultCodes::Of(std::string_view code) const {
  static const ResultCode kNotInTable;
  const auto found = codes_.find(code);
  return found == codes_.end() ? kNotInTable : found->second;
}

}  // namespace waystation::adapters
