// Any bytes inside a block whose hash fits: what a fault of another writer, or a forger, could leave. Without the fresh
// hash hardly any input would get as far as the legs.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/block_round_trip.h"
#include "tests/storage/reseal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  waystation::storage::CheckBlockRoundTrip(waystation::storage::SealBytes(body));
  return 0;
}
