// Any bytes where the carrier's JSON should be: refused, or an answer whose parts keep to their bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/mobile/answer.h"
#include "tests/fuzz/order_answer_bounds.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto answer =
      waystation::adapters::mobile::DecodeAnswer(std::string_view(reinterpret_cast<const char*>(data), size));
  if (answer.ok()) waystation::adapters::CheckBounds(*answer);
  return 0;
}
