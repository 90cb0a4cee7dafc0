// Any bytes where the gas company's XML should be: refused, or an answer whose parts keep to their bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/gas/gbk.h"
#include "adapters/gas/message.h"
#include "switch/core/check.h"
#include "tests/fuzz/heap_peak.h"
#include "tests/fuzz/order_answer_bounds.h"

namespace waystation::adapters::gas {
namespace {

void CheckAnswer(std::string_view bytes) {
  const HeapPeak heap;
  const auto answer = DecodeAnswer(bytes);
  WS_CHECK(heap.bytes() <= 64 * bytes.size() + 128 * 1'024, "no more memory is taken than is bounded");
  if (answer.ok()) CheckBounds(answer->order);
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
  waystation::adapters::gas::CheckAnswer(bytes);
  waystation::adapters::gas::CheckGbk(bytes);
  return 0;
}
