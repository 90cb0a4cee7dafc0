// Any bytes where the carrier's JSON should be: refused, or an answer whose parts keep to their bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/mobile/answer.h"
#include "adapters/plain_text.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::adapters::mobile {
namespace {

void CheckAnswer(const Answer& answer) {
  WS_CHECK(!answer.code.empty() && IsPlainText(answer.code, core::kMaxBillerCodeBytes), "a code");
  WS_CHECK(IsPlainText(answer.reference, core::kMaxBillerReferenceBytes), "a reference can be kept");
  WS_CHECK(IsPlainText(answer.name, core::kMaxNameBytes), "a name can be printed");
  for (const auto& amount : {answer.amount_fen, answer.owed_fen}) {
    WS_CHECK(!amount || (*amount >= 0 && *amount <= core::kMaxAmount.fen()), "an amount is one of money");
  }
}

}  // namespace
}  // namespace waystation::adapters::mobile

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto answer =
      waystation::adapters::mobile::DecodeAnswer(std::string_view(reinterpret_cast<const char*>(data), size));
  if (answer.ok()) waystation::adapters::mobile::CheckAnswer(*answer);
  return 0;
}
