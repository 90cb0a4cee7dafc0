// Any bytes where the carrier's JSON should be: refused, or an answer whose parts keep to their bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/mobile/answer.h"
#include "switch/core/check.h"
#include "tests/fuzz/heap_peak.h"
#include "tests/fuzz/order_answer_bounds.h"

namespace waystation::adapters::mobile {
namespace {

void CheckAnswer(std::string_view bytes) {
  const HeapPeak heap;
  const auto answer = DecodeAnswer(bytes);
  WS_CHECK(heap.bytes() <= 64 * bytes.size() + 16 * 1'024, "no more memory is taken than is bounded");
  if (answer.ok()) CheckBounds(*answer);
}

}  // namespace
}  // namespace waystation::adapters::mobile

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waystation::adapters::mobile::CheckAnswer(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
