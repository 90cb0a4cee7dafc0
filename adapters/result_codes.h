#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waystation::adapters {

// What a host's result code means, whatever the operation.
enum class CodeMeaning {
  kSuccess,        // done, or found
  kDeclined,       // refused for good: it had no effect, and will have none
  kNeverReceived,  // the host has no such payment
  kUnknown,        // nothing can be concluded
};

struct ResultCode {
  CodeMeaning meaning = CodeMeaning::kUnknown;
  std::string text;  // of a decline: the reason, UTF-8
};

// A host's result codes, as its document lists them, kept as data in the configuration. Immutable.
class ResultCodes {
 public:
  // A line for each code: "CODE success", "CODE declined REASON", "CODE never_received", "CODE unknown". Blank lines
  // are skipped. InvalidArgument, without the setting's name, for any other line, a code that comes twice, or a table
  // without a success.
  static absl::StatusOr<ResultCodes> Parse(std::string_view table);

  // A code that the table lacks is kUnknown.
  const ResultCode& Of(std::string_view code) const;

 private:
  std::map<std::string, ResultCode, std::less<>> codes_;
};

}  // namespace waystation::adapters
