// Any bytes where the gas company's XML should be: refused, or an answer whose parts keep to their bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/gas/gbk.h"
#include "adapters/gas/message.h"
#include "adapters/plain_text.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::adapters::gas {
namespace {

void CheckAnswer(const AnswerMessage& answer) {
  WS_CHECK(!answer.code.empty() && IsPlainText(answer.code, core::kMaxBillerCodeBytes), "a code");
  WS_CHECK(IsPlainText(answer.reference, core::kMaxBillerReferenceBytes), "a reference can be kept");
  WS_CHECK(IsPlainText(answer.name, core::kMaxNameBytes), "a name can be printed");
  for (const auto& amount : {answer.amount, answer.owed}) {
    WS_CHECK(!amount || (*amount >= core::Money() && *amount <= core::kMaxAmount), "an amount is one of money");
  }
}

// What is GBK is the same after it was UTF-8.
void CheckGbk(std::string_view bytes) {
  const auto utf8 = Utf8FromGbk(bytes);
  if (!utf8.ok()) return;
  const auto again = GbkFromUtf8(*utf8);
  WS_CHECK(again.ok() && Utf8FromGbk(*again).value() == *utf8, "a text survives its conversion");
}

}  // namespace
}  // namespace waystation::adapters::gas

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto answer = waystation::adapters::gas::DecodeAnswer(bytes);
  if (answer.ok()) waystation::adapters::gas::CheckAnswer(*answer);
  waystation::adapters::gas::CheckGbk(bytes);
  return 0;
}
